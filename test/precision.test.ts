import { describe, expect, it } from 'vitest'
import { datasets, DiffSal, metrics, presets, type PartialDiffSalConfig, type Tensor } from '../lib/index.ts'
import { expectClose } from './support/expect-close.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { rewriteWeights } from './support/rewrite-weights.ts'
import { temporaryPath } from './support/temporary.ts'
import { testWeights } from './support/test-weights.ts'
import { lightConfig } from './support/tiny-config.ts'
import { trainingBatch, trainingConfig, trainingRun } from './support/training.ts'
import { testInput } from './support/test-values.ts'

const draw = (name: string, shape: number[]): Tensor<'float32'> => ({ dtype: 'float32', shape, data: testInput(name, shape) })
const inputs = { frames: draw('frames', [1, 3, 16, 64, 96]), mel: draw('mel', [1, 1, 9, 32, 48]) }
const x = draw('x', [1, 1, 64, 96])

/** The model's map of one step, by the weights of test values, in both precisions. */
async function mapsOf(config: PartialDiffSalConfig): Promise<[Tensor<'float32'>, Tensor<'float32'>]> {
  const path = await testWeights(config)
  const map = async (precision: 'float32' | 'bfloat16') => {
    await using model = await DiffSal.load(path, { threads: 1, precision })
    return model.predict({ frames: inputs.frames, ...(model.config.audio && { mel: inputs.mel }) }, { steps: 1, noise: x })
  }
  return [await map('float32'), await map('bfloat16')]
}

describe('a model in bfloat16', () => {
  it('says so, and holds, saves and hands out float32', async () => {
    const path = await testWeights(lightConfig)
    await using model = await DiffSal.load(path, { threads: 1, precision: 'bfloat16' })
    await using plain = await DiffSal.load(path, { threads: 1 })
    expect([model.precision, plain.precision]).toEqual(['bfloat16', 'float32'])
    const name = 'decoder_net.logits.linear_pred.weight'
    expect(await model.parameter(name)).toEqual(await plain.parameter(name))
    using features = await model.encode(inputs)
    const { video, audio } = await features.tensors()
    expect([...video, audio!].map(({ dtype }) => dtype)).toEqual(['float32', 'float32', 'float32', 'float32', 'float32'])
  })

  it('gives maps near those of float32 that are not the same', async () => {
    const [exact, rounded] = await mapsOf(lightConfig)
    expectClose(rounded, exact, 0.04)
    expect(rounded.data).not.toEqual(exact.data)
  })

  it.each(['s3d', 'swin3d_t', 'resnet3d_50'] as const)('takes the video encoder %s', async (name) => {
    const [exact, rounded] = await mapsOf({ size: [64, 96], audio: false, videoEncoder: { name } })
    expectClose(rounded, exact, 0.04)
  })

  it("keeps what the shipped weights see: maps of sounding scenes that correlate with float32's", async () => {
    const scenes = datasets.soundingScenes({ split: 'test', seed: 3, length: 8 })
    await using exact = await DiffSal.load(presets.scenes.weights, { threads: 1 })
    await using rounded = await DiffSal.load(presets.scenes.weights, { threads: 1, precision: 'bfloat16' })
    for (let i = 0; i < scenes.length; i++) {
      const { frames, audio } = (await scenes.get(i))!
      const clip = { frames, audio: { samples: audio!.samples, sampleRate: audio!.sampleRate } }
      const [wanted, map] = [await exact.predict(clip, { seed: 1 }), await rounded.predict(clip, { seed: 1 })]
      const { values } = await metrics.cc(map, wanted)
      expect(values[0], `scene ${i}`).toBeGreaterThan(0.999)
    }
  })

  it('predicts by new weights after a training step, which is float32', async () => {
    await using model = await DiffSal.create(trainingConfig, { ...trainingRun, precision: 'bfloat16' })
    await using other = await DiffSal.create(trainingConfig, trainingRun)
    const { target, ...clip } = trainingBatch(1)
    const noise = draw('noise', [1, 1, 32, 64])
    const before = await model.predict(clip, { steps: 1, noise })
    const losses = []
    for (const one of [model, other]) losses.push((await one.trainer({ lr: 1e-2, seed: 1 }).step({ ...clip, target })).loss)
    expect(losses[0]).toBe(losses[1])
    const after = await model.predict(clip, { steps: 1, noise })
    expect(after.data.some((value, i) => Math.abs(value - before.data[i]!) > 1e-3)).toBe(true)
    const path = temporaryPath('trained.safetensors')
    await model.save(path)
    await using loaded = await DiffSal.load(path, { threads: 1, precision: 'bfloat16' })
    expect(await loaded.predict(clip, { steps: 1, noise })).toEqual(after)
  })

  it.each(['decoder_net.conv_in.bias', 'decoder_net.invpt_decoder.mid_stages.1.patch_embed.0.proj.1.weight'])(
    'blames weights that hold NaN: %s',
    async (name) => {
      const path = await rewriteWeights(await testWeights(lightConfig), (tensors) => {
        const weight = tensors.get(name)!
        tensors.set(name, { ...weight, bytes: new Uint8Array(weight.bytes.length).fill(255) })
      })
      await using model = await DiffSal.load(path, { threads: 1, precision: 'bfloat16' })
      await expectDiffSalError(() => model.predict(inputs, { steps: 1 }), 'ERR_DIFFSAL_CHECKPOINT', 'not finite', 'weights')
    },
  )
})
