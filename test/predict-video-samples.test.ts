import { expect, test } from 'vitest'
import { DiffSal, type PredictVideoOptions, type VideoMap } from '../lib/index.ts'
import { predictVideo } from '../lib/predict-video.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { ffmpeg, picture, tone } from './support/media.ts'
import { temporaryPath } from './support/temporary.ts'
import { lightConfig } from './support/tiny-config.ts'

async function clip(): Promise<string> {
  const path = temporaryPath('clip.mkv')
  await ffmpeg(...picture('96x64', '10', 0.5), ...tone(0.5), '-c:v', 'ffv1', '-c:a', 'pcm_s16le', path)
  return path
}

async function collect(model: DiffSal, path: string, options: PredictVideoOptions): Promise<VideoMap[]> {
  const all: VideoMap[] = []
  for await (const map of model.predictVideo(path, { steps: 2, ...options })) all.push(map)
  return all
}

test('with uncertainty, each frame has the mean and the deviation of its samples, in a batch too', async () => {
  const path = await clip()
  await using model = await DiffSal.create(lightConfig, { seed: 3, threads: 1 })
  const samples = await Promise.all([7, 8, 9].map((seed) => collect(model, path, { seed })))
  for (const batch of [1, 2]) {
    const maps = await collect(model, path, { seed: 7, uncertainty: 3, batch })
    expect(maps.map(({ frame }) => frame)).toEqual([0, 1, 2, 3, 4])
    for (const [k, { tensor, uncertainty }] of maps.entries()) {
      expect([tensor.shape, uncertainty!.shape]).toEqual([
        [1, 1, 64, 96],
        [1, 1, 64, 96],
      ])
      let apart = 0
      for (let i = 0; i < 64 * 96; i += 37) {
        const values = samples.map((maps) => maps[k]!.tensor.data[i]!)
        const mean = values.reduce((a, b) => a + b) / 3
        const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3)
        expect(Math.abs(tensor.data[i]! - mean)).toBeLessThan(1e-5)
        expect(Math.abs(uncertainty!.data[i]! - deviation)).toBeLessThan(1e-5)
        apart = Math.max(apart, deviation)
      }
      expect(apart, 'the samples differ').toBeGreaterThan(1e-4)
    }
  }
})

test('with mirror, each frame has the mean of its map and of the mirrored window’s', async () => {
  const [path, turned] = [await clip(), temporaryPath('turned.mkv')]
  await ffmpeg('-i', path, '-vf', 'hflip', '-c:v', 'ffv1', '-c:a', 'copy', turned)
  await using model = await DiffSal.create(lightConfig, { seed: 3, threads: 1 })
  const [one, other, both] = await Promise.all([
    collect(model, path, { seed: 7 }),
    collect(model, turned, { seed: 7 }),
    collect(model, path, { seed: 7, batch: 2, mirror: true }),
  ])
  expect(both.map(({ frame }) => frame)).toEqual([0, 1, 2, 3, 4])
  let apart = 0
  for (const [k, { tensor }] of both.entries()) {
    for (let i = 0; i < 64 * 96; i += 37) {
      const back = other[k]!.tensor.data[i + 95 - 2 * (i % 96)]!
      expect(Math.abs(tensor.data[i]! - (one[k]!.tensor.data[i]! + back) / 2)).toBeLessThan(1e-4)
      apart = Math.max(apart, Math.abs(tensor.data[i]! - back))
    }
  }
  expect(apart).toBeGreaterThan(1e-3)
  const told: string[] = []
  await collect(model, path, { mirror: true, stride: 2, onProgress: ({ maps, step, steps }) => told.push(`${maps}: ${step} of ${steps}`) })
  expect(told).toEqual([0, 1, 2].flatMap((maps) => [1, 2, 3, 4].map((step) => `${maps}: ${step} of 4`)))
  for (const options of [{ estimates: true }, { uncertainty: 2 }, { activity: true }]) {
    await expectDiffSalError(() => collect(model, path, { mirror: true, ...options }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'mirror'")
  }
})

test("with estimates, each frame has every step's, the last of which is its map", async () => {
  const path = await clip()
  await using model = await DiffSal.create(lightConfig, { seed: 3, threads: 1 })
  const [plain, single, pair] = await Promise.all(
    [{}, { estimates: true }, { estimates: true, batch: 2 }].map((options) => collect(model, path, { seed: 7, ...options })),
  )
  expect(plain!.every((map) => !('estimates' in map) && !('uncertainty' in map))).toBe(true)
  for (const [k, { tensor, estimates }] of pair!.entries()) {
    expect(estimates!.shape).toEqual([2, 1, 1, 64, 96])
    const last = estimates!.data.subarray(64 * 96)
    for (let i = 0; i < last.length; i += 41) {
      expect(last[i]).toBe(tensor.data[i])
      expect(Math.abs(estimates!.data[i]! - single![k]!.estimates!.data[i]!)).toBeLessThan(1e-4)
      expect(Math.abs(tensor.data[i]! - plain![k]!.tensor.data[i]!)).toBeLessThan(1e-4)
    }
  }
})

test('the model is asked once a batch, however many samples are wanted', async () => {
  const path = await clip()
  await using model = await DiffSal.create(lightConfig, { seed: 3, threads: 1 })
  const asked: unknown[] = []
  const counting = { config: model.config, predict: (...args: Parameters<DiffSal['predict']>) => (asked.push(args[1]), model.predict(...args)) }
  const maps = predictVideo(counting as unknown as DiffSal, path, { batch: 5, uncertainty: 4, steps: 1, seed: 1 })
  for await (const { uncertainty } of maps) expect(uncertainty).toBeDefined()
  expect(asked).toMatchObject([{ uncertainty: 4 }])
})

test('what cannot be is refused before the file is read', async () => {
  await using model = await DiffSal.create(lightConfig, { seed: 3, threads: 1 })
  for (const [options, name] of [
    [{ uncertainty: 1 }, 'uncertainty'],
    [{ estimates: 1 }, 'estimates'],
    [{ estimates: true, uncertainty: 2 }, 'estimates'],
  ] as const) {
    await expectDiffSalError(() => collect(model, '/nowhere.mp4', options as unknown as PredictVideoOptions), 'ERR_DIFFSAL_INVALID_ARGUMENT', `'${name}'`)
  }
})
