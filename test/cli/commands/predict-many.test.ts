import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { fakeCli, fakeCliHere, type CliOptions, type CliResult } from '../../support/fake-cli.ts'
import { ffmpeg, picture, tone } from '../../support/media.ts'
import { temporaryPath } from '../../support/temporary.ts'

const cli = fakeCli()
const weights = ['--random-weights', '1', '--stride', '5']
const clip = resolve(temporaryPath('clip.mp4'))
const mute = resolve(temporaryPath('mute.mp4'))

beforeAll(async () => {
  await ffmpeg(...picture('64x48', '25', 0.8), ...tone(0.8), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', clip)
  await ffmpeg(...picture('64x48', '25', 0.8), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', mute)
})

/** A folder of its own with videos of these names in it; those called bad are none. */
function folderOf(name: string, videos: readonly string[]): string {
  const cwd = temporaryPath(name)
  mkdirSync(cwd, { recursive: true })
  for (const video of videos) {
    const path = join(cwd, video)
    mkdirSync(dirname(path), { recursive: true })
    if (/bad/.test(video)) writeFileSync(path, 'no video')
    else copyFileSync(/mute/.test(video) ? mute : clip, path)
  }
  return cwd
}

/** All files below a folder. */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

interface Line {
  readonly status: string
  readonly input: string
  readonly [name: string]: unknown
}

const run = (args: readonly string[], options: CliOptions = {}) => read(cli(['predict', ...weights, '--json', ...args], options))
/** As {@link run}, in this process. */
const runHere = (args: readonly string[], options: CliOptions = {}) => read(fakeCliHere(['predict', ...weights, '--json', ...args], options))

async function read(running: Promise<CliResult>) {
  const result = await running
  const lines = result.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
  return {
    ...result,
    lines,
    of: (status: string) =>
      lines
        .filter((line) => line.status === status)
        .map(({ input }) => input)
        .sort(),
  }
}

const tree = ['videos/a/one.mp4', 'videos/a/two.mkv', 'videos/b/one.mp4', 'videos/b/bad.mp4', 'videos/three.mp4']

describe('many videos', () => {
  test('each once with one model, in folders like theirs; a bad one is told at the end, and tried again by the next start', async () => {
    const cwd = folderOf('many', tree)
    const first = await run(['videos/**/*.{mp4,mkv}', '-o', 'out'], { cwd, env: { PRINT_OPENING: '1' } })
    expect(first.code, first.stderr).toBe(9)
    expect(first.stderr.match(/a model is opened/g)).toHaveLength(1)
    expect(first.of('done')).toEqual(['videos/a/one.mp4', 'videos/a/two.mkv', 'videos/b/one.mp4', 'videos/three.mp4'])
    expect(first.lines.find(({ status }) => status === 'failed')).toMatchObject({
      input: 'videos/b/bad.mp4',
      error: { code: 'ERR_DIFFSAL_MEDIA', exitCode: 3, argument: 'videos/b/bad.mp4' },
    })
    expect(first.stderr).toMatch(/diffsal: 1 of 5 videos failed:\n {2}'videos\/b\/bad\.mp4': 'videos\/b\/bad\.mp4' .*not a video.*\n$/)
    expect(first.stderr.match(/mean nothing/g)).toHaveLength(1)
    const made = ['a/one', 'a/two', 'b/one', 'three'].flatMap((name) => [`${name}-saliency.json`, `${name}-saliency.mp4`])
    expect(filesIn(join(cwd, 'out'))).toEqual(made.sort())
    expect(first.lines.find(({ input }) => input === 'videos/three.mp4')).toMatchObject({
      frames: 20,
      maps: 4,
      outputs: [{ kind: 'map-video', path: 'out/three-saliency.mp4' }],
    })

    const times = made.map((name) => statSync(join(cwd, 'out', name)).mtimeMs)
    copyFileSync(clip, join(cwd, 'videos/b/bad.mp4'))
    const second = await runHere(['videos/**/*.{mp4,mkv}', '-o', 'out'], { cwd })
    expect(second.code, second.stderr).toBe(0)
    expect([second.of('done'), second.of('skipped')]).toEqual([['videos/b/bad.mp4'], first.of('done')])
    expect(second.lines.find(({ input }) => input === 'videos/three.mp4')).toEqual({
      ...first.lines.find(({ input }) => input === 'videos/three.mp4'),
      status: 'skipped',
    })
    expect(made.map((name) => statSync(join(cwd, 'out', name)).mtimeMs)).toEqual(times)

    // Nothing is left to do: not even a model is opened.
    const third = await fakeCliHere(['predict', ...weights, 'videos/**/*.{mp4,mkv}', '-o', 'out'], { cwd, env: { PRINT_OPENING: '1' } })
    expect(third).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Predicted 0 videos, 5 finished before, in \d+ s\.\n$/) as string })
    expect(third.stderr).not.toMatch(/a model is opened/)
  }, 120_000)

  test('a folder and files; overlays, arrays and pictures', async () => {
    const cwd = folderOf('kinds', ['videos/a/one.mp4', 'videos/clip.final.mov', 'more/one.mp4'])
    const overlays = await runHere(['videos', 'more/one.mp4', '--overlay', '--maps', 'npy', '-o', 'out/'], { cwd })
    expect(overlays.code, overlays.stderr).toBe(0)
    const names = ['more/one', 'videos/a/one', 'videos/clip.final']
    const made = names.flatMap((name) => [`${name}-maps.npy`, `${name}-overlay.json`, `${name}-overlay.mp4`]).sort()
    expect(filesIn(join(cwd, 'out'))).toEqual(made)
    const pictures = await runHere(['videos', 'more/one.mp4', '--maps', 'png', '-o', 'out/'], { cwd })
    expect(pictures.code, pictures.stderr).toBe(0)
    const frames = ['000000.png', '000005.png', '000010.png', '000015.png']
    expect(filesIn(join(cwd, 'out'))).toEqual(
      [...made, ...names.flatMap((name) => [`${name}-maps.json`, ...frames.map((frame) => `${name}-maps/${frame}`)])].sort(),
    )
    // What each of the two made is still known.
    expect((await runHere(['videos', 'more/one.mp4', '--overlay', '--maps', 'npy', '-o', 'out/'], { cwd })).of('skipped')).toHaveLength(3)
    expect((await runHere(['videos', 'more/one.mp4', '--maps', 'png', '-o', 'out/'], { cwd })).of('skipped')).toHaveLength(3)
  }, 120_000)

  test('a video that changed, another setting, an output that is gone: predicted again', async () => {
    const cwd = folderOf('again', ['videos/1.mp4', 'videos/2.mp4', 'videos/3.mp4', 'videos/4.mp4'])
    const args = ['videos', '-o', 'out', '--seed', '1']
    expect((await runHere(args, { cwd })).of('done')).toHaveLength(4)
    // How it is done does not change what is made.
    expect((await runHere([...args, '--jobs', '1', '--batch', '3', '--threads', '1'], { cwd })).of('skipped')).toHaveLength(4)
    const other = [...args, '--stride', '10']
    expect((await runHere(other, { cwd })).of('done')).toHaveLength(4)
    writeFileSync(join(cwd, 'videos/1.mp4'), Buffer.concat([readFileSync(clip), Buffer.alloc(8)]))
    rmSync(join(cwd, 'out/2-saliency.mp4'))
    writeFileSync(join(cwd, 'out/3-saliency.json'), '{"half')
    const last = await runHere(other, { cwd })
    expect([last.of('done'), last.of('skipped')]).toEqual([['videos/1.mp4', 'videos/2.mp4', 'videos/3.mp4'], ['videos/4.mp4']])
  }, 120_000)

  test('what another start has replaced, as one that was killed before it wrote so: predicted again', async () => {
    const cwd = folderOf('replaced-since', ['videos/1.mp4', 'videos/2.mp4', 'videos/3.mp4'])
    const made = (name: string): Buffer => readFileSync(join(cwd, 'out', name))
    const args = (colours: string): string[] => ['videos', '-o', 'out', '--maps', 'png', '--colour-map', colours]
    expect((await runHere(args('heat'), { cwd })).of('done')).toHaveLength(3)
    const first = made('1-maps/000000.png')
    const records = ['1', '2'].map((name) => [join(cwd, `out/${name}-maps.json`), made(`${name}-maps.json`)] as const)
    expect((await runHere(args('grey'), { cwd })).of('done')).toHaveLength(3)
    expect(made('1-maps/000000.png').equals(first)).toBe(false)
    for (const [path, record] of records) writeFileSync(path, record)
    writeFileSync(join(cwd, 'out/3-maps.json'), 'null')
    const again = await runHere(args('heat'), { cwd })
    expect([again.code, again.of('done')]).toEqual([0, ['videos/1.mp4', 'videos/2.mp4', 'videos/3.mp4']])
    expect(made('1-maps/000000.png').equals(first)).toBe(true)
    expect((await runHere(args('heat'), { cwd })).of('skipped')).toHaveLength(3)
  }, 120_000)

  test('a warning is kept with the video that it is of', async () => {
    const cwd = folderOf('warned', ['videos/1.mp4', 'videos/2-mute.mp4', 'videos/3.mp4', 'videos/4-mute.mp4'])
    const { lines } = await runHere(['videos', '-o', 'out', '--jobs', '4'], { cwd, delay: 20 })
    for (const { input, warnings } of lines) expect(warnings).toEqual(input.includes('mute') ? [expect.stringContaining(`'${input}' has no sound`)] : [])
    expect(lines).toHaveLength(4)
  }, 60_000)

  test('a single file is what it was; --shard, --jobs or a folder with a slash say that many are meant', async () => {
    const cwd = folderOf('single', ['one.mp4'])
    expect(await runHere(['one.mp4', '-o', 'one.mkv'], { cwd, env: { SLURM_ARRAY_TASK_ID: '3' } })).toMatchObject({ code: 0 })
    expect(filesIn(cwd)).toEqual(['one.mkv', 'one.mp4'])
    expect((await runHere(['one.mp4', '-o', 'out/'], { cwd })).of('done')).toEqual(['one.mp4'])
    expect((await runHere(['one.mp4', '-o', 'out', '--shard', '1/1'], { cwd })).of('skipped')).toEqual(['one.mp4'])
    expect((await runHere(['one.mp4', '-o', 'out', '--shard', '2/2'], { cwd })).lines).toEqual([])
  }, 60_000)
})

const eight = Array.from({ length: 8 }, (_, i) => `videos/${i}.mp4`)
const whole = eight.flatMap((name) => [`${name.slice(7, 8)}-saliency.json`, `${name.slice(7, 8)}-saliency.mp4`]).sort()

describe('several processes', () => {
  test('two parts at once are all, each once', async () => {
    const cwd = folderOf('shards', eight)
    const parts = await Promise.all([1, 2].map((k) => run(['videos/*.mp4', '-o', 'out', '--shard', `${k}/2`], { cwd, delay: 20 })))
    for (const { code, stderr } of parts) expect(code, stderr).toBe(0)
    expect(parts.map(({ of }) => of('done'))).toEqual([eight.filter((_, i) => i % 2 === 0), eight.filter((_, i) => i % 2 === 1)])
    expect(filesIn(join(cwd, 'out'))).toEqual(whole)
  }, 120_000)

  test('two on the same part share it: no video twice, and each ends when all are finished', async () => {
    const cwd = folderOf('same', eight)
    const both = await Promise.all([1, 2].map(() => run(['videos/*.mp4', '-o', 'out'], { cwd, delay: 100 })))
    for (const { code, stderr, of } of both) {
      expect(code, stderr).toBe(0)
      expect([...of('done'), ...of('skipped')].sort()).toEqual(eight)
    }
    expect(both.flatMap(({ of }) => of('done')).sort()).toEqual(eight)
    for (const { of } of both) expect(of('done').length).toBeGreaterThan(0)
    expect(filesIn(join(cwd, 'out'))).toEqual(whole)
  }, 120_000)

  test('a part by what SLURM and Kubernetes say', async () => {
    const cwd = folderOf('scheduled', eight)
    const slurm = { SLURM_ARRAY_TASK_ID: '5', SLURM_ARRAY_TASK_COUNT: '3', SLURM_ARRAY_TASK_MIN: '3', SLURM_ARRAY_TASK_MAX: '5' }
    expect((await runHere(['videos', '-o', 'out'], { cwd, env: slurm })).of('done')).toEqual(['videos/2.mp4', 'videos/5.mp4'])
    const pod = { JOB_COMPLETION_INDEX: '0', DIFFSAL_SHARDS: '4' }
    expect((await runHere(['videos', '-o', 'out'], { cwd, env: pod })).of('done')).toEqual(['videos/0.mp4', 'videos/4.mp4'])
    expect((await runHere(['videos', '-o', 'out', '--shard', '1/8'], { cwd, env: slurm })).of('skipped')).toEqual(['videos/0.mp4'])
    expect(await runHere(['videos', '-o', 'out'], { cwd, env: { JOB_COMPLETION_INDEX: '0' } })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/'DIFFSAL_SHARDS' must be set to the Job's 'completions'/) as string,
    })
  }, 60_000)
})

describe('an end in mid-run', () => {
  test('by SIGKILL: nothing half made counts, and the next start sweeps it and goes on', async () => {
    const cwd = folderOf('killed', eight)
    const out = join(cwd, 'out')
    // A temporary file that has maps in it already.
    const half = (): string | undefined =>
      filesIn(out).find((name) => name.startsWith('.diffsal-') && (statSync(join(out, name), { throwIfNoEntry: false })?.size ?? 0) > 8192)
    let left: string[] | undefined
    const killed = await run(['videos', '-o', 'out', '--maps', 'npy', '--stride', '2'], {
      cwd,
      delay: 100,
      onStderr: (child, text) => {
        if (left !== undefined || !text.includes('3/8')) return
        left = []
        void vi.waitUntil(half, { timeout: 20_000, interval: 2 }).finally(() => {
          child.kill('SIGKILL')
          left = filesIn(out)
        })
      },
    })
    expect(killed.code).toBe(null)
    expect(left).toEqual(expect.arrayContaining([expect.stringMatching(/\.lock$/), expect.stringMatching(/^\.diffsal-/)]))
    const before = killed.of('done')
    expect(before.length).toBeGreaterThanOrEqual(3)
    expect(before.length).toBeLessThan(8)

    const next = await run(['videos', '-o', 'out', '--maps', 'npy', '--stride', '2'], { cwd })
    expect(next.code, next.stderr).toBe(0)
    expect(next.of('skipped')).toEqual(expect.arrayContaining(before))
    expect([...next.of('skipped'), ...next.of('done')].sort()).toEqual(eight)
    expect(filesIn(out)).toEqual(whole.map((name) => name.replace('saliency', 'maps').replace('mp4', 'npy')).sort())
  }, 120_000)

  test('by SIGKILL of one process of two: the other does what it had', async () => {
    const cwd = folderOf('left', eight)
    let other: ReturnType<typeof run> | undefined
    const first = await run(['videos', '-o', 'out'], {
      cwd,
      delay: 150,
      onStderr: (child, text) => {
        if (!text.includes('1/8') || other !== undefined) return
        other = run(['videos', '-o', 'out'], { cwd })
        void other
        setTimeout(() => child.kill('SIGKILL'), 400)
      },
    })
    expect(first.code).toBe(null)
    const { code, stderr, of } = await other!
    expect(code, stderr).toBe(0)
    expect([...of('skipped'), ...of('done')].sort()).toEqual(eight)
    expect(filesIn(join(cwd, 'out'))).toEqual(whole)
  }, 120_000)

  test('by Ctrl-C: 130, what is finished stays, and nothing else', async () => {
    const cwd = folderOf('interrupted', eight)
    let sent = false
    const { code, of } = await run(['videos', '-o', 'out'], {
      cwd,
      delay: 60,
      onStderr: (child, text) => {
        if (sent || !text.includes('2/8')) return
        sent = child.kill('SIGINT')
      },
    })
    expect(code).toBe(130)
    const files = filesIn(join(cwd, 'out'))
    expect(files.length).toBeGreaterThanOrEqual(4)
    expect(files.length).toBeLessThan(16)
    expect(files.every((name) => /^\d-saliency\.(mp4|json)$/.test(name))).toBe(true)
    expect(of('done').length).toBeGreaterThanOrEqual(2)
  }, 60_000)
})

describe('is refused', () => {
  test.each<[string, number, string[], RegExp]>([
    ['a pattern that matches nothing', 2, ['videos/*.avi', '-o', 'out'], /'input' must be a pattern that matches a file, but 'videos\/\*\.avi' came/],
    ['a folder without videos', 2, ['empty', '-o', 'out'], /'input' must be a folder with videos in it/],
    ['shard 5/4', 2, ['videos', '-o', 'out', '--shard', '5/4'], /'5\/4' is invalid.*It must be K\/N, the K-th of N parts/],
    ['jobs 0', 2, ['videos', '-o', 'out', '--jobs', '0'], /'0' is invalid.*from 1 to 64/],
    ['no output folder', 2, ['videos'], /'-o' must be a folder to write into, since 'videos' means many videos, but nothing came/],
    [
      'an output that is a video',
      2,
      ['videos', '-o', 'out.mp4'],
      /'-o' must be a folder .*\(write 'out\.mp4\/' if a folder of this name is meant\), but 'out\.mp4' came/,
    ],
    ['an output folder that is a file', 6, ['videos', '-o', 'file'], /Cannot write '.*\/file': a file is in its place/],
    ['an output folder that cannot be made', 6, ['videos', '-o', '/proc/1/nothing'], /Cannot write '\/proc\/1\/nothing/],
    ['maps of a name', 2, ['videos', '-o', 'out', '--maps', 'maps.npy'], /'--maps' must be npy or png, where there are many videos, but 'maps\.npy' came/],
    ['an address among them', 2, ['videos', 'https://example.org/a.mp4', '-o', 'out'], /an address and standard input go alone/],
    ['the folder that is searched', 2, ['videos', '-o', 'videos'], /'-o' must be another folder than the one that is searched/],
    ['the folder that is searched, by a link', 2, ['videos', '-o', 'link'], /'-o' must be another folder than the one that is searched/],
    ['two of one name', 2, ['videos', 'same', '-o', 'out'], /'same\/1\.mkv' and 'same\/1\.mp4', which would both be '.*out\/same\/1-saliency\.mp4', came/],
    ['an end before the start', 2, ['videos', '-o', 'out', '--start', '2', '--end', '1'], /'end' must be above 'start', 2, but 1 came/],
    ['a look that no output has', 2, ['videos', '-o', 'out', '--opacity', '0.5'], /'--opacity' must be left out without --overlay/],
  ])('%s', async (name, code, args, message) => {
    const cwd = folderOf(`refused-${name.replaceAll(/\W/g, '-')}`, ['videos/one.mp4', 'same/1.mp4', 'same/1.mkv'])
    mkdirSync(join(cwd, 'empty'))
    writeFileSync(join(cwd, 'file'), '')
    symlinkSync('videos', join(cwd, 'link'))
    const before = filesIn(cwd)
    const result = await runHere(args, { cwd })
    expect(result.stderr).toMatch(message)
    expect(result.code).toBe(code)
    expect(filesIn(cwd)).toEqual(before)
  })

  test('weights that cannot be read end all, with their exit code; so does a missing ffmpeg', async () => {
    const cwd = folderOf('nothing', ['videos/1.mp4', 'videos/2.mp4'])
    const none = await fakeCliHere(['predict', 'videos', '-o', 'out', '--weights', 'no.safetensors'], { cwd })
    expect(none).toMatchObject({ code: 4, stderr: expect.stringMatching(/Cannot read 'no\.safetensors': it does not exist/) as string })
    const ffmpegless = await fakeCliHere(['predict', 'videos', '-o', 'out', ...weights], { cwd, env: { DIFFSAL_FFMPEG: '/nowhere/ffmpeg' } })
    expect(ffmpegless).toMatchObject({ code: 5, stderr: expect.not.stringMatching(/failed:/) as string })
    expect(filesIn(cwd)).toEqual(['videos/1.mp4', 'videos/2.mp4'])
  })

  test('an output that would replace an input, also where a link hides it', async () => {
    const cwd = folderOf('replaced', ['in/x.mp4', 'in/y.mp4', 'x-saliency.mp4'])
    symlinkSync('../x-saliency.mp4', join(cwd, 'in/y-saliency.mp4'))
    const { code, stderr } = await runHere(['in/x.mp4', 'in/y.mp4', 'x-saliency.mp4', '-o', '.'], { cwd })
    expect(stderr).toMatch(/'-o' must be a folder in which no input is replaced, but '\.', where 'x-saliency\.mp4' is what would be made of 'in\/y\.mp4', came/)
    expect(code).toBe(2)
    expect(readFileSync(join(cwd, 'x-saliency.mp4')).equals(readFileSync(clip))).toBe(true)
  })
})
