import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, type Features, logMel, melSlices, type Tensor } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { tinyConfig } from '../support/tiny-config.ts'
import { spoilt, tinyInputs } from '../support/tiny-inputs.ts'

const { frames, mel, noise } = tinyInputs()
const invalid = (action: () => unknown, ...parts: (string | RegExp)[]) => expectDiffSalError(action, 'ERR_DIFFSAL_INVALID_ARGUMENT', ...parts)

let model: DiffSal
let features: Features
let before: Tensor<'float32'>

beforeAll(async () => {
  model = await DiffSal.create(tinyConfig, { seed: 1 })
  features = await model.encode({ frames, mel })
  before = await model.predict({ frames, mel }, { steps: 2, noise })
})

afterAll(async () => {
  // Nothing that was refused has left a trace.
  expectClose(await model.predict({ frames, mel }, { steps: 2, noise }), before, 0)
  await features.dispose()
  await model.dispose()
})

describe.each([NaN, Infinity, -Infinity])('%s', (value) => {
  it.each(['frames', 'mel'] as const)('is refused in %s', async (name) => {
    const spoiltInputs = { frames, mel, [name]: spoilt({ frames, mel }[name], value) }
    await invalid(() => model.predict(spoiltInputs), `'${name}`, 'finite', String(value))
    await invalid(() => model.encode(spoiltInputs), `'${name}`, 'finite')
  })

  it('is refused in the noise', async () => {
    await invalid(() => model.predict({ frames, mel }, { steps: 1, noise: spoilt(noise, value) }), 'noise', 'finite', String(value))
    await invalid(() => model.denoise(spoilt(noise, value), 500, features), "'x", 'finite')
  })

  it('is refused in sound', async () => {
    const samples = new Float32Array(16000)
    samples[8000] = value
    await invalid(() => logMel(samples, { sampleRate: 16000 }), 'samples', 'finite')
    await invalid(() => melSlices(samples, { size: [32, 48], slots: 9, sampleRate: 16000 }), 'samples', 'finite')
    await invalid(() => model.predict({ frames, audio: { samples, sampleRate: 16000 } }), 'samples', 'finite')
  })
})

describe.each([3e38, -3e38, 1e13])('%s, which overflows on its way,', (value) => {
  it('is refused by the name of what holds it', async () => {
    const name = (argument: string) => [`'${argument}`, 'from -1e12 to 1e12', value.toExponential().replace(/e(.)/, 'e$1'), 'at element'] as const
    for (const argument of ['frames', 'mel'] as const) {
      await invalid(() => model.predict({ frames, mel, [argument]: spoilt({ frames, mel }[argument], value) }), ...name(argument))
    }
    await invalid(() => model.predict(features, { noise: spoilt(noise, value) }), ...name('noise'))
    await invalid(() => model.denoise(spoilt(noise, value), 500, features), ...name('x'))
    await invalid(() => model.predict({ frames, audio: { samples: new Float32Array(16000).fill(value), sampleRate: 16000 } }), ...name('audio.samples'))
  })
})

it('values as great as are taken give a finite map', async () => {
  for (const input of [
    { frames: filled(frames, 1e12), mel },
    { frames, mel: filled(mel, -1e12) },
  ]) {
    const { data } = await model.predict(input, { steps: 2, noise: filled(noise, 1e12) })
    expect(data.every((value) => value >= 0 && value <= 1)).toBe(true)
  }
})

function filled(tensor: Tensor<'float32'>, value: number): Tensor<'float32'> {
  return { ...tensor, data: new Float32Array(tensor.data.length).map((_, i) => (i % 2 === 0 ? value : -value / 3)) }
}

describe('a tensor that is not what it says', () => {
  it.each(['frames', 'mel'] as const)('is refused as %s when its data does not fill its shape', async (name) => {
    const whole = { frames, mel }[name]
    const short = { frames, mel, [name]: { ...whole, data: whole.data.subarray(1) } }
    await invalid(() => model.predict(short), `'${name}`, `${whole.data.length} elements`, `${whole.data.length - 1} elements`)
  })

  it('is refused as noise when its data does not fill its shape', async () => {
    await invalid(() => model.predict({ frames, mel }, { noise: { ...noise, data: noise.data.subarray(1) } }), 'noise', '6144 elements')
    await invalid(() => model.denoise({ ...noise, data: new Float32Array(0) }, 1, features), "'x", '6144 elements')
  })

  it.each([
    ['no tensor', [1, 2, 3], 'a tensor'],
    ['another dtype', { ...frames, dtype: 'float64', data: new Float64Array(frames.data.length) }, 'float32'],
    ['an array of another type', { ...frames, data: new Float64Array(frames.data.length) }, 'Float32Array'],
    ['a plain array', { ...frames, data: [...frames.data] }, 'Float32Array'],
    ['a negative size', { ...frames, shape: [-1, 3, 16, 64, -96] }, 'non-negative'],
    ['a size that is no integer', { ...frames, shape: [0.5, 6, 16, 64, 96] }, 'integers'],
    ['other dimensions', { ...frames, shape: [3, 16, 64, 96] }, '3, 16, 64, 96'],
    ['another channel count', { ...frames, shape: [3, 1, 16, 64, 96] }, '3, 1, 16, 64, 96'],
    ['another height and width', { ...frames, shape: [1, 3, 16, 96, 64] }, '96, 64'],
  ])('is refused as frames: %s', async (_, value, part) => {
    await invalid(() => model.predict({ frames: value as Tensor<'float32'>, mel }), "'frames", part)
  })

  it('is refused when batches differ', async () => {
    const two = tinyInputs(2)
    await invalid(() => model.encode({ frames: two.frames, mel }), /frames|mel/)
    await invalid(() => model.predict({ frames, mel }, { noise: two.noise }), 'noise')
    await invalid(() => model.denoise(two.noise, 500, features), "'x")
    await invalid(() => model.denoise(noise, [500, 10], features), "'t'")
  })

  it('is refused when one that is needed is missing', async () => {
    await invalid(() => model.predict({ mel } as never), 'frames')
    await invalid(() => model.encode({ frames } as never), /mel|audio/)
    await invalid(() => model.predict(undefined as never))
  })
})

describe('a number outside its range', () => {
  it.each([0, 1001, 1.5, -1, NaN, Infinity, '4', null])('is refused as steps: %s', async (steps) => {
    await invalid(() => model.predict(features, { steps: steps as number, noise }), 'steps', '1 to 1000')
  })

  it.each([-1, 1000, 1.5, NaN, '4'])('is refused as t: %s', async (t) => {
    await invalid(() => model.denoise(noise, t as number, features), /'t/, '0 to 999')
    await invalid(() => model.denoise(noise, [t as number], features), /'t/, '0 to 999')
  })

  it.each([-0.1, 1.1, NaN, '0'])('is refused as eta: %s', async (eta) => {
    await invalid(() => model.predict(features, { eta: eta as number, noise }), 'eta', '0 to 1')
  })

  it.each([-1, 1.5, NaN, '7'])('is refused as seed: %s', async (seed) => {
    await invalid(() => model.predict(features, { seed: seed as number }), 'seed')
    await invalid(() => DiffSal.create(tinyConfig, { seed: seed as number }), 'seed')
  })

  it.each([[[65, 96]], [[64, 100]], [[0, 96]], [[64]], [[64, 96, 32]], [64], [['64', '96']], [[-32, 32]], [[32.5, 64]]])(
    'is refused as size: %j',
    async (size) => {
      await invalid(() => DiffSal.create({ ...tinyConfig, size: size as [number, number] }), 'size', '32')
    },
  )

  it.each([0, -1, NaN, 1.5])('is refused as sample rate: %s', async (sampleRate) => {
    await invalid(() => logMel(new Float32Array(16000), { sampleRate }), 'sampleRate')
  })
})

describe('an unknown option', () => {
  it('is named with its nearest known one', async () => {
    await invalid(() => model.predict(features, { step: 4 } as never), "'step'", "'steps'")
    await invalid(() => model.predict({ frame: frames, mel } as never), "'frame'", "'frames'")
    await invalid(() => DiffSal.create({ ...tinyConfig, dialekt: 'paper' } as never), "'dialekt'", "'dialect'")
    await invalid(() => DiffSal.create(tinyConfig, { sed: 1 } as never), "'sed'", "'seed'")
    await invalid(() => DiffSal.create({ ...tinyConfig, dialect: 'papr' } as never), 'dialect', "'papr'", "'paper'")
  })
})

describe('a device that is not there', () => {
  it.each(['cuda:7', 'cuda:999', 'gpu', 'cpu:1', ''])('is refused: %j', async (device) => {
    const error = await expectDiffSalError(() => DiffSal.create(tinyConfig, { device }), 'ERR_DIFFSAL_DEVICE', `'${device}'`)
    expect(error.message).toMatch(/cpu/)
  })
})
