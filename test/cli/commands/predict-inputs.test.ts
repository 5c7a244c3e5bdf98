import { once } from 'node:events'
import { copyFileSync, createReadStream, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeCli, fakeCliHere } from '../../support/fake-cli.ts'
import { beeping, flashing, h264, look } from '../../support/flashes.ts'
import { decodeFrames, ffmpeg } from '../../support/media.ts'
import { temporaryPath } from '../../support/temporary.ts'

const cli = fakeCli()
const weights = ['--weights', 'any.safetensors', '--seed', '1', '--steps', '1'] as const
const clip = resolve(temporaryPath('clip.mp4'))
const spool = temporaryPath('spool')
let server: Server
let address = ''

beforeAll(async () => {
  await ffmpeg(...flashing(3, 0.5), ...beeping(3, 0.5), ...h264, '-c:a', 'aac', clip)
  mkdirSync(spool)
  server = createServer((request, response) => {
    if (request.url!.startsWith('/clip')) createReadStream(clip).pipe(response)
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void server.close())

function folder(name: string): string {
  const path = temporaryPath(name)
  mkdirSync(path, { recursive: true })
  return path
}

const env = { TMPDIR: spool }
const piped = (what: string): string[] => ['bash', '-c', `${what} | "$@"`, 'bash']
/** Standard input that is open and gives nothing, for longer than the slowest machine takes to ask. */
const silent = ['bash', '-c', 'exec 3< <(sleep 300); writer=$!; "$@" <&3; code=$?; kill $writer; exit $code', 'bash']

test('standard input and an address give what the file gives, and leave nothing', async () => {
  const cwd = folder('same')
  const outputs = (name: string): string[] => ['--overlay', '-o', `${name}.mp4`, '--maps', `${name}.npy`]
  expect(await fakeCliHere(['predict', clip, ...weights, '--stride', '5', ...outputs('file')], { cwd, env })).toMatchObject({ code: 0 })
  const ofInput = await cli(['predict', '-', ...weights, '--stride', '5', ...outputs('stdin'), '--json'], { cwd, env, shell: piped(`cat '${clip}'`) })
  expect(ofInput, ofInput.stderr).toMatchObject({ code: 0 })
  expect(JSON.parse(ofInput.stdout)).toMatchObject({ input: 'standard input', size: [120, 160], fps: '25', rotation: 0, frames: 75, warnings: [] })
  const ofAddress = await fakeCliHere(['predict', `${address}/clip?key=1`, ...weights, '--stride', '5', ...outputs('address')], { cwd, env })
  expect(ofAddress, ofAddress.stderr).toMatchObject({ code: 0 })
  expect(ofAddress.stdout).toContain(`for 75 frames (every 5th) of '${address}/clip?…' in`)
  const files = readdirSync(cwd).sort()
  expect(files).toEqual(['address.mp4', 'address.npy', 'file.mp4', 'file.npy', 'stdin.mp4', 'stdin.npy'])
  for (const name of ['stdin', 'address']) {
    expect(readFileSync(join(cwd, `${name}.npy`)).equals(readFileSync(join(cwd, 'file.npy')))).toBe(true)
    const [made, expected] = [await look(join(cwd, `${name}.mp4`)), await look(join(cwd, 'file.mp4'))]
    expect([made.times, made.flashes, made.beeps]).toEqual([expected.times, expected.flashes, expected.beeps])
    expect(made.beeps).toHaveLength(3)
  }
  expect(readdirSync(spool)).toEqual([])
}, 120_000)

test('outputs are named after the input', async () => {
  const cwd = folder('names')
  expect(await cli(['predict', '-', ...weights, '--stride', '40'], { cwd, env, shell: piped(`cat '${clip}'`) })).toMatchObject({ code: 0 })
  expect(await fakeCliHere(['predict', `${address}/clip.final.webm?a=b`, ...weights, '--stride', '40'], { cwd, env })).toMatchObject({ code: 0 })
  expect(await fakeCliHere(['predict', `file://${clip}`, ...weights, '--stride', '40'], { cwd, env })).toMatchObject({ code: 0 })
  expect(readdirSync(cwd).sort()).toEqual(['clip-saliency.mp4', 'clip.final-saliency.mp4', 'stdin-saliency.mp4'])
}, 120_000)

test.each<[string, string[], string[] | undefined, RegExp, number]>([
  ['nothing on standard input', ['-'], piped('true'), /'standard input' is empty/, 3],
  ['no video on standard input', ['-'], piped('echo hello'), /'standard input' is not a video/, 3],
  ['more than is taken', ['-', '--spool-limit', '100'], piped('cat /dev/zero'), /'standard input': it is longer than 100 bytes/, 3],
  ['nothing for a while', ['-', '--stall-limit', '0.3'], silent, /'standard input': it gave nothing for 0\.3 s/, 3],
  ['an address that is not there', ['ADDRESS/nothing'], undefined, /the server answered 404/, 3],
  ['no network', ['ADDRESS/clip', '--no-network'], undefined, /'network' is false/, 2],
  ['another protocol', ['rtsp://127.0.0.1/1'], undefined, /only http: and https: are read/, 3],
])('%s ends in a sentence', async (_, args, shell, message, expected) => {
  const cwd = folder('bad')
  const given = args.map((arg) => arg.replace('ADDRESS', address))
  const { code, stderr } = await (shell ? cli : fakeCliHere)(['predict', ...given, ...weights], { cwd, env, ...(shell && { shell }) })
  expect(stderr).toMatch(message)
  expect(code).toBe(expected)
  expect([readdirSync(cwd), readdirSync(spool)]).toEqual([[], []])
})

test('interrupted while standard input is written to a file: nothing is left', async () => {
  const cwd = folder('interrupted')
  const begun = `until [ -n "$(ls -A '${spool}')" ]; do sleep 0.1; done`
  const shell = [
    'bash',
    '-c',
    `exec 3< <(head -c 5000 '${clip}'; exec sleep 300); writer=$!; "$@" <&3 & child=$!; ${begun}; kill -INT $child; wait $child; code=$?; kill $writer; exit $code`,
    'bash',
  ]
  const { code } = await cli(['predict', '-', ...weights], { cwd, env, shell })
  expect(code).toBe(130)
  expect([readdirSync(cwd), readdirSync(spool)]).toEqual([[], []])
}, 60_000)

test('--start and --end: the maps, the overlay and the sound of that part, at the times of the whole', async () => {
  const cwd = folder('part')
  copyFileSync(clip, join(cwd, 'clip.mp4'))
  const whole = await fakeCliHere(['predict', 'clip.mp4', ...weights, '--stride', '5', '--maps', 'whole.npy'], { cwd })
  expect(whole.code).toBe(0)
  const part = await fakeCliHere(
    ['predict', 'clip.mp4', ...weights, '--stride', '5', '--start', '1', '--end', '2.2', '--overlay', '-o', 'part.mp4', '--maps', 'part', '--json'],
    { cwd },
  )
  expect(part, part.stderr).toMatchObject({ code: 0 })
  expect(JSON.parse(part.stdout)).toMatchObject({ start: 1, end: 2.2, frames: 30, maps: 6, mapFrames: { first: 25, step: 5, count: 6 } })
  expect(readdirSync(join(cwd, 'part')).sort()).toEqual(['000025.png', '000030.png', '000035.png', '000040.png', '000045.png', '000050.png'])
  const npy = await fakeCliHere(['predict', 'clip.mp4', ...weights, '--stride', '5', '--start', '1', '--end', '2.2', '--maps', 'part.npy'], { cwd })
  expect(npy.code).toBe(0)
  // The same numbers as the whole's, frames 25 to 50: what lies before and after is seen.
  const numbers = (name: string): Buffer => readFileSync(join(cwd, name)).subarray(-(name === 'part.npy' ? 6 : 10) * 32 * 64 * 4)
  expect(numbers('part.npy').equals(numbers('whole.npy').subarray(0, 6 * 32 * 64 * 4))).toBe(true)

  expect(await decodeFrames(join(cwd, 'part.mp4'), 'gray', 160 * 120)).toHaveLength(30)
  // The clip flashes at 0.52, 1.52 and 2.52 s and beeps at 0.5, 1.5 and 2.5.
  const seen = await look(join(cwd, 'part.mp4'))
  expect(seen.times).toHaveLength(30)
  expect(seen.flashes).toHaveLength(1)
  expect(seen.beeps).toHaveLength(1)
  expect(Math.abs(seen.flashes[0]! - 0.52)).toBeLessThan(0.021)
  expect(Math.abs(seen.beeps[0]! - 0.5)).toBeLessThan(0.03)
}, 120_000)

test('a part that has no frames, and one that is none', async () => {
  const cwd = folder('no-part')
  const run = (...args: string[]) => fakeCliHere(['predict', clip, ...weights, ...args], { cwd })
  const after = await run('--start', '7')
  expect(after.stderr).toMatch(/'start' must be of a part that has frames in it, but 7 s of '.*clip\.mp4', which has 75 frames up to there, came/)
  expect(after.code).toBe(2)
  expect(await run('--start', '2', '--end', '2')).toMatchObject({ code: 2, stderr: expect.stringMatching(/'end' must be above 'start', 2, but 2 came/) })
  expect(await run('--start=-1')).toMatchObject({ code: 2 })
  expect(readdirSync(cwd)).toEqual([])
}, 60_000)

test('a still picture: one map, one overlay of one frame, and a note', async () => {
  const cwd = folder('still')
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:d=0.04:r=25', '-frames:v', '1', join(cwd, 'still.png'))
  const { code, stdout, stderr } = await fakeCliHere(['predict', 'still.png', ...weights, '--overlay', '-o', 'over.mp4', '--maps', 'still.npy', '--json'], {
    cwd,
  })
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ frames: 1, maps: 1, warnings: [expect.stringContaining('has only one frame')] })
  expect(await decodeFrames(join(cwd, 'over.mp4'), 'gray', 64 * 48)).toHaveLength(1)
})
