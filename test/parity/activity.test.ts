import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, type Features, type Tensor } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { inputsOf, networkCase, readGolden, type NetworkCase } from '../support/fixtures.ts'
import { testDevice } from '../support/test-device.ts'
import { testWeights } from '../support/test-weights.ts'

/** A case that keeps every n-th channel of each stage's factor at the last of its steps, and the mean over all of them. */
type ActivityCase = Pick<NetworkCase, 'inputs' | 'salt' | 'steps' | 'size' | 'dialect' | 'attention'> & { readonly every: number }

/** What may lie between a factor, 0 to 1, and its golden value. */
const tolerance = 1e-4

// The golden values are the reference program's, in PyTorch, with eq. 9's factor kept as its interaction makes it.
describe.each(['activity-paper-av', 'activity-released-av', 'activity-paper-none'])('%s', (name) => {
  const given = networkCase(name) as unknown as ActivityCase
  const { size, dialect, attention, every, steps } = given
  const { x, conditions } = inputsOf(given)
  const sampling = { steps: steps[0]!, noise: x }
  let model: DiffSal
  let features: Features

  beforeAll(async () => {
    model = await DiffSal.load(await testWeights({ size, ...(dialect && { dialect }), ...(attention && { attention }) }), { device: testDevice })
    features = await model.encode(conditions)
  })

  afterAll(async () => {
    features?.dispose()
    await model?.dispose()
  })

  it('has the golden factor of every stage, coarse to fine', async () => {
    const golden = await readGolden(name)
    const { activity } = await model.predict(features, { ...sampling, activity: true })
    expect(activity!.map(({ dtype, shape }) => [dtype, ...shape])).toEqual([
      ['float32', 2, 768, 2, 3],
      ['float32', 2, 384, 4, 6],
      ['float32', 2, 192, 8, 12],
      ['float32', 2, 96, 16, 24],
    ])
    for (const [i, stage] of activity!.entries()) {
      expectClose(someChannels(stage, every), golden(`activity.${i}`), tolerance)
      expectClose(meanChannel(stage), golden(`mean.${i}`), tolerance)
    }
  })

  it('changes no bit of the map, nor of the estimates', async () => {
    const plain = await model.predict(features, { ...sampling, estimates: true })
    const told = await model.predict(features, { ...sampling, estimates: true, activity: true })
    expect(plain).not.toHaveProperty('activity')
    expectClose(told.map, plain.map, 0)
    expectClose(told.estimates!, plain.estimates!, 0)
    expect(told.activity).toHaveLength(4)
  })
})

function someChannels({ shape, data }: Tensor<'float32'>, every: number): Tensor<'float32'> {
  const [batch, channels, height, width] = shape as [number, number, number, number]
  const pixels = height * width
  const kept = Math.ceil(channels / every)
  const some = new Float32Array(batch * kept * pixels)
  for (let i = 0; i < batch * kept; i++) {
    const from = (Math.floor(i / kept) * channels + (i % kept) * every) * pixels
    some.set(data.subarray(from, from + pixels), i * pixels)
  }
  return { dtype: 'float32', shape: [batch, kept, height, width], data: some }
}

function meanChannel({ shape, data }: Tensor<'float32'>): Tensor<'float32'> {
  const [batch, channels, height, width] = shape as [number, number, number, number]
  const pixels = height * width
  const mean = new Float32Array(batch * pixels)
  for (let i = 0; i < data.length; i++) mean[Math.floor(i / (channels * pixels)) * pixels + (i % pixels)]! += data[i]! / channels
  return { dtype: 'float32', shape: [batch, height, width], data: mean }
}
