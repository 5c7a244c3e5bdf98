import { execFileSync } from 'node:child_process'
import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test, vi } from 'vitest'
import { probe } from '../../../lib/media/probe.ts'
import { fakeCli, fakeCliHere } from '../../support/fake-cli.ts'
import { ffmpegs } from '../../support/ffmpegs.ts'
import { decodeFrames, ffmpeg, picture, tone } from '../../support/media.ts'
import { temporaryPath } from '../../support/temporary.ts'

const speaker = resolve('examples/speaker.mp4')
const cli = fakeCli()

function folder(name: string): string {
  const path = temporaryPath(name)
  mkdirSync(path, { recursive: true })
  return path
}

/** The shape in a .npy file's header. */
function npyShape(path: string): number[] {
  return /'shape': \(([^)]*)\)/.exec(readFileSync(path, 'latin1'))![1]!.split(',').map(Number)
}

test.each(ffmpegs)('an overlay and PNGs by %s, with the folders made, and a summary', async (name, program) => {
  const cwd = folder(`overlay by ${name}`)
  const outputs = ['--overlay', '-o', 'out/speaker-overlay.mp4', '--maps', 'out/maps']
  const args = ['predict', speaker, '--random-weights', '1', '--stride', '24', ...outputs]
  const { code, stdout, stderr } = await cli(args, { cwd, env: { DIFFSAL_FFMPEG: program } })
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(stdout).toMatch(
    /^Predicted 7 maps for 150 frames \(every 24th\) of '.*speaker\.mp4' in \d+ s, seed \d+\.\n'.*speaker\.mp4': 640 × 360, 30 frames a second, 5\.00 s\.\nWrote/,
  )
  expect(stdout).toContain("Wrote the overlay video 'out/speaker-overlay.mp4'.\nWrote the PNGs in 'out/maps'.\n")
  // Said once, before the work.
  expect(stdout).not.toMatch(/mean nothing/)
  expect(stderr.match(/mean nothing/g)).toHaveLength(1)
  expect(stderr).toMatch(/random.*mean nothing/)
  // A line every few maps, as this is no terminal.
  expect(stderr).toMatch(/^7 of about 7 maps, [\d.]+ maps\/s, 0 s left$/m)
  expect(readdirSync(join(cwd, 'out')).sort()).toEqual(['maps', 'speaker-overlay.mp4'])
  const frames = ['000000', '000024', '000048', '000072', '000096', '000120', '000144']
  expect(readdirSync(join(cwd, 'out/maps')).sort()).toEqual(frames.map((name) => `${name}.png`))
  const { video, audio } = await probe(join(cwd, 'out/speaker-overlay.mp4'))
  expect(video).toMatchObject({ width: 640, height: 360, rate: { num: 30, den: 1 } })
  expect(audio).toMatchObject({ codec: 'aac', sampleRate: 48_000, channels: 2 })
  expect(await decodeFrames(join(cwd, 'out/speaker-overlay.mp4'), 'gray', 640 * 360)).toHaveLength(150)
})

test('--json is one object on standard output', async () => {
  const cwd = folder('json')
  const numbers = ['--stride', '50', '--steps', '2', '--eta', '0.5', '--seed', '9', '--batch', '2']
  const args = ['predict', speaker, '--random-weights', '5', '--maps', 'maps.npy', ...numbers]
  const { code, stdout } = await cli([...args, '--json'], { cwd })
  expect(code).toBe(0)
  const { seconds, note, ...report } = JSON.parse(stdout) as Record<string, unknown>
  expect(stdout.trim().split('\n')).toHaveLength(1)
  expect(report).toEqual({
    input: speaker,
    size: [360, 640],
    fps: '30',
    duration: 5,
    rotation: 0,
    frames: 150,
    maps: 3,
    mapFrames: { first: 0, step: 50, count: 3 },
    mapSize: [32, 64],
    weights: { random: 5 },
    device: 'cpu',
    precision: 'float32',
    seed: 9,
    steps: 2,
    eta: 0.5,
    stride: 50,
    batch: 2,
    videoOnly: false,
    outputs: [{ kind: 'npy', path: 'maps.npy' }],
    look: { scale: 'video' },
    warnings: [],
  })
  expect(note).toMatch(/mean nothing/)
  expect(seconds).toBeGreaterThan(0)
  expect(npyShape(join(cwd, 'maps.npy'))).toEqual([3, 32, 64])
  expect(readdirSync(cwd)).toEqual(['maps.npy'])
})

test('without -o and --maps, a video named after the input in the current folder', async () => {
  const cwd = folder('default')
  expect(await fakeCliHere(['predict', speaker, '--weights', 'any.safetensors', '--stride', '75'], { cwd })).toMatchObject({ code: 0 })
  expect(await fakeCliHere(['predict', speaker, '--weights', 'any.safetensors', '--stride', '75', '--overlay'], { cwd })).toMatchObject({ code: 0 })
  expect(readdirSync(cwd).sort()).toEqual(['speaker-overlay.mp4', 'speaker-saliency.mp4'])
  expect(await decodeFrames(join(cwd, 'speaker-saliency.mp4'), 'gray', 640 * 360)).toHaveLength(150)
})

test('trained weights are not called random', async () => {
  const args = ['predict', speaker, '--weights', 'any.safetensors', '--stride', '75', '--maps', 'm.npy']
  const { stdout, stderr } = await fakeCliHere(args, { cwd: folder('trained') })
  expect(stdout + stderr).not.toMatch(/random/)
})

test('a video without sound warns, in the report too; --video-only does not', async () => {
  const cwd = folder('mute')
  await ffmpeg(...picture('64x48', '25', 0.4), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', join(cwd, 'mute.mp4'))
  const args = ['predict', 'mute.mp4', '--weights', 'any.safetensors', '--maps', 'm.npy', '--json']
  const hearing = await fakeCliHere(args, { cwd })
  expect(JSON.parse(hearing.stdout)).toMatchObject({ maps: 10, warnings: [expect.stringContaining('has no sound')] })
  expect(hearing.stderr).toContain("diffsal: 'mute.mp4' has no sound")
  const deaf = await fakeCliHere([...args, '--video-only'], { cwd })
  expect(JSON.parse(deaf.stdout)).toMatchObject({ maps: 10, warnings: [], videoOnly: true })
})

test('sound alone', async () => {
  const cwd = folder('alone')
  await ffmpeg(...tone(1), join(cwd, 'tone.wav'))
  const config = { video: false }
  const args = ['predict', 'tone.wav', '--weights', 'any.safetensors', '--stride', '5']
  const { code, stdout } = await fakeCliHere([...args, '--json'], { cwd, config })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ size: null, fps: '25', frames: 25, maps: 5 })
  expect(await decodeFrames(join(cwd, 'tone-saliency.mp4'), 'gray', 64 * 32)).toHaveLength(25)
  expect(await fakeCliHere([...args, '--overlay'], { cwd, config })).toMatchObject({ code: 2 })
  expect(readdirSync(cwd).sort()).toEqual(['tone-saliency.mp4', 'tone.wav'])
})

test('an input name with odd characters', async () => {
  const cwd = folder('odd')
  copyFileSync(speaker, join(cwd, "-x %d 'ü.mp4"))
  const { code, stderr } = await cli(['predict', '--weights', 'w', '--stride', '75', '--overlay', '--', "-x %d 'ü.mp4"], { cwd })
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(readdirSync(cwd).sort()).toEqual(["-x %d 'ü-overlay.mp4", "-x %d 'ü.mp4"])
})

test('without weights, those of where people look are taken; those of scenes say what they are', async () => {
  const cwd = folder('shipped')
  const run = (...more: string[]) => fakeCliHere(['predict', speaker, '--stride', '30', '--seed', '1', '--maps', 'maps.npy', '--json', ...more], { cwd })
  const { code, stdout, stderr } = await run()
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.not.stringContaining('generated scenes') as string })
  expect(JSON.parse(stdout)).toMatchObject({ weights: { preset: 'gaze' }, maps: 5 })
  expect(JSON.parse(stdout)).not.toHaveProperty('note')
  const scenes = await run('--preset', 'scenes')
  expect(scenes).toMatchObject({ code: 0, stderr: expect.stringContaining('generated scenes') as string })
  expect(JSON.parse(scenes.stdout)).toMatchObject({ weights: { preset: 'scenes' }, note: expect.stringContaining('generated scenes') as string })
  expect(await run('--preset', 'tiny')).toMatchObject({ code: 2, stderr: expect.stringMatching(/Allowed choices are gaze, scenes/) as string })
})

const weights = ['--weights', 'any.safetensors']

test.each<[string, number, string[], RegExp]>([
  ['an unknown option suggests', 2, [speaker, ...weights, '--strid', '2'], /unknown option '--strid'\n\(Did you mean --stride\?\)/],
  ['two kinds of weights', 2, [speaker, ...weights, '--random-weights', '1'], /cannot be used with/],
  ['no input', 2, weights, /missing required argument/],
  ['steps 0', 2, [speaker, ...weights, '--steps', '0'], /from 1 to 1000/],
  ['steps 1001', 2, [speaker, ...weights, '--steps', '1001'], /from 1 to 1000/],
  ['steps 1.5', 2, [speaker, ...weights, '--steps', '1.5'], /from 1 to 1000/],
  ['stride 0', 2, [speaker, ...weights, '--stride', '0'], /at least 1/],
  ['eta 2', 2, [speaker, ...weights, '--eta', '2'], /from 0 to 1/],
  ['an extension that cannot be written', 2, [speaker, ...weights, '-o', 'a.avi'], /'-o' must be a file that ends in \.mp4, \.mov, \.mkv/],
  ['no such input', 3, ['missing.mp4', ...weights], /^diffsal: Cannot read 'missing\.mp4': it does not exist\.\n$/],
  ['a text file', 3, [resolve('package.json'), ...weights], /^diffsal: .*not a video or sound file.*\n$/],
  ['output into a file', 6, [speaker, ...weights, '--maps', `${resolve('package.json')}/maps`], /Cannot write/],
])('%s: exit code %i, one sentence, nothing written', async (name, expected, args, message) => {
  const cwd = folder(`refused-${name}`)
  const { code, stdout, stderr } = await fakeCliHere(['predict', ...args], { cwd })
  expect(stderr).toMatch(message)
  expect(stderr).not.toMatch(/\n\s+at /)
  expect({ code, stdout }).toEqual({ code: expected, stdout: '' })
  expect(readdirSync(cwd)).toEqual([])
})

test('no ffmpeg, a wrong command, help and version', async () => {
  const missing = await cli(['predict', speaker, ...weights], { env: { DIFFSAL_FFMPEG: '/nowhere/ffmpeg' } })
  expect(missing).toMatchObject({ code: 5, stderr: expect.stringContaining("DIFFSAL_FFMPEG is set to '/nowhere/ffmpeg'") as string })
  expect(await cli(['predikt'])).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean predict?') as string })
  const help = await cli(['predict', '--help'])
  expect(help.code).toBe(0)
  for (const text of ['--random-weights <seed>', 'Exit codes:', '130  interrupted', 'what is flat stays cold']) {
    expect(help.stdout).toContain(text)
  }
  const { stdout } = await cli(['--help'])
  for (const command of ['predict', 'setup', 'doctor', 'Exit codes:']) expect(stdout).toContain(command)
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  expect(await cli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

test('an error that is a defect has its stack with DIFFSAL_DEBUG only', async () => {
  const args = ['predict', speaker, '--weights', 'missing.safetensors']
  const quiet = await cli(args)
  expect(quiet).toMatchObject({ code: 1, stderr: expect.stringContaining('please report it') as string })
  expect(quiet.stderr).not.toMatch(/\n\s+at /)
  expect((await fakeCliHere(args, { env: { DIFFSAL_DEBUG: '1' } })).stderr).toMatch(/\n\s+at /)
})

test('the input is never overwritten, under whatever name', async () => {
  const cwd = folder('same')
  copyFileSync(speaker, join(cwd, 'a.mp4'))
  symlinkSync('a.mp4', join(cwd, 'b.mp4'))
  linkSync(join(cwd, 'a.mp4'), join(cwd, 'c.mkv'))
  for (const output of ['a.mp4', './a.mp4', 'b.mp4', 'c.mkv']) {
    const { code, stderr } = await fakeCliHere(['predict', 'a.mp4', ...weights, '-o', output], { cwd })
    expect(stderr).toMatch(/is the input 'a\.mp4' itself/)
    expect(code).toBe(2)
  }
  expect(readFileSync(join(cwd, 'a.mp4')).equals(readFileSync(speaker))).toBe(true)
})

/** The processes that run in a folder. */
async function processesIn(cwd: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === cwd
    } catch {
      return false
    }
  })
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)('%s: exit code 130, no file and no process left', async (signal) => {
  const cwd = folder(`interrupted-${signal}`)
  const args = ['predict', speaker, ...weights, '--overlay', '-o', 'new/o.mp4', '--maps', 'new/maps']
  let files = 0
  const { code, stdout, stderr } = await cli(args, {
    cwd,
    delay: 50,
    onStderr: (child, text) => {
      if (!text.includes('8 of about 150 maps') || files > 0) return
      files = readdirSync(join(cwd, 'new')).length
      child.kill(signal)
      // As under npm, where one Ctrl-C arrives twice.
      setTimeout(() => child.kill(signal), 5)
    },
  })
  expect(files).toBeGreaterThan(0)
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
  expect(stderr).toMatch(/^diffsal: Interrupted\.$/m)
  expect(readdirSync(cwd)).toEqual([])
  expect(await processesIn(cwd)).toEqual([])
})

test('a second Ctrl-C ends the process at once, and its ffmpegs with it', async () => {
  const cwd = folder('twice')
  let sent = 0
  const { code } = await cli(['predict', speaker, ...weights, '--overlay', '-o', 'o.mp4', '--stride', '70'], {
    cwd,
    // The fake model does not heed the signal while it waits: after the first Ctrl-C alone it would take its time.
    delay: 4_000,
    onStderr: (child, text) => {
      if (!text.includes(' maps,') || sent > 0) return
      sent = Date.now()
      child.kill('SIGINT')
      setTimeout(() => child.kill('SIGINT'), 1_200)
    },
  })
  expect(code).toBe(130)
  expect(Date.now() - sent).toBeLessThan(20_000)
  await vi.waitUntil(async () => (await processesIn(cwd)).length === 0)
})

function mayMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt'], { stdio: 'ignore' })
    return true
  } catch {
    console.warn('Skipping the full-disk tests: this machine does not let a test mount a tmpfs.')
    return false
  }
}

const full = mayMount()

/** A run whose current folder has a small disk in it, and what is on that disk afterwards. */
function onSmallDisk(name: string, kilobytes: number, output: string[]): ReturnType<typeof cli> {
  const cwd = folder(`full-${name}`)
  mkdirSync(join(cwd, 'disk'))
  writeFileSync(join(cwd, 'run.sh'), `mount -t tmpfs -o size=${kilobytes}k tmpfs disk && "$@"; code=$?; find disk; exit $code`)
  return cli(['predict', speaker, ...weights, '--stride', '10', ...output], { cwd, shell: ['unshare', '-rm', 'sh', 'run.sh'] })
}

test.runIf(full).each([
  ['npy', 64, ['--maps', 'disk/new/m.npy']],
  ['png', 64, ['--maps', 'disk/new/maps']],
  ['map video', 16, ['-o', 'disk/new/m.mp4']],
  ['overlay', 64, ['--overlay', '-o', 'disk/new/o.mp4']],
  ['all', 300, ['--overlay', '-o', 'disk/new/o.mp4', '--maps', 'disk/new/maps']],
])('a full disk, %s: exit code 6 and nothing left', async (name, size, output) => {
  const { code, stdout, stderr } = await onSmallDisk(name, size, output)
  expect(stderr).toMatch(/diffsal: The disk is full: cannot write 'disk\/new\/.*Nothing was left behind/)
  expect({ code, stdout }).toEqual({ code: 6, stdout: 'disk\n' })
})

test.runIf(full)('a disk that is full only when the sound is joined', async () => {
  const cwd = folder('roomy')
  const output = (path: string): string[] => ['--overlay', '-o', path]
  await fakeCliHere(['predict', speaker, ...weights, '--stride', '10', ...output('o.mp4')], { cwd })
  // Room for the finished video, but not for it and the one without sound.
  const size = Math.ceil(statSync(join(cwd, 'o.mp4')).size / 1024) + 8
  const { code, stdout, stderr } = await onSmallDisk('sound', size, output('disk/new/o.mp4'))
  expect(stderr).toMatch(/15 of about 15 maps.*\ndiffsal: The disk is full/)
  expect({ code, stdout }).toEqual({ code: 6, stdout: 'disk\n' })
})
