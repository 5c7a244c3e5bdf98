import { expect, it } from 'vitest'
import { DiffSal } from '../../lib/index.ts'
import { expectClose } from './expect-close.ts'
import { MB, settledMemory } from './memory.ts'
import { tinyInputs } from './tiny-inputs.ts'
import { trainingBatch, trainingConfig, trainingRun } from './training.ts'

// The whole network at a small size: its activations are what may leak, and at this size a leak shows within seconds.
const config = { size: [64, 96] as [number, number] }
const { frames, mel, noise } = tinyInputs()

/** Settled memory without what malloc keeps of freed tensors, which is tens of MB, more or less: closing any model gives it back. */
async function trimmedMemory(): Promise<number> {
  await (await DiffSal.create(trainingConfig, trainingRun)).dispose()
  return settledMemory()
}

/** How often a process does each of these. What leaks by more than 20 MB in so many is found. */
export interface SoakLength {
  readonly predictions: number
  readonly features: number
  readonly steps: number
}

/** Tests that a process does not grow. */
export function checkSoak({ predictions, features, steps }: SoakLength): void {
  it(`does not grow over ${predictions} predictions`, async () => {
    await using model = await DiffSal.create(config, { seed: 1 })
    for (let i = 0; i < 10; i++) await model.predict({ frames, mel }, { steps: 2, noise })
    const before = await trimmedMemory()
    for (let i = 0; i < predictions; i++) await model.predict({ frames, mel }, { steps: 2, noise })
    expect((await trimmedMemory()) - before).toBeLessThan(20 * MB)
  })

  // One clip's features are some 3 MB here.
  it.each(['disposed', 'forgotten'])(`frees ${features} features that were %s`, async (how) => {
    await using model = await DiffSal.create(config, { seed: 1 })
    const encode = async () => {
      const features = await model.encode({ frames, mel })
      if (how === 'disposed') await features.dispose()
    }
    for (let i = 0; i < 10; i++) await encode()
    const before = await trimmedMemory()
    for (let i = 0; i < features; i++) {
      await encode()
      if (i % 10 === 9) await settledMemory()
    }
    expect((await trimmedMemory()) - before).toBeLessThan(20 * MB)
  })

  // A step's graph is some 10 MB here.
  it(`does not grow over ${steps} training steps`, async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer({ ema: 0.9 })
    for (let i = 0; i < steps / 3; i++) await trainer.step(trainingBatch(2, i % 5))
    const before = await trimmedMemory()
    for (let i = 0; i < steps; i++) await trainer.step(trainingBatch(2, i % 5))
    expect((await trimmedMemory()) - before).toBeLessThan(20 * MB)
  })

  it('frees models that were disposed', async () => {
    const live = async () => {
      await using model = await DiffSal.create(config, { seed: 1 })
      await model.predict({ frames, mel }, { steps: 1, noise })
    }
    for (let i = 0; i < 2; i++) await live()
    const before = await trimmedMemory()
    for (let i = 0; i < 3; i++) await live()
    // A model is 308 MB.
    expect((await trimmedMemory()) - before).toBeLessThan(60 * MB)
  })

  it('runs two models at once, each as if alone', async () => {
    await using one = await DiffSal.create(config, { seed: 1 })
    await using two = await DiffSal.create(config, { seed: 2 })
    const predict = (model: DiffSal) => model.predict({ frames, mel }, { steps: 2, noise })
    const [first, second] = [await predict(one), await predict(two)]
    const maps = await Promise.all([predict(one), predict(two), predict(one), predict(two)])
    for (const [i, map] of maps.entries()) expectClose(map, i % 2 === 0 ? first : second, 0)
    expect(first.data).not.toEqual(second.data)
  })
}
