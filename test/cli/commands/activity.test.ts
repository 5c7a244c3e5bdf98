import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { DiffSal, maps } from '../../../lib/index.ts'
import { openNpy } from '../../../lib/media/read-npy.ts'
import { probe } from '../../../lib/media/probe.ts'
import { expectClose } from '../../support/expect-close.ts'
import { inProcessCli } from '../../support/in-process-cli.ts'
import { ffmpeg, tone } from '../../support/media.ts'
import { temporaryPath } from '../../support/temporary.ts'
import { testWeights } from '../../support/test-weights.ts'
import { lightConfig } from '../../support/tiny-config.ts'

let [clip, weights, folder] = ['', '', '']
beforeAll(async () => {
  folder = temporaryPath('activity')
  mkdirSync(folder)
  clip = join(folder, 'clip.mp4')
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=25:d=0.4', ...tone(0.4), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', clip)
  weights = await testWeights(lightConfig)
})

const predict = (...args: string[]) =>
  inProcessCli(['predict', clip, '--weights', weights, '--steps', '1', '--seed', '1', '--stride', '4', '--threads', '1', ...args])

test('--activity writes the maps of where the model hears something, in place of its saliency', async () => {
  const [activity, saliency] = [join(folder, 'activity.npy'), join(folder, 'saliency.npy')]
  const { code, stdout, stderr } = await predict('--activity', '--maps', activity, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/sound/) })
  expect(JSON.parse(stdout)).toMatchObject({ activity: true, maps: 3, mapSize: [64, 96], outputs: [{ kind: 'npy', path: activity }] })
  expect((await predict('--maps', saliency)).code).toBe(0)
  const [written, other] = [await openNpy(activity), await openNpy(saliency)]
  expect([written.count, written.size]).toEqual([3, [64, 96]])
  await using model = await DiffSal.load(weights, { threads: 1 })
  const wanted = model.predictVideo(clip, { activity: true, steps: 1, seed: 1, stride: 4 })
  const usual = other.maps()
  for await (const map of written.maps()) {
    const { value } = await wanted.next()
    const expected = maps.activity(value!.activity!, { size: [64, 96] })
    expectClose({ dtype: 'float32', shape: [64, 96], data: Float32Array.from(map.data) }, expected, 1e-6)
    // 1 is no more than the rest of a row, whose mean it is; saliency is another map.
    expect(expected.data.reduce((sum, one) => sum + one, 0) / expected.data.length).toBeCloseTo(1, 1)
    expect(Array.from((await usual.next()).value!.data as Float32Array)).not.toEqual(Array.from(map.data))
  }
  await usual.return(undefined)
  await wanted.return()
})

test('a video of it is an overlay with a name of its own, and the sound', async () => {
  const output = join(folder, 'over.mp4')
  expect(await predict('--activity', '-o', output)).toMatchObject({ code: 0, stdout: expect.stringMatching(/Wrote the overlay video '.*over\.mp4'/) })
  const info = await probe(output)
  expect(info.video).toMatchObject({ width: 160, height: 90 })
  expect(info.audio).not.toBeNull()
})

test('--mirror, of usual maps, takes the mean with those of the mirrored video', async () => {
  const [both, turned] = [join(folder, 'both.npy'), join(folder, 'turned.npy')]
  const { code, stdout } = await predict('--mirror', '--maps', both, '--json')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ mirror: true, steps: 1, maps: 3 })
  expect((await predict('--activity', '--mirror', '--maps', turned)).stderr).toMatch(/'--mirror'|'mirror'/)
  await using model = await DiffSal.load(weights, { threads: 1 })
  const wanted = model.predictVideo(clip, { mirror: true, steps: 1, seed: 1, stride: 4 })
  for await (const map of (await openNpy(both)).maps()) {
    expectClose({ dtype: 'float32', shape: [1, 1, 64, 96], data: Float32Array.from(map.data) }, (await wanted.next()).value!.tensor, 1e-6)
  }
  expect((await wanted.next()).done).toBe(true)
  expect(existsSync(turned)).toBe(false)
})

test('it needs the sound, and a network that compares the two: else nothing is written', async () => {
  const before = readdirSync(folder)
  const none = join(folder, 'none.npy')
  expect(await predict('--activity', '--video-only', '--maps', none)).toMatchObject({ code: 2, stderr: expect.stringMatching(/activity/) })
  const off = await testWeights({ ...lightConfig, interaction: 'off' })
  const { code, stderr } = await inProcessCli(['predict', clip, '--weights', off, '--steps', '1', '--activity', '--maps', none])
  expect([code, stderr]).toEqual([2, expect.stringMatching(/activity.*mim|mim.*activity/)])
  expect(existsSync(none)).toBe(false)
  expect(readdirSync(folder)).toEqual(before)
})
