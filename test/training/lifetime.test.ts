import { beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, type PartialDiffSalConfig } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { MB, settledMemory } from '../support/memory.ts'
import { expectEnd, runProgram } from '../support/run-program.ts'
import { trainingBatch, trainingConfig, trainingRun } from '../support/training.ts'

const batch = trainingBatch()
/** Of about 90 MB of weights, which training makes five times as much. */
const wide: PartialDiffSalConfig = { ...trainingConfig, unetWidth: 256, videoEncoder: { embedDim: 64, depth: 4, downscaleAt: [1, 2, 3] } }

// What libtorch keeps for itself from its first use on.
beforeAll(async () => {
  await using model = await DiffSal.create(wide, trainingRun)
  await model.predict({ frames: batch.frames, mel: batch.mel }, { steps: 1 })
  await using trainer = model.trainer({ ema: 0.9 })
  await trainer.step(batch)
})

// First, while no other test has left anything to be collected.
describe('a model that is disposed', () => {
  it('does what was asked of its trainers before, and frees them with it', async () => {
    const before = await settledMemory()
    const model = await DiffSal.create(wide, trainingRun)
    const trainer = model.trainer({ ema: 0.9 })
    await trainer.step(batch)
    const pending = [trainer.step(batch), model.predict({ frames: batch.frames, mel: batch.mel }, { steps: 1 }), trainer.step(batch)]
    const during = await settledMemory()
    expect(during - before).toBeGreaterThan(200 * MB)
    await Promise.all([model.dispose(), trainer.dispose(), ...pending])
    expect((await settledMemory()) - before).toBeLessThan(120 * MB)
    expect([trainer.disposed, trainer.steps]).toEqual([true, 3])
    await expectDiffSalError(() => trainer.step(batch), 'ERR_DIFFSAL_DISPOSED', 'trainer')
  })

  it('leaves nothing of a trainer that is disposed before it', async () => {
    const model = await DiffSal.create(wide, trainingRun)
    const before = await settledMemory()
    const trainer = model.trainer({ ema: 0.9 })
    await trainer.step(batch)
    expect((await settledMemory()) - before).toBeGreaterThan(200 * MB)
    await trainer.dispose()
    expect((await settledMemory()) - before).toBeLessThan(120 * MB)
    await model.dispose()
  })
})

describe('a step that is aborted', () => {
  it('is done where it resolves, and not where it rejects, whenever the abort came', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer()
    await trainer.step(batch)
    const begin = performance.now()
    await trainer.step(batch)
    const whole = performance.now() - begin
    let aborted = 0
    for (let i = 0; i < 40; i++) {
      const controller = new AbortController()
      // Most of them in its last part, in which the weights are changed.
      setTimeout(() => controller.abort('enough'), whole * (0.6 + i / 80))
      await trainer.step(batch, { signal: controller.signal }).catch((reason: unknown) => {
        expect(reason).toBe('enough')
        aborted += 1
      })
      const before = trainer.steps
      expect((await trainer.step(batch)).step).toBe(before + 1)
    }
    expect(aborted).toBeGreaterThan(0)
    expect(aborted).toBeLessThan(40)
  })

  it('ends on the way back through the network too', async () => {
    await using model = await DiffSal.create(wide, trainingRun)
    const trainer = model.trainer()
    const large = trainingBatch(8)
    await trainer.step(large)
    const begin = performance.now()
    await trainer.step(large)
    const whole = performance.now() - begin
    // The forward pass is the first third; the gradient is then on its way for most of the rest.
    const rests = []
    for (const part of [0.4, 0.5, 0.6]) {
      const controller = new AbortController()
      let at = Infinity
      setTimeout(() => {
        at = performance.now()
        controller.abort('enough')
      }, whole * part)
      await expect(trainer.step(large, { signal: controller.signal })).rejects.toBe('enough')
      rests.push((performance.now() - at) / whole)
    }
    expect(Math.min(...rests)).toBeLessThan(0.15)
    expect(trainer.steps).toBe(2)
  })
})

describe('a trainer', () => {
  it('keeps the model that nobody else holds, while it steps', async () => {
    for (let i = 0; i < 5; i++) {
      const step = (await DiffSal.create(trainingConfig, trainingRun)).trainer().step(batch)
      await settledMemory()
      expect((await step).step).toBe(1)
    }
  })

  it('ends with its process in the middle of a step', async () => {
    for (const ended of await Promise.all([runProgram('exit.mjs', ['train']), runProgram('exit.mjs', ['train'])])) {
      expectEnd(ended, 7)
      expect(ended.stdout).toBe('now\n')
      expect(ended.after).toBeLessThan(5000)
    }
  })
})
