import { expect, it } from 'vitest'
import { DiffSal } from '../lib/index.ts'
import { processMemory } from './support/memory.ts'
import { testInput } from './support/test-values.ts'

// The finest stage's 48 384 tokens attend to each other: a stored score map would take 19 GB.
it("standard cross-attention at the paper's size fits in 2.5 GB of memory", async () => {
  await using model = await DiffSal.create({ attention: 'sca', audio: false }, { seed: 1 })
  const shape = [1, 3, 16, 224, 384]
  const map = await model.predict({ frames: { dtype: 'float32', shape, data: testInput('frames', shape) } }, { steps: 1, seed: 1 })
  expect(map.shape).toEqual([1, 1, 224, 384])
  expect(processMemory('VmHWM')).toBeLessThan(2.5e9)
})
