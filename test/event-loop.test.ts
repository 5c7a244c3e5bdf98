import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, logMel, type Features, type Tensor } from '../lib/index.ts'
import { temporaryPath } from './support/temporary.ts'

// What a prediction does to the event loop is measured at the full size, elsewhere; here is all the rest that takes its time.
const path = temporaryPath('full.safetensors')
let model: DiffSal
let features: Features

beforeAll(async () => {
  model = await DiffSal.create({}, { seed: 1, threads: 1 })
  await model.save(path)
  const zeros = (...shape: number[]): Tensor<'float32'> => ({ dtype: 'float32', shape, data: new Float32Array(shape.reduce((a, b) => a * b)) })
  features = await model.encode({ frames: zeros(1, 3, 16, 224, 384), mel: zeros(1, 1, 9, 112, 192) })
})
afterAll(() => model?.dispose())

describe('the event loop stays free', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a network of 77 million parameters is made', async () => (await DiffSal.create({}, { seed: 2, threads: 1 })).dispose()],
    ['it is saved', () => model.save(path)],
    ['it is loaded', async () => (await DiffSal.load(path, { threads: 1 })).dispose()],
    ['features of the full size are copied', () => features.tensors()],
    ['20 s of sound are analysed', () => logMel(new Float32Array(20 * 48000), { sampleRate: 48000 })],
  ])('while %s', { retry: 3 }, async (_, work) => {
    const resolution = 5
    const delay = monitorEventLoopDelay({ resolution })
    delay.enable()
    const start = performance.now()
    // A short job is done several times, for a percentile to mean something.
    while (performance.now() - start < 600) await work()
    delay.disable()
    const late = (nanoseconds: number) => nanoseconds / 1e6 - resolution
    expect(delay.count).toBeGreaterThan(50)
    expect(late(delay.max)).toBeLessThan(500)
    expect(late(delay.percentile(95)), `at most ${late(delay.max).toFixed(1)} ms late, of ${delay.count} ticks`).toBeLessThanOrEqual(20)
  })
})
