import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, schedule, type Features, type PartialDiffSalConfig, type Tensor } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { testWeights } from '../support/test-weights.ts'
import { lightConfig } from '../support/tiny-config.ts'
import { tinyInputs } from '../support/tiny-inputs.ts'

const { fround } = Math
const { frames, mel, noise } = tinyInputs(2)

/** Algorithm 2 with η = 0, written with what the package exports: eq. 3 at each pair of times. */
async function sample(model: DiffSal, features: Features, steps: number): Promise<Tensor<'float32'>> {
  const { timesteps: T, dialect } = model.config
  const bars = schedule.alphaBars(T)
  let x = noise
  for (const [now, next] of schedule.ddimTimes(steps, { T, dialect })) {
    const s0 = await model.denoise(x, now, features)
    if (next < 0) return s0
    const [a, b] = [bars[now]!, bars[next]!]
    const data = x.data.map((value, i) => {
      const epsilon = (fround(Math.sqrt(1 / a)) * value - s0.data[i]!) / fround(Math.sqrt(1 / a - 1))
      return fround(Math.sqrt(b)) * s0.data[i]! + fround(Math.sqrt(1 - b)) * epsilon
    })
    x = { ...x, data }
  }
  throw new Error('the times do not end at -1')
}

describe.each<[string, PartialDiffSalConfig]>([
  ['paper', {}],
  ['released', { dialect: 'released' }],
  ['paper of 50 times', { timesteps: 50 }],
])('DDIM of the %s', (_, change) => {
  let model: DiffSal
  let features: Features

  beforeAll(async () => {
    model = await DiffSal.load(await testWeights({ ...lightConfig, ...change }), { threads: 1 })
    features = await model.encode({ frames, mel })
  })
  afterAll(() => model?.dispose())

  it.each([1, 2, 4, 10])('written by hand gives the map of predict in %i steps', async (steps) => {
    expectClose(await sample(model, features, steps), await model.predict(features, { steps, noise }), 1e-6)
  })
})

describe('denoise', () => {
  it('gives for one time what it gives for as many of it', async () => {
    await using model = await DiffSal.load(await testWeights(lightConfig), { threads: 1 })
    using features = await model.encode({ frames, mel })
    const map = await model.denoise(noise, 700, features)
    expect(map.shape).toEqual([2, 1, 64, 96])
    expectClose(await model.denoise(noise, [700, 700], features), map, 0)
    expect(map.data.every((value) => value >= 0 && value <= 1)).toBe(true)
  })

  it('leaves the features as they are', async () => {
    await using model = await DiffSal.load(await testWeights(lightConfig), { threads: 1 })
    using features = await model.encode({ frames, mel })
    const before = await features.tensors()
    await model.denoise(noise, 10, features)
    const after = await features.tensors()
    for (const [i, map] of after.video.entries()) expectClose(map, before.video[i]!, 0)
    expectClose(after.audio!, before.audio!, 0)
  })
})
