import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, type Features, type Tensor } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { configOf, inputsOf, networkCase, readGolden } from '../support/fixtures.ts'
import { testDevice } from '../support/test-device.ts'
import { testWeights } from '../support/test-weights.ts'

/** What may lie between a result and its golden value. Of bfloat16, twice what was seen of any case on a CPU with AVX-512's bfloat16 products. */
const tolerances = { float32: { map: 1e-4, feature: 1e-3 }, bfloat16: { map: 0.04, feature: 0.45 } }

interface Kept {
  readonly video?: string
  readonly audio?: boolean
}

/** What is looked at in a precision. */
interface Parts {
  /** Whether to sample with the case's first number of steps alone. */
  readonly short: boolean
  /** Whether to predict from the clip too, which is encoding and sampling once more. */
  readonly fromClip: boolean
}

type Extent = Partial<Readonly<Record<'float32' | 'bfloat16', Parts>>>

const whole: Parts = { short: false, fromClip: true }
/** A processor without products of bfloat16 is ten times as slow in it: all of it is for the nightly tests. */
const usual: Extent = { float32: whole, bfloat16: { short: true, fromClip: false } }
export const ofFullSize: Extent = { float32: { short: false, fromClip: false } }
export const nightly: Extent = { float32: whole, bfloat16: whole }

/**
 * Holds one network case to its golden values. `video` names the case that keeps the video's feature maps (cases with
 * the same encoder and frames share them), `audio` says that this one keeps the sound's.
 */
export function checkNetwork(name: string, kept: Kept = {}, extent = usual): void {
  for (const precision of ['float32', 'bfloat16'] as const) {
    const parts = extent[precision]
    if (parts) describe(`in ${precision}`, () => checkPrecision(name, kept, precision, parts))
  }
}

function checkPrecision(name: string, { video, audio = false }: Kept, precision: 'float32' | 'bfloat16', { short, fromClip }: Parts): void {
  const tolerance = tolerances[precision]
  const network = networkCase(name)
  const { audio: hasAudio = true } = network
  const { x, conditions } = inputsOf(network)
  let golden: (tensor: string) => Tensor
  let model: DiffSal
  let features: Features

  beforeAll(async () => {
    golden = await readGolden(name)
    model = await DiffSal.load(await testWeights(configOf(network)), { device: testDevice, precision, threads: 2 })
    features = await model.encode(conditions)
  })

  afterAll(async () => {
    await features?.dispose()
    await model?.dispose()
  })

  it('has the golden number of parameters', () => {
    const learned = model.parameters().filter(({ buffer }) => !buffer)
    expect(learned.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(network.parameters)
  })

  if (video !== undefined) {
    it.each([0, 1, 2, 3])('has the golden video map %i, coarse to fine', async (i) => {
      const maps = (await features.tensors()).video
      expect(maps).toHaveLength(4)
      expectClose(maps[i]!, (await readGolden(video))(`video.${i}`), tolerance.feature)
    })
  }

  if (audio) {
    it('has the golden audio map', async () => {
      const map = (await features.tensors()).audio
      if (map === null) expect.fail('there is no audio map')
      expectClose(map, golden('audio'), tolerance.feature)
    })
  }

  if (!hasAudio) {
    it('has no audio map', async () => {
      expect((await features.tensors()).audio).toBeNull()
    })
  }

  it('denoises to the golden map', async () => {
    expectClose(await model.denoise(x, network.t, features), golden('denoised'), tolerance.map)
  })

  it.each(short ? network.steps.slice(0, 1) : network.steps)('samples the golden map in %i steps', async (steps) => {
    expectClose(await model.predict(features, { steps, noise: x }), golden(`ddim.${steps}`), tolerance.map)
  })

  if (fromClip) {
    it('predicts from the clip what it predicts from its features', async () => {
      const steps = network.steps[0]!
      expectClose(await model.predict(conditions, { steps, noise: x }), golden(`ddim.${steps}`), tolerance.map)
    })
  }
}
