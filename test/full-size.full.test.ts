import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, type Tensor } from '../lib/index.ts'
import { MB, processMemory } from './support/memory.ts'
import { testInput } from './support/test-values.ts'

const draw = (name: string, shape: number[]): Tensor<'float32'> => ({ dtype: 'float32', shape, data: testInput(name, shape) })

// This file has a process of its own, so the kernel's high-water mark is that of a program that loads a model and uses it.
describe('a prediction at the full size', () => {
  const conditions = { frames: draw('frames', [1, 3, 16, 224, 384]), mel: draw('mel', [1, 1, 9, 112, 192]) }
  let model: DiffSal

  beforeAll(async () => {
    model = await DiffSal.create({}, { seed: 1 })
  })
  afterAll(() => model?.dispose())

  it('stays under 2.5 GB of memory', async () => {
    const map = await model.predict(conditions, { steps: 4, seed: 1 })
    expect(map.shape).toEqual([1, 1, 224, 384])
    expect(processMemory('VmHWM')).toBeLessThan(2500 * MB)
  })

  it('leaves the event loop at most 20 ms late, at the 99th percentile', { retry: 3 }, async () => {
    const resolution = 5
    const delay = monitorEventLoopDelay({ resolution })
    delay.enable()
    await model.predict(conditions, { steps: 4, seed: 1 })
    delay.disable()
    // Each sample is the time between two ticks of a timer, so its lateness is what is above the timer's period.
    const late = (nanoseconds: number) => nanoseconds / 1e6 - resolution
    expect(delay.count).toBeGreaterThan(100)
    // A percentile of ticks counts a long stall once, so the longest is bounded too. What else runs on the machine can make both late: hence the retries.
    expect(late(delay.max)).toBeLessThan(500)
    expect(late(delay.percentile(99)), `at most ${late(delay.max).toFixed(1)} ms late, of ${delay.count} ticks`).toBeLessThanOrEqual(20)
  })
})
