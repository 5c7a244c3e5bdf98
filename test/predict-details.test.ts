import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sampleMap } from '../examples/own-sampler.ts'
import { DiffSal, schedule, type Features, type Tensor } from '../lib/index.ts'
import { expectClose } from './support/expect-close.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { tinyConfig } from './support/tiny-config.ts'
import { tinyInputs } from './support/tiny-inputs.ts'

const { frames, mel, noise } = tinyInputs()
let model: DiffSal
let features: Features

beforeAll(async () => {
  model = await DiffSal.create(tinyConfig, { seed: 3 })
  features = await model.encode({ frames, mel })
})
afterAll(() => model.dispose())

describe('estimates', () => {
  it('are the clean map as each step sees it, and the last is the map', async () => {
    const steps = 3
    const { map, estimates } = await model.predict(features, { steps, noise, estimates: true })
    expect(estimates!.shape).toEqual([steps, 1, 1, 64, 96])
    const estimate = (i: number): Tensor<'float32'> => ({
      dtype: 'float32',
      shape: [1, 1, 64, 96],
      data: estimates!.data.slice(i * 6144, (i + 1) * 6144),
    })
    expectClose(estimate(0), await model.denoise(noise, schedule.ddimTimes(steps)[0]![0], features), 0)
    expectClose(estimate(steps - 1), map, 0)
    expectClose(map, await model.predict(features, { steps, noise }), 0)
  })
})

describe('uncertainty', () => {
  it('is the deviation over the seeds, and the map is their mean', async () => {
    const progress: number[] = []
    const samples = 4
    const options = { steps: 2, seed: 10, uncertainty: samples, onProgress: ({ step }: { step: number }) => progress.push(step) }
    const { map, uncertainty } = await model.predict({ frames, mel }, options)
    expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    const maps = await Promise.all(Array.from({ length: samples }, (_, k) => model.predict(features, { steps: 2, seed: 10 + k })))
    const mean = map.data.map((_, i) => maps.reduce((sum, each) => sum + each.data[i]!, 0) / samples)
    const deviation = mean.map((m, i) => Math.sqrt(maps.reduce((sum, each) => sum + (each.data[i]! - m) ** 2, 0) / samples))
    expectClose(map, { dtype: 'float32', shape: map.shape, data: mean }, 1e-6)
    expectClose(uncertainty!, { dtype: 'float32', shape: map.shape, data: deviation }, 1e-6)
    expect(Math.max(...deviation)).toBeGreaterThan(0)
  })

  it('is refused with what contradicts it', async () => {
    const invalid = (options: object, part: string) => expectDiffSalError(() => model.predict(features, options), 'ERR_DIFFSAL_INVALID_ARGUMENT', part)
    await invalid({ uncertainty: 1 }, 'uncertainty')
    await invalid({ uncertainty: 2.5 }, 'uncertainty')
    await invalid({ uncertainty: 2, noise }, 'noise')
    await invalid({ uncertainty: 2, estimates: true }, 'estimates')
    await invalid({ estimates: 'yes' }, 'estimates')
  })
})

describe('mirror', () => {
  /** With columns of `channels` values in the opposite order. */
  const turn = <D extends 'uint8' | 'float32'>({ dtype, shape, data }: Tensor<D>, width: number, channels: number): Tensor<D> => {
    const turned = data.slice() as Tensor<D>['data']
    data.forEach((value, at) => {
      const column = Math.floor(at / channels) % width
      turned[at + (width - 1 - 2 * column) * channels] = value
    })
    return { dtype, shape, data: turned }
  }

  it.each([
    ['frames', frames, 96, 1],
    ['pictures', { dtype: 'uint8', shape: [16, 5, 7, 3], data: Uint8Array.from({ length: 16 * 105 }, (_, i) => (i * 89) % 251) } as const, 7, 3],
  ] as const)('of %s gives the mean of the map and the mirrored clip’s, turned back', async (_, given, width, channels) => {
    const progress: string[] = []
    const [before, options] = [given.data.slice(), { steps: 2, seed: 5 }]
    const map = await model.predict({ frames: given, mel }, { ...options, mirror: true, onProgress: ({ step, steps }) => progress.push(`${step} of ${steps}`) })
    expect(progress).toEqual(['1 of 4', '2 of 4', '3 of 4', '4 of 4'])
    expect(given.data).toEqual(before)
    const one = await model.predict({ frames: given, mel }, options)
    const back = turn(await model.predict({ frames: turn(given as Tensor<'float32'>, width, channels), mel }, options), 96, 1)
    expectClose(map, { ...one, data: one.data.map((value, i) => (value + back.data[i]!) / 2) }, 1e-7)
    expect(map).toEqual(await model.predict({ frames: given, mel }, { ...options, mirror: true }))
    expect(one.data.some((value, i) => Math.abs(value - back.data[i]!) > 1e-3)).toBe(true)
  })

  it('takes the clip as it was when it was given', async () => {
    const own = <D extends 'float32'>(tensor: Tensor<D>): Tensor<D> => ({ ...tensor, data: tensor.data.slice() as Tensor<D>['data'] })
    const [eyes, ears, start] = [own(frames), own(mel), own(noise)]
    const pending = model.predict({ frames: eyes, mel: ears }, { steps: 1, noise: start, seed: 5, mirror: true })
    for (const { data } of [eyes, ears, start]) data.fill(0.5)
    expect(await pending).toEqual(await model.predict({ frames, mel }, { steps: 1, noise, seed: 5, mirror: true }))
  })

  it('ends between both', async () => {
    const stop = new AbortController()
    const steps: number[] = []
    const stopped = model.predict(
      { frames, mel },
      { steps: 1, mirror: true, signal: stop.signal, onProgress: ({ step }) => (steps.push(step), stop.abort(new Error('enough'))) },
    )
    await expect(stopped).rejects.toThrow('enough')
    expect(steps).toEqual([1])
  })

  it('is refused with what contradicts it', async () => {
    const clip = { frames, mel }
    const refused = (input: Parameters<typeof model.predict>[0], options: object) =>
      expectDiffSalError(() => model.predict(input, { mirror: true, ...options }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'mirror'")
    await refused(features, {})
    await refused(clip, { mirror: 1 })
    await refused(clip, { estimates: true })
    await refused(clip, { uncertainty: 2 })
    await refused(clip, { activity: true })
    await using ears = await DiffSal.create({ ...tinyConfig, video: false })
    await expectDiffSalError(() => ears.predict({ mel }, { mirror: true }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'mirror'")
  })
})

describe.each([
  ['mirror', { mirror: true }],
  ['uncertainty', { uncertainty: 3 }],
])('%s', (_, several) => {
  it('is one call: what is asked for after it comes after all of it', async () => {
    await using changing = await DiffSal.create(tinyConfig, { seed: 3 })
    const options = { steps: 1, seed: 5, ...several }
    const before = await changing.predict({ frames, mel }, options)
    const { name } = changing.parameters().find((one) => one.name.endsWith('decoder_net.conv_in.weight'))!
    const weight = await changing.parameter(name)
    const pending = changing.predict({ frames, mel }, options)
    const changed = changing.setParameter(name, {
      ...weight,
      data: weight.data.map((value) => -value) as Float32Array,
    } as Tensor<'float32'>)
    expect(await pending).toEqual(before)
    await changed
    const [last] = await Promise.all([changing.predict({ frames, mel }, options), changing.dispose()])
    expect(last).not.toEqual(before)
  })
})

describe('a sampler in TypeScript', () => {
  it("of the example gives the built-in sampler's map", async () => {
    expectClose(await sampleMap(model, features, noise, 4), await model.predict(features, { steps: 4, noise }), 1e-6)
  })

  it('adds the noise that eta asks for', () => {
    const [now, next, eta] = [749, 499, 0.7]
    const s0: Tensor<'float32'> = { ...noise, data: noise.data.map((value) => 1 / (1 + Math.exp(-value))) }
    const drawn: Tensor<'float32'> = { ...noise, data: noise.data.map((value) => -value) }
    const [a, b] = [schedule.alphaBars()[now]!, schedule.alphaBars()[next]!]
    const sigma = eta * Math.sqrt(((1 - a / b) * (1 - b)) / (1 - a))
    const expected = noise.data.map((x, i) => {
      const eps = (Math.sqrt(1 / a) * x - s0.data[i]!) / Math.sqrt(1 / a - 1)
      return Math.sqrt(b) * s0.data[i]! + Math.sqrt(1 - b - sigma ** 2) * eps + sigma * drawn.data[i]!
    })
    expectClose(schedule.ddimStep(noise, s0, now, next, { eta, noise: drawn }), { ...noise, data: expected }, 1e-5)
  })

  it('refuses a step that is none', async () => {
    const invalid = (step: () => unknown, part: string) => expectDiffSalError(step, 'ERR_DIFFSAL_INVALID_ARGUMENT', part)
    await invalid(() => schedule.ddimStep(noise, noise, 0, 0), 'now')
    await invalid(() => schedule.ddimStep(noise, noise, 10, 10), 'next')
    await invalid(() => schedule.ddimStep(noise, mel, 10, 1), 's0')
    await invalid(() => schedule.ddimStep(noise, noise, 10, 1, { eta: 0.5 }), 'noise')
  })
})
