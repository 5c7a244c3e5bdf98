import { join } from 'node:path'
import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fakeCli, fakeCliHere } from '../../support/fake-cli.ts'
import { ffmpeg, tone } from '../../support/media.ts'
import { sceneClip } from '../../support/shot-clips.ts'
import { temporaryPath } from '../../support/temporary.ts'

const cli = fakeCli()

test('the shots of a video, as lines and as JSON', async () => {
  const path = await sceneClip('scenes.mkv', [
    ['bars', 50],
    ['test', 50],
  ])
  const { code, stdout, stderr } = await cli(['shots', path])
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `2 shots in '${path}':\n    0  video     frames 0 to 49          0.000 to 2.000 s\n    1  cut       frames 50 to 99         2.000 to 4.000 s\n`,
  })
  expect(stderr).toMatch(/^64 of about 100 frames, .* frames\/s/)
  // Counted from before the first frame: ffmpeg takes longer than 3 ms.
  expect(Number(/, (\S+) frames\/s/.exec(stderr)![1])).toBeLessThan(20_000)
  const json = await fakeCliHere(['shots', path, '--json', '--flash', '0.5'])
  expect(JSON.parse(json.stdout)).toEqual({
    input: path,
    shots: [
      { shot: 0, begins: 'video', frame: 0, frames: 50, start: 0, end: 2 },
      { shot: 1, begins: 'cut', frame: 50, frames: 50, start: 2, end: 4 },
    ],
    warnings: [],
  })
})

test('what cannot be', async () => {
  const folder = temporaryPath('bad')
  mkdirSync(folder)
  await ffmpeg(...tone(1), join(folder, 'sound.wav'))
  expect(await fakeCliHere(['shots', 'nowhere.mp4'])).toMatchObject({ code: 3 })
  expect(await fakeCliHere(['shots', 'sound.wav'], { cwd: folder })).toMatchObject({ code: 3, stderr: expect.stringMatching(/no video stream/) })
  expect(await fakeCliHere(['shots', 'sound.wav', '--threshold', '0'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/from 1 to 255/) })
})

test('predict --shots is told in the report', async () => {
  const path = await sceneClip('told.mkv', [
    ['bars', 10],
    ['test', 10],
  ])
  const args = ['predict', path, '--weights', 'any.safetensors', '--video-only', '--maps', temporaryPath('m.npy'), '--json']
  expect(JSON.parse((await fakeCliHere([...args, '--shots'])).stdout)).toMatchObject({ maps: 20, shots: true })
  expect(JSON.parse((await fakeCliHere(args)).stdout)).not.toHaveProperty('shots')
})
