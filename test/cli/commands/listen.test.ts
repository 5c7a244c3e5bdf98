import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { fakeCli, fakeCliHere } from '../../support/fake-cli.ts'
import { temporaryPath } from '../../support/temporary.ts'

const speaker = resolve('examples/speaker.mp4')
const cli = fakeCli({ addon: true })

test('says in words and figures what a model that looks alone makes of the sound, and draws the strip', async () => {
  const cwd = temporaryPath('listen')
  mkdirSync(cwd, { recursive: true })
  const { code, stdout, stderr } = await cli(['listen', speaker, '--weights', 'any.safetensors', '--frames', '3', '--seed', '4', '-o', 'strip.png'], { cwd })
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(stdout).toMatch(/^3 frames of '.*speaker\.mp4' in \d+ s, seed 4, shifted by 1 s: the model does not hear\.\n/)
  expect(stdout).toMatch(/^ {2}silence +0\.0000 +0\.0000/m)
  expect(stdout).toMatch(/No wrong sound changes its maps at least 2 times as much as with another seed\.\nWrote the strip 'strip\.png'/)
  expect(await sharp(join(cwd, 'strip.png')).metadata()).toMatchObject({ format: 'png', width: 3 * (192 + 4) - 4, height: 6 * (96 + 4) - 4 })
  const { stdout: json } = await fakeCliHere(['listen', speaker, '--weights', 'any.safetensors', '--frames', '2', '--seed', '4', '--json'], { cwd })
  expect(JSON.parse(json)).toMatchObject({
    hears: false,
    verdict: 'does not hear',
    changedBy: [],
    seed: 4,
    shift: 1,
    rule: { timesNoise: 2 },
    frames: [{ frame: 37 }, { frame: 111 }],
  })
})

test('refuses what is no picture, what cannot hear, and what is the input', async () => {
  const cwd = temporaryPath('refused')
  mkdirSync(cwd, { recursive: true })
  const failing = async (args: string[], options: object = {}) => (await fakeCliHere(['listen', speaker, ...args], { cwd, ...options })).stderr
  expect(await failing(['-o', 'strip.gif'])).toMatch(/'-o' must be a file that ends in \.png/)
  expect(await failing(['--frames', '1'])).toMatch(/--frames.*at least 2|from 2/)
  const wrongPart = await fakeCliHere(['listen', 'missing.mp4', '--start', '2', '--end', '1'], { cwd })
  expect(wrongPart).toMatchObject({ code: 2, stderr: expect.stringMatching(/'end' must be above 'start', 2, but 1 came/) })
  expect(await failing([], { config: { audio: false } })).toMatch(/'--weights' must be of a model that hears/)
  expect(existsSync(join(cwd, 'strip.gif'))).toBe(false)
})
