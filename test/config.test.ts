import { describe, expect, it } from 'vitest'
import { resolveConfig } from '../lib/config.ts'
import { DiffSal, defaultConfig, type PartialDiffSalConfig } from '../lib/index.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { rewriteWeights } from './support/rewrite-weights.ts'
import { testWeights } from './support/test-weights.ts'
import { tinyConfig } from './support/tiny-config.ts'
import { tinyInputs } from './support/tiny-inputs.ts'

/** Resolves a configuration that the types do not allow. */
const resolve = (config: unknown) => resolveConfig(config as PartialDiffSalConfig)

const refused = async (config: unknown, argument: string, ...parts: (string | RegExp)[]) => {
  const error = await expectDiffSalError(() => resolve(config), 'ERR_DIFFSAL_INVALID_ARGUMENT', ...parts)
  expect(error.argument).toBe(argument)
}

describe('the default configuration', () => {
  it("is the paper's network at its full size", () => {
    expect(defaultConfig).toMatchObject({
      dialect: 'paper',
      size: [224, 384],
      clipLength: 16,
      video: true,
      audio: true,
      attention: 'eca',
      interaction: 'mim',
      timesteps: 1000,
    })
  })

  it('is what nothing, or an empty object, resolves to', () => {
    for (const config of [undefined, {}]) expect(resolveConfig(config)).toEqual(defaultConfig)
    expect(resolveConfig({ videoEncoder: {}, audioEncoder: {}, normalisation: {} })).toEqual(defaultConfig)
  })

  it('is never handed out itself', () => {
    const config = resolveConfig({})
    expect(config).not.toBe(defaultConfig)
    expect(config.videoEncoder).not.toBe(defaultConfig.videoEncoder)
    expect(config.size).not.toBe(defaultConfig.size)
  })
})

describe('a partial configuration', () => {
  it('changes what it names, also in a part, and nothing else', () => {
    expect(resolveConfig({ size: [64, 96], videoEncoder: { depth: 20 }, normalisation: { scale: 1 } })).toEqual({
      ...defaultConfig,
      size: [64, 96],
      videoEncoder: { ...defaultConfig.videoEncoder, depth: 20 },
      normalisation: { ...defaultConfig.normalisation, scale: 1 },
    })
  })

  it('is merged into another base, part by part', () => {
    const base = resolveConfig({ size: [64, 96], videoEncoder: { depth: 20, mlpRatio: 2 } })
    const config = resolveConfig({ videoEncoder: { depth: 18 } }, base)
    expect(config).toEqual({ ...base, videoEncoder: { ...base.videoEncoder, depth: 18 } })
  })

  it('is copied: what it holds may be changed afterwards', () => {
    const size: [number, number] = [64, 96]
    const widths = [[8], [8], [8], [8]]
    const config = resolveConfig({ size, audioEncoder: { widths } })
    size[0] = 1
    widths[0]![0] = 1
    expect(config.size).toEqual([64, 96])
    expect(config.audioEncoder.widths[0]).toEqual([8])
  })

  it.each<[string, PartialDiffSalConfig]>([
    ['the smallest size', { size: [32, 32], kvKernel: [1, 2, 4, 8] }],
    ['sca without a limit of its kernels', { size: [32, 32], attention: 'sca' }],
    ['video alone', { audio: false }],
    ['sound alone', { video: false }],
    ['short clips', { clipLength: 8 }],
    ['pictures of 0 to 1', { normalisation: { scale: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } }],
  ])('may ask for %s', (_, config) => {
    expect(resolveConfig(config)).toMatchObject(config)
  })
})

describe('a value that makes no network', () => {
  it.each<[argument: string, config: object, expected: string]>([
    ['config.dialect', { dialect: 'papr' }, "did you mean 'paper'"],
    ['config.attention', { attention: 'full' }, "'eca', 'sca', 'none'"],
    ['config.interaction', { interaction: true }, "'mim'"],
    ['config.video', { video: 1 }, 'true or false'],
    ['config.audio', { audio: 'yes' }, 'true or false'],
    ['config.video', { video: false, audio: false }, 'config.audio'],
    ['config.size', { size: [64, 100] }, 'multiples of 32'],
    ['config.size', { size: [64, 16384] }, '8192'],
    ['config.clipLength', { clipLength: 12 }, 'multiple of 8'],
    ['config.clipLength', { dialect: 'released', clipLength: 15 }, 'even'],
    ['config.clipLength', { clipLength: 6 }, 'from 8 to 256'],
    ['config.timesteps', { timesteps: 1 }, 'from 2'],
    ['config.timesteps', { timesteps: 10n }, 'an integer'],
    ['config.dropout', { dropout: 1 }, '0.99'],
    ['config.unetWidth', { unetWidth: 100 }, '32 groups'],
    ['config.unetWidth', { unetWidth: 33, normGroups: 1 }, 'even'],
    ['config.normGroups', { normGroups: 0 }, 'from 1'],
    ['config.attentionHeads', { attentionHeads: 5 }, 'divisor of config.videoEncoder.embedDim = 96'],
    ['config.kvKernel', { kvKernel: [2, 4, 8] }, '4 integers'],
    ['config.kvKernel[0]', { size: [32, 384] }, '32 × 384'],
    ['config.kvKernel[3]', { size: [64, 64], kvKernel: [1, 1, 1, 17] }, 'map of 16'],
    ['config.videoEncoder.depth', { videoEncoder: { depth: 3 } }, 'from 4'],
    ['config.videoEncoder.heads', { videoEncoder: { heads: 0 } }, 'from 1'],
    ['config.videoEncoder.embedDim', { videoEncoder: { embedDim: 100 } }, '32 groups'],
    ['config.videoEncoder.embedDim', { videoEncoder: { heads: 5 } }, '5 heads'],
    ['config.videoEncoder.downscaleAt', { videoEncoder: { downscaleAt: [1, 3] } }, '3 integers'],
    ['config.videoEncoder.downscaleAt', { videoEncoder: { downscaleAt: [1, 3, 16] } }, 'to 15'],
    ['config.videoEncoder.downscaleAt', { videoEncoder: { downscaleAt: [3, 1, 14] } }, 'ascending'],
    ['config.videoEncoder.downscaleAt', { videoEncoder: { downscaleAt: [1, 1, 14] } }, 'ascending'],
    ['config.videoEncoder.pretrainSize', { videoEncoder: { pretrainSize: [16, 16, 224] } }, 'at least 32'],
    ['config.videoEncoder.kvStride', { videoEncoder: { kvStride: [1, 8, 0] } }, '3 integers'],
    ['config.videoEncoder.mlpRatio', { videoEncoder: { mlpRatio: NaN } }, 'from 0.25 to 16'],
    ['config.videoEncoder.mlpRatio', { videoEncoder: { embedDim: 3, mlpRatio: 0.3 }, normGroups: 1, attentionHeads: 1 }, 'at least one'],
    ['config.audioEncoder.widths', { audioEncoder: { widths: [[64], [128], [256]] } }, 'four lists'],
    ['config.audioEncoder.widths', { audioEncoder: { widths: [[64], [], [256], [512]] } }, 'four lists'],
    ['config.audioEncoder.widths[1]', { audioEncoder: { widths: [[64], [0], [256], [512]] } }, 'from 1'],
    ['config.audioEncoder.heads', { audioEncoder: { heads: 1.5 } }, 'an integer'],
    ['config.audioEncoder.headDim', { audioEncoder: { headDim: '64' } }, "'64' came"],
    ['config.audioEncoder.hidden', { audioEncoder: { hidden: null } }, 'null came'],
    ['config.normalisation.scale', { normalisation: { scale: 256 } }, '1 or 255'],
    ['config.normalisation.mean', { normalisation: { mean: [0, 0] } }, 'three numbers'],
    ['config.normalisation.std', { normalisation: { std: [1, 0, 1] } }, 'a number from'],
    ['config.normalisation.std', { normalisation: { std: [1, Infinity, 1] } }, 'Infinity came'],
  ])('is refused: %s of %o', (argument, config, expected) => refused(config, argument, argument, expected))

  it.each([null, 3, 'paper', [], new Uint8Array(2)])('is refused as the configuration: %j', async (config) => {
    await refused(config, 'config', 'an object')
  })

  it.each(['videoEncoder', 'audioEncoder', 'normalisation'])('is refused as the part %s', async (part) => {
    for (const value of [null, 3, 'small', []]) await refused({ [part]: value }, `config.${part}`, 'an object')
  })

  // What structured cloning refuses must not be what the caller hears of.
  it.each([
    ['a function', () => 'paper'],
    ['a symbol', Symbol('paper')],
  ])('is refused where it cannot even be copied: %s', async (_, value) => {
    await refused({ dialect: value }, 'config.dialect', "'paper'")
    await refused({ videoEncoder: { depth: value } }, 'config.videoEncoder.depth', 'an integer')
  })
})

describe('a network of unusual sizes', () => {
  const small: PartialDiffSalConfig = {
    size: [32, 64],
    videoEncoder: { embedDim: 4, depth: 4, downscaleAt: [1, 2, 3] },
    audioEncoder: { widths: [[1], [2], [3, 2], [5]], heads: 3, headDim: 1, hidden: 1 },
    unetWidth: 4,
    normGroups: 2,
    kvKernel: [1, 2, 4, 8],
  }

  it.each<[string, PartialDiffSalConfig]>([
    ['as small as they get', {}],
    ['with the longest kernels', { size: [64, 64], kvKernel: [2, 4, 8, 16] }],
    ['with odd kernels', { size: [64, 96], kvKernel: [1, 3, 5, 7] }],
    ['of 8 frames', { clipLength: 8 }],
    ['of 24 frames', { clipLength: 24 }],
    ['of 22 frames', { dialect: 'released', clipLength: 22 }],
    ['with strides that do not divide', { videoEncoder: { ...small.videoEncoder!, kvStride: [3, 5, 16] } }],
    ['with tables to be resized', { videoEncoder: { ...small.videoEncoder!, pretrainSize: [2, 33, 100] } }],
    ['of several heads', { videoEncoder: { ...small.videoEncoder!, heads: 4 }, attentionHeads: 4 }],
    ['of the thinnest MLP', { videoEncoder: { ...small.videoEncoder!, mlpRatio: 0.25 } }],
    ['without cross-attention', { attention: 'none', interaction: 'off', kvKernel: [1, 1, 1, 1] }],
    ['with sca', { attention: 'sca', interaction: 'bilinear' }],
    ['of two diffusion times', { timesteps: 2 }],
  ])('can be made and used: %s', async (_, change) => {
    await using model = await DiffSal.create({ ...small, ...change }, { seed: 1, threads: 1 })
    const { size, clipLength } = model.config
    const frames = { dtype: 'uint8', shape: [clipLength, ...size, 3], data: new Uint8Array(clipLength * size[0] * size[1] * 3) } as const
    const map = await model.predict({ frames, audio: { samples: new Float32Array(8000), sampleRate: 16000 } }, { steps: 2, eta: 1 })
    expect(map.shape).toEqual([1, 1, ...size])
    expect(map.data.every((value) => value >= 0 && value <= 1)).toBe(true)
  })
})

describe('an unknown name', () => {
  it('is refused with its nearest known one, in the configuration and in its parts', async () => {
    await refused({ clipLenght: 16 }, 'config.clipLenght', "'clipLenght'", "Did you mean 'clipLength'?")
    await refused({ videoEncoder: { embeddim: 64 } }, 'config.videoEncoder.embeddim', "'config.videoEncoder'", "Did you mean 'embedDim'?")
    await refused({ audioEncoder: { head_dim: 64 } }, 'config.audioEncoder.head_dim', "Did you mean 'headDim'?")
    await refused({ normalisation: { means: [0, 0, 0] } }, 'config.normalisation.means', "Did you mean 'mean'?")
  })

  it('is refused with the list of the known ones where none is near', () =>
    refused({ normalisation: { gamma: 2.2 } }, 'config.normalisation.gamma', 'Known are: scale, mean, std'))
})

describe('the configuration of a model', () => {
  it('is complete, whatever was left out', async () => {
    await using model = await DiffSal.create(tinyConfig, { seed: 1, threads: 1 })
    expect(model.config).toEqual(resolveConfig(tinyConfig))
  })

  it('cannot be changed under the model', async () => {
    await using model = await DiffSal.create(tinyConfig, { seed: 1, threads: 1 })
    const config = model.config as unknown as { size: number[]; videoEncoder: { depth: number }; normalisation: { mean: number[] } }
    expect(() => (config.size = [32, 32])).toThrow(TypeError)
    expect(() => (config.size[0] = 32)).toThrow(TypeError)
    expect(() => (config.videoEncoder.depth = 1)).toThrow(TypeError)
    expect(() => (config.normalisation.mean[0] = 0)).toThrow(TypeError)
    expect(model.config).toEqual(resolveConfig(tinyConfig))
  })
})

describe('DiffSal.load with a configuration', () => {
  const { frames, mel } = tinyInputs()

  it("changes part of the file's: its size, with the same weights", async () => {
    const path = await testWeights(tinyConfig)
    await using model = await DiffSal.load(path, { config: { size: [96, 128] }, threads: 1 })
    expect(model.config).toEqual(resolveConfig({ ...tinyConfig, size: [96, 128] }))
    const pixels = { dtype: 'uint8', shape: [16, 10, 10, 3], data: new Uint8Array(16 * 300) } as const
    const map = await model.predict({ frames: pixels, audio: null }, { steps: 1, seed: 1 })
    expect(map.shape).toEqual([1, 1, 96, 128])
  })

  it("changes one number of a part and keeps the file's others", async () => {
    const path = await testWeights({ ...tinyConfig, normalisation: { mean: [1, 2, 3] } })
    await using model = await DiffSal.load(path, { config: { normalisation: { scale: 1 } }, threads: 1 })
    expect(model.config.normalisation).toEqual({ ...defaultConfig.normalisation, scale: 1, mean: [1, 2, 3] })
    expect(model.config.size).toEqual([64, 96])
  })

  it('changes the number of diffusion times', async () => {
    const path = await testWeights(tinyConfig)
    await using model = await DiffSal.load(path, { threads: 1 })
    await using short = await DiffSal.load(path, { config: { timesteps: 100 }, threads: 1 })
    await model.predict({ frames, mel }, { steps: 1 })
    await expectDiffSalError(() => short.predict({ frames, mel }, { steps: 101 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'steps', '1 to 100')
  })

  it('names the tensors that it makes unfit', async () => {
    const path = await testWeights(tinyConfig)
    const load = (config: PartialDiffSalConfig) => () => DiffSal.load(path, { config, threads: 1 })
    await expectDiffSalError(load({ unetWidth: 64 }), 'ERR_DIFFSAL_CHECKPOINT', path, 'decoder_net.conv_in.weight', '[64, 1, 3, 3]')
    await expectDiffSalError(load({ audio: false }), 'ERR_DIFFSAL_CHECKPOINT', path, 'not known', 'audio_net.features.0.weight')
  })

  it('blames the option, not the file, for a value that makes no network', async () => {
    const path = await testWeights(tinyConfig)
    const load = () => DiffSal.load(path, { config: { size: [64, 97] }, threads: 1 })
    const error = await expectDiffSalError(load, 'ERR_DIFFSAL_INVALID_ARGUMENT', 'config.size')
    expect(error.argument).toBe('config.size')
  })

  it('takes the defaults for what the metadata leaves out', async () => {
    const path = await rewriteWeights(
      await testWeights(tinyConfig),
      () => {},
      (metadata) => (metadata.diffsal = JSON.stringify(tinyConfig)),
    )
    await using model = await DiffSal.load(path, { threads: 1 })
    expect(model.config).toEqual(resolveConfig(tinyConfig))
  })
})

it('a list in lists without end is refused, wherever it stands', async () => {
  let nested: unknown = 1
  for (let depth = 0; depth < 50_000; depth++) nested = [nested]
  for (const config of [{ size: nested }, { clipLength: nested }, { videoEncoder: { embedDim: nested } }, { audioEncoder: { widths: nested } }]) {
    await expectDiffSalError(() => resolve(config), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'config.', 'so deep')
  }
})
