import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { Reframing } from '../../../lib/index.ts'
import { probe } from '../../../lib/media/probe.ts'
import { spotClip } from '../../support/blob-clips.ts'
import { fakeCli, fakeCliHere } from '../../support/fake-cli.ts'
import { bundledFfmpeg } from '../../support/bundled-ffmpeg.ts'
import { inProcessCli } from '../../support/in-process-cli.ts'
import { temporaryPath } from '../../support/temporary.ts'

const cli = fakeCli()

async function folder(name: string): Promise<string> {
  const path = temporaryPath(name)
  mkdirSync(path)
  copyFileSync(await spotClip(`${name}.mkv`, '0.2+t/3', 40), join(path, 'clip.mkv'))
  return path
}

test('reframe: the video, the windows and the filter, and what was done', async () => {
  const cwd = await folder('reframe')
  const args = ['reframe', 'clip.mkv', '--weights', 'any.safetensors', '--video-only', '--aspect', '1:1', '--seed', '3']
  const { code, stdout, stderr } = await cli([...args, '-o', 'out/square.mp4', '--windows', 'out/w.json', '--filter', 'out/f.txt'], { cwd })
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/maps\/s[^]*40 of about 40 frames/) })
  expect(stdout).toMatch(/^Followed 40 frames in 1 shot of 'clip.mkv' with a window of 90 × 90, in \d+ s, seed 3\.\nWrote the video 'out\/square.mp4'/)
  expect(readdirSync(join(cwd, 'out')).sort()).toEqual(['f.txt', 'square.mp4', 'w.json'])
  expect((await probe(join(cwd, 'out/square.mp4'))).video).toMatchObject({ width: 90, height: 90 })
  const windows = JSON.parse(readFileSync(join(cwd, 'out/w.json'), 'utf8')) as { frames: { x: number }[] }
  expect(windows).toMatchObject({ input: 'clip.mkv', size: [90, 160], window: [90, 90] })
  expect(windows.frames.at(-1)!.x).toBeGreaterThan(windows.frames[0]!.x + 10)
  expect(readFileSync(join(cwd, 'out/f.txt'), 'utf8')).toMatch(/^sendcmd=c='\n[\d.]+ crop x \d+;\n[^]*crop=90:90:\d+:0\n$/)

  const preview = await fakeCliHere([...args, '--preview', '--json', '--no-shots'], { cwd })
  expect(JSON.parse(preview.stdout)).toMatchObject({
    size: [90, 160],
    window: [90, 90],
    frames: 40,
    shots: 1,
    stride: 5,
    seed: 3,
    outputs: [{ kind: 'preview', path: 'clip-preview.mp4' }],
  })
  expect((await probe(join(cwd, 'clip-preview.mp4'))).video).toMatchObject({ width: 160, height: 90 })
})

test('thumbnail: pictures by their names', async () => {
  const cwd = await folder('thumbnail')
  const args = ['thumbnail', 'clip.mkv', '--weights', 'any.safetensors', '--video-only']
  expect(await cli([...args, '-n', '2', '-o', 'pictures/a.png'], { cwd })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Wrote frame \d+, at [\d.]+ s, as 'pictures\/a-1.png', 160 × 90\./),
  })
  expect(readdirSync(join(cwd, 'pictures')).sort()).toEqual(['a-1.png', 'a-2.png'])
  const { stdout } = await fakeCliHere([...args, '--json', '--aspect', '1:1'], { cwd })
  expect(JSON.parse(stdout)).toMatchObject({ input: 'clip.mkv', pictures: [{ path: 'clip-thumbnail.jpg', size: [90, 90] }] })
})

test('a part of what comes by standard input: picture, windows and pictures are of that part', async () => {
  const cwd = await folder('piped')
  const run = (words: string) => cli(words.split(' '), { cwd, shell: ['bash', '-c', '"$@" < clip.mkv', 'bash'] })
  const model = '--weights any.safetensors --video-only --seed 3 --json'
  const { code, stdout, stderr } = await run(`reframe - ${model} --aspect 1:1 --start 0.4 --end 1.2 -o part.mp4 --windows w.json`)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(JSON.parse(stdout)).toMatchObject({ input: 'standard input', start: 0.4, end: 1.2, frames: 20, shots: 1 })
  expect((await probe(join(cwd, 'part.mp4'))).video!.frameEstimate).toBe(20)
  const windows = JSON.parse(readFileSync(join(cwd, 'w.json'), 'utf8')) as Reframing
  expect(windows).toMatchObject({ input: 'standard input', start: 0.4, end: 1.2 })
  expect([windows.frames[0], windows.frames.at(-1)]).toMatchObject([
    { frame: 10, time: 0.4 },
    { frame: 29, time: 1.16 },
  ])
  expect(JSON.parse((await run(`thumbnail - ${model} -n 2 --apart 0.2 --start 0.4 --end 1.2`)).stdout)).toMatchObject({
    pictures: [{ path: 'stdin-thumbnail-1.jpg' }, { path: 'stdin-thumbnail-2.jpg' }],
  })
  expect(JSON.parse((await run('shots - --json --start 0.4 --end 1.2')).stdout)).toMatchObject({
    input: 'standard input',
    shots: [{ frame: 10, frames: 20, start: 0.4, end: 1.2 }],
  })
  const regions = await cli(['roi', 'clip.mkv', '--weights', 'any.safetensors', '--video-only', '--json', '--start', '0.4', '--end', '1.2', '-o', 'roi.txt'], {
    cwd,
  })
  // Old ffmpegs have not its filter.
  if (regions.code !== 5) expect(JSON.parse(regions.stdout)).toMatchObject({ start: 0.4, end: 1.2, segments: [{ frame: 10, frames: 20 }] })
  rmSync(join(cwd, 'roi.txt'), { force: true })
  expect(readdirSync(cwd).sort()).toEqual(['clip.mkv', 'part.mp4', 'stdin-thumbnail-1.jpg', 'stdin-thumbnail-2.jpg', 'w.json'])
})

test('what cannot be ends before the model is opened, and leaves nothing', async () => {
  const cwd = await folder('bad')
  const open = async (): Promise<never> => expect.fail('the model was opened')
  const bad = async (args: string[], code: number, words: RegExp): Promise<void> => {
    const placed = args.map((word) => (/^(clip\.mkv|a\..*)$/.test(word) ? join(cwd, word) : word === '.' ? cwd : word))
    const { code: ended, stderr } = await inProcessCli(placed, undefined, open)
    expect([ended, stderr]).toEqual([code, expect.stringMatching(words)])
  }
  await bad(['reframe', 'clip.mkv', '-o', 'clip.mkv'], 2, /is the input/)
  await bad(['reframe', 'clip.mkv', '-o', 'a.mp4', '--windows', 'a.mp4'], 2, /--windows.*another place than -o's/)
  await bad(['reframe', 'clip.mkv', '--aspect', '0.02'], 2, /16 pixels/)
  await bad(['reframe', 'clip.mkv', '--aspect', 'wide'], 2, /9:16/)
  await bad(['reframe', 'clip.mkv', '-o', 'a.gif'], 2, /\.mp4/)
  await bad(['reframe', 'clip.mkv', '--filter', '.'], 6, /./)
  await bad(['reframe', 'nowhere.mkv'], 3, /does not exist/)
  await bad(['reframe', 'http://127.0.0.1:9/a.mp4', '--no-network'], 2, /'network' is false/)
  await bad(['reframe', 'clip.mkv', '--start', '2', '--end', '1'], 2, /'end' must be above 'start'/)
  await bad(['thumbnail', 'clip.mkv', '-o', 'a.gif'], 2, /\.png/)
  await bad(['thumbnail', 'clip.mkv', '-n', '0'], 2, /from 1 to 100/)
  // It is of 2018.
  vi.stubEnv('DIFFSAL_FFMPEG', bundledFfmpeg)
  await bad(['roi', 'clip.mkv', '-o', 'a.txt'], 5, /no filter 'addroi'.*4\.2/)
  vi.unstubAllEnvs()
  expect(readdirSync(cwd)).toEqual(['clip.mkv'])
})
