import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, logMel, type Features, type Tensor } from '../lib/index.ts'
import { predictVideo } from '../lib/predict-video.ts'
import { FakeModel } from './support/fake-model.ts'
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

  // What it waits for a processor, or for a process to begin, is the machine's; npm run bench:stalls tells that too.
  it('while six videos start at once: it never runs for long without a turn for others', { retry: 3 }, async () => {
    /** Milliseconds that this thread ran. */
    const ran = (): number => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6
    let [last, longest] = [ran(), 0]
    const timer = setInterval(() => {
      const now = ran()
      ;[longest, last] = [Math.max(longest, now - last), now]
    }, 1)
    const first = async (): Promise<number> => {
      for await (const { frame } of predictVideo(new FakeModel(), 'examples/speaker.mp4', { stride: 10 })) return frame
      return -1
    }
    try {
      expect(await Promise.all(Array.from({ length: 6 }, first))).toEqual([0, 0, 0, 0, 0, 0])
    } finally {
      clearInterval(timer)
    }
    expect(longest).toBeGreaterThan(0)
    expect(longest).toBeLessThan(50)
  })
})
