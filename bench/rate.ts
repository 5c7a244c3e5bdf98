import { performance } from 'node:perf_hooks'
import type { ClipInput, DiffSal } from '../lib/index.ts'

/** Clips a second of `count` calls with one input, where a call waits while one runs, as in a video. */
export async function clipsPerSecond(model: DiffSal, input: ClipInput, steps: number, batch: number, count: number): Promise<number> {
  const call = () => model.predict(input, { steps, seed: 1 })
  for (let i = 0; i < 3; i++) await call()
  const start = performance.now()
  let before = call()
  for (let i = 1; i < count; i++) {
    const next = call()
    await before
    before = next
  }
  await before
  return (count * batch) / ((performance.now() - start) / 1000)
}
