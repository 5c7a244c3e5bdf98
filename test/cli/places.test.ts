import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { fileError } from '../../lib/errors.ts'
import { fakeCliHere } from '../support/fake-cli.ts'
import { bundledFfmpeg } from '../support/bundled-ffmpeg.ts'
import { ffmpeg } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

const speaker = resolve('examples/speaker.mp4')
const weights = ['--weights', 'any.safetensors', '--stride', '75']

function folder(name: string): string {
  const path = temporaryPath(name)
  mkdirSync(path, { recursive: true })
  copyFileSync(speaker, join(path, 'clip.mp4'))
  return path
}

// Where there is no ffmpeg, whatever is refused has been refused before anything was read.
const env = { DIFFSAL_FFMPEG: '/nowhere/ffmpeg' }

test.each([
  ['results/../clip.mp4', 'clip.mp4'],
  ['linked/clip.mp4', './clip.mp4'],
  ['linked/../same/clip.mp4', 'clip.mp4'],
  ['dangling/../clip.mp4', 'soft.mp4'],
  ['soft.mp4', 'clip.mp4'],
  ['hard.mkv', 'soft.mp4'],
])('the output %s is the input %s: refused before anything is read', async (output, input) => {
  const cwd = folder('same')
  for (const [make, from, to] of [
    [symlinkSync, '.', 'linked'],
    [symlinkSync, 'nowhere', 'dangling'],
    [symlinkSync, 'clip.mp4', 'soft.mp4'],
    [(a: string, b: string) => linkSync(join(cwd, a), b), 'clip.mp4', 'hard.mkv'],
  ] as const) {
    if (!readdirSync(cwd).includes(to)) make(from, join(cwd, to))
  }
  const { code, stderr } = await fakeCliHere(['predict', input, ...weights, '-o', output, '--overlay'], { cwd, env })
  expect(stderr).toMatch(/is the input '.*' itself: choose another name/)
  expect(code).toBe(2)
  expect(readFileSync(join(cwd, 'clip.mp4')).equals(readFileSync(speaker))).toBe(true)
})

test('a folder of pictures does not take the place of one that is the input, nor two outputs one place', async () => {
  const cwd = folder('pictures')
  mkdirSync(join(cwd, 'maps'))
  copyFileSync(speaker, join(cwd, 'maps/000000.png'))
  symlinkSync('maps', join(cwd, 'also'))
  const { code, stderr } = await fakeCliHere(['predict', 'maps/000000.png', ...weights, '--maps', 'also'], { cwd, env })
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining("is the input 'maps/000000.png' itself") as string })
  symlinkSync('o.mp4', join(cwd, 'o.npy'))
  const two = await fakeCliHere(['predict', 'clip.mp4', ...weights, '-o', 'o.mp4', '--maps', 'o.npy'], { cwd, env })
  expect(two).toMatchObject({ code: 2, stderr: expect.stringMatching(/'--maps' must be another place than -o's, 'o\.mp4'/) as string })
})

test.each([
  ['a long name', ['-o', `${'n'.repeat(252)}.mp4`]],
  ['a long name in a folder that is not there', ['--maps', `new/${'ü'.repeat(130)}/maps`]],
  ['a long path', ['--maps', `${'d/'.repeat(2100)}m.npy`]],
])('%s is refused at once', async (_what, output) => {
  const cwd = folder('long')
  const { code, stderr } = await fakeCliHere(['predict', 'clip.mp4', ...weights, ...output], { cwd, env })
  expect(stderr).toMatch(/^diffsal: Cannot write '.*its name is too long\.$/m)
  expect(code).toBe(6)
  expect(readdirSync(cwd)).toEqual(['clip.mp4'])
})

test.each([
  ['predict', 'rtsp://camera/1', /it does not exist: of addresses only http: and https: are read, so save it to a file first\.$/m],
  ['predict', 'frame-%04d.png', /a pattern is not taken for several\.$/m],
  // Of predict it is many videos.
  ['shots', '*.mp4', /a pattern is not taken for several\.$/m],
  ['predict', 'missing.mp4', /Cannot read 'missing\.mp4': it does not exist\.$/m],
])('%s of the input %s: neither a file nor an address', async (command, input, message) => {
  const { code, stderr } = await fakeCliHere([command, ...(command === 'predict' ? weights : []), '--', input], { cwd: folder('local') })
  expect(stderr).toMatch(message)
  expect(code).toBe(3)
})

test('an animated WebP is named as what ffmpeg cannot read', async () => {
  const cwd = folder('webp')
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=64x48:r=10:d=1', '-c:v', 'libwebp_anim', join(cwd, 'a.webp'))
  const { code, stderr } = await fakeCliHere(['predict', 'a.webp', ...weights], { cwd, env: { DIFFSAL_FFMPEG: bundledFfmpeg } })
  expect(stderr).toMatch(/'a\.webp' is an animated WebP, which ffmpeg cannot read; convert it/)
  expect(code).toBe(3)
})

test('messages never show a temporary name', () => {
  const name = '/x/.diffsal-0123456789ab.tmp'
  for (const message of [`EIO: i/o error, open '${name}'`, `EXDEV: cross-device link not permitted, rename '${name}' -> '/x/o.mp4'`, 'EIO: i/o error, write']) {
    const error = fileError('write', 'o.mp4', Object.assign(new Error(message), { code: message.split(':')[0] }))
    expect(error.message).toMatch(/^Cannot write 'o\.mp4': E\w+: [a-z/ -]+\.$/)
  }
})
