import { describe, expect, it } from 'vitest'
import { readWeights } from '../lib/weights.ts'
import { DiffSal, type PartialDiffSalConfig, type Tensor } from '../lib/index.ts'
import { native, type NativeForm } from '../lib/native.ts'
import { expectClose } from './support/expect-close.ts'
import { expectEnd, runProgram } from './support/run-program.ts'
import { testWeights } from './support/test-weights.ts'
import { testInput } from './support/test-values.ts'
import { lightConfig } from './support/tiny-config.ts'

const draw = (name: string, shape: number[]): Tensor<'float32'> => ({ dtype: 'float32', shape, data: testInput(name, shape) })

/** A pass's feature maps, and the map of one denoising pass with them. */
interface Made {
  maps: Tensor<'float32'>[]
  denoised: Tensor<'float32'>
}

/** What the light network with `config` makes by the CPU's form, by CUDA's on the CPU, and by the layers that a trainer calculates with. */
async function eachWay(config: PartialDiffSalConfig, batch: number): Promise<Record<NativeForm, Made>> {
  const { config: whole, from } = await readWeights(await testWeights({ ...lightConfig, ...config }), undefined)
  const [height, width] = whole.size
  const model = new (native().Model)({ threads: 2 })
  try {
    await model.build(whole, 'cpu', from, undefined, 'float32')
    const inputs = {
      ...(whole.video && { frames: draw('frames', [batch, 3, whole.clipLength, height, width]) }),
      ...(whole.audio && { mel: draw('mel', [batch, 1, whole.clipLength / 2 + 1, height / 2, width / 2]) }),
    }
    const x = draw('x', [batch, 1, height, width])
    const t: Tensor<'int64'> = { dtype: 'int64', shape: [batch], data: BigInt64Array.from({ length: batch }, (_, b) => BigInt(300 * b + 40)) }
    const seeds = Array.from({ length: batch }, (_, b) => b)
    const run = async (form: NativeForm) => {
      const features = await model.encode(inputs, seeds, undefined, form)
      const { video, audio } = await features.tensors()
      const denoised = await model.denoise(x, t, features, undefined, form)
      features.dispose()
      return { maps: audio ? [...video, audio] : video, denoised }
    }
    return { fast: await run('fast'), lean: await run('lean'), plain: await run('plain') }
  } finally {
    await model.close()
  }
}

describe("prediction calculates what the layers that are trained do, in the CPU's form and in CUDA's:", () => {
  const interactions = (['mim', 'bilinear', 'addition', 'concatenation', 'off', 'residual'] as const).flatMap((interaction) =>
    (['eca', 'sca', 'none'] as const).map((attention) => ({ interaction, attention })),
  )
  const sizes: PartialDiffSalConfig[] = [{ size: [32, 32], kvKernel: [1, 1, 2, 4] }, { size: [96, 160] }, { size: [160, 64] }]
  const others: PartialDiffSalConfig[] = [
    ...sizes,
    { kvKernel: [1, 3, 5, 7] },
    { audio: false },
    { video: false },
    { clipLength: 32 },
    { clipLength: 24 },
    { mamStages: 2 },
    { attentionHeads: 4 },
    { attentionHeads: 1, unetWidth: 12 },
    { videoEncoder: { embedDim: 20, depth: 4, downscaleAt: [1, 2, 3], heads: 1 } },
    { videoEncoder: { embedDim: 44, depth: 6, downscaleAt: [1, 2, 4], heads: 2, kvStride: [2, 3, 5], mlpRatio: 1.5 } },
    { videoEncoder: { embedDim: 100, depth: 4, downscaleAt: [1, 2, 3], kvStride: [1, 4, 4], pretrainSize: [8, 64, 64] } },
    { audioEncoder: { widths: [[3, 17], [5], [20, 6], [8]], heads: 1, headDim: 7, hidden: 9 } },
  ]
  const cases = (['paper', 'released'] as const).flatMap((dialect) => [...interactions, ...others].map((config) => ({ dialect, ...config })))

  it.each(cases.map((config) => [JSON.stringify(config), config] as const))('%s', async (_, config) => {
    const { plain, ...others } = await eachWay(config, 2)
    for (const { maps, denoised } of Object.values(others)) {
      expect(maps).toHaveLength(plain.maps.length)
      maps.forEach((map, i) => expectClose(map, plain.maps[i]!, 5e-5))
      expectClose(denoised, plain.denoised, 2e-5)
    }
  })

  it('with the matrix products of every processor', async () => {
    const maps = []
    for (const capability of ['avx512', 'avx2', 'default']) {
      const ended = await runProgram('predict.mjs', [], { env: { ATEN_CPU_CAPABILITY: capability } })
      expectEnd(ended, 0)
      maps.push(Float32Array.from(JSON.parse(ended.stdout) as number[]))
    }
    const [widest, ...others] = maps as [Float32Array, ...Float32Array[]]
    const tensor = (data: Float32Array) => ({ dtype: 'float32', shape: [data.length], data }) as const
    for (const other of others) expectClose(tensor(other), tensor(widest), 1e-5)
  })

  it('after a training step too, and with features from before it', async () => {
    await using model = await DiffSal.load(await testWeights(lightConfig), { threads: 1 })
    const inputs = { frames: draw('frames', [1, 3, 16, 64, 96]), mel: draw('mel', [1, 1, 9, 32, 48]) }
    const x = draw('x', [1, 1, 64, 96])
    using features = await model.encode(inputs)
    const before = await model.denoise(x, 100, features)
    const trainer = model.trainer({ lr: 1e-2, seed: 1, frozen: [] })
    await trainer.step({ ...inputs, target: { dtype: 'float32', shape: [1, 1, 64, 96], data: testInput('target', [1, 1, 64, 96], 'unit') } })
    const after = await model.denoise(x, 100, features)
    expect(after.data.some((value, i) => Math.abs(value - before.data[i]!) > 1e-4)).toBe(true)
    const path = `${await testWeights(lightConfig)}.trained`
    await model.save(path)
    await using loaded = await DiffSal.load(path, { threads: 1 })
    using encoded = await loaded.encode(inputs)
    using again = await model.encode(inputs)
    expectClose((await encoded.tensors()).audio!, (await again.tensors()).audio!, 1e-6)
    expectClose(await loaded.denoise(x, 100, encoded), await model.denoise(x, 100, again), 1e-6)
  })
})
