import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as onnx from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, type PartialDiffSalConfig, type Tensor } from '../lib/index.ts'
import { expectClose } from './support/expect-close.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { temporaryPath } from './support/temporary.ts'
import { testWeights } from './support/test-weights.ts'
import { lightConfig } from './support/tiny-config.ts'
import { tinyInputs } from './support/tiny-inputs.ts'

const { frames, mel, noise } = tinyInputs()

type Feeds = Record<string, onnx.Tensor>

/** What ONNX Runtime gives of a file, by name. */
async function opened(path: string): Promise<{ run(feeds: Feeds): Promise<Feeds>; session: onnx.InferenceSession }> {
  const session = await onnx.InferenceSession.create(path, { executionProviders: ['cpu'], intraOpNumThreads: 1 })
  return { session, run: async (feeds) => (await session.run(feeds)) as Feeds }
}

const given = ({ data, shape }: Tensor<'float32'>): onnx.Tensor => new onnx.Tensor('float32', data, shape)

/** A map by the exported graphs and the schedule around them. */
async function sampled(files: { encode: string; denoise: string }, model: DiffSal, inputs: Feeds, steps: number): Promise<Tensor<'float32'>> {
  const [encode, denoise] = [await opened(files.encode), await opened(files.denoise)]
  const features = Object.keys(inputs).length === 0 ? {} : await encode.run(inputs)
  let x = noise
  for (const [now, next] of model.schedule.ddimTimes(steps)) {
    const { s0 } = await denoise.run({ x: given(x), t: new onnx.Tensor('int64', BigInt64Array.of(BigInt(now)), [1]), ...features })
    const estimate: Tensor<'float32'> = { dtype: 'float32', shape: [...s0!.dims], data: Float32Array.from(s0!.data as Float32Array) }
    x = next < 0 ? { ...estimate, data: estimate.data.map((value) => Math.min(Math.max(value, 0), 1)) } : model.schedule.ddimStep(x, estimate, now, next)
  }
  await encode.session.release()
  await denoise.session.release()
  return x
}

const narrow = { name: 's3d', width: 0.1, embedDim: 8 } as const
const variants: readonly (readonly [string, PartialDiffSalConfig])[] = [
  ['the paper', {}],
  ['released', { dialect: 'released' }],
  ['attention sca', { attention: 'sca' }],
  ['attention none', { attention: 'none' }],
  ['released, sca', { dialect: 'released', attention: 'sca' }],
  ['video only', { audio: false }],
  ['sound only', { video: false }],
  ['interaction off', { interaction: 'off' }],
  ['interaction addition', { interaction: 'addition' }],
  ['interaction concatenation', { interaction: 'concatenation' }],
  ['interaction bilinear', { interaction: 'bilinear' }],
  ['interaction residual', { interaction: 'residual' }],
  ['two stages', { mamStages: 2 }],
  ['patches that no place of the sound divides', { kvKernel: [1, 3, 3, 5] }],
  ['S3D', { videoEncoder: narrow }],
  ['S3D, released', { dialect: 'released', videoEncoder: narrow }],
]

describe.each(variants)('%s', (_, variant) => {
  let model: DiffSal
  beforeAll(async () => {
    model = await DiffSal.load(await testWeights({ ...lightConfig, ...variant }), { device: 'cpu', threads: 1 })
  })
  afterAll(() => model?.dispose())

  it('gives the same map in ONNX Runtime', async () => {
    const files = await model.exportOnnx(temporaryPath(`${variants.findIndex(([, each]) => each === variant)}.onnx`))
    expect(files.opset).toBe(17)
    const { video, audio } = model.config
    const inputs = { ...(video && { frames: given(frames) }), ...(audio && { mel: given(mel) }) }
    const map = await sampled(files, model, inputs, 2)
    expectClose(map, await model.predict({ ...(video && { frames }), ...(audio && { mel }) }, { steps: 2, noise }), 1e-4)
    // And not by chance: these weights give maps that are far from flat.
    expect(Math.max(...map.data) - Math.min(...map.data)).toBeGreaterThan(0.02)
  })
})

describe('the files', () => {
  let model: DiffSal
  beforeAll(async () => {
    model = await DiffSal.load(await testWeights(lightConfig), { device: 'cpu', threads: 1 })
  })
  afterAll(() => model?.dispose())

  it('tell their inputs and outputs, and the model is as before', async () => {
    const before = await model.predict({ frames, mel }, { steps: 1, noise })
    const { encode, denoise } = await model.exportOnnx(temporaryPath('named.onnx'))
    expectClose(await model.predict({ frames, mel }, { steps: 1, noise }), before, 0)
    const maps = ['video.0', 'video.1', 'video.2', 'video.3', 'sound.0', 'sound.1', 'sound.2', 'sound.3']
    const [first, second] = [await opened(encode), await opened(denoise)]
    expect([first.session.inputNames, first.session.outputNames]).toEqual([['frames', 'mel'], maps])
    expect([second.session.inputNames, second.session.outputNames]).toEqual([['x', 't', ...maps], ['s0']])
    // No weight is twice in one file, and none that the network has not.
    const bytes = 4 * model.parameters().reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
    expect(statSync(encode).size + statSync(denoise).size).toBeLessThan(2 * bytes + 2 ** 21)
  })

  it('of a model in training are those of its weights', async () => {
    await using trained = await DiffSal.load(await testWeights(lightConfig), { device: 'cpu', threads: 1 })
    await using trainer = trained.trainer({ lr: 1e-2, seed: 1 })
    const batch = { frames, mel, target: { ...noise, data: noise.data.map((value) => Math.min(Math.abs(value), 1)) } }
    await trainer.step(batch)
    const files = await trained.exportOnnx(temporaryPath('trained.onnx'))
    const map = await sampled(files, trained, { frames: given(frames), mel: given(mel) }, 1)
    expectClose(map, await trained.predict({ frames, mel }, { steps: 1, noise }), 1e-4)
    await trainer.step(batch)
  })

  it('come both or not at all', async () => {
    const folder = temporaryPath('both')
    mkdirSync(join(folder, 'a.denoise.onnx'), { recursive: true })
    await expectDiffSalError(() => model.exportOnnx(join(folder, 'a.onnx')), 'ERR_DIFFSAL_FILE', 'a.denoise.onnx')
    expect(readdirSync(folder)).toEqual(['a.denoise.onnx'])
    rmSync(folder, { recursive: true })
    await model.exportOnnx(join(folder, 'b.onnx'))
    expect(readdirSync(folder).sort()).toEqual(['b.denoise.onnx', 'b.encode.onnx'])
    writeFileSync(join(folder, 'b.encode.onnx'), 'old')
    await model.exportOnnx(join(folder, 'b.onnx'))
    expect(statSync(join(folder, 'b.encode.onnx')).size).toBeGreaterThan(1000)
  })

  it('are refused where they cannot be made, in words', async () => {
    await expectDiffSalError(() => model.exportOnnx('model.bin'), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'ends in .onnx', 'path')
    await expectDiffSalError(() => model.exportOnnx(1 as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'path')
    await expectDiffSalError(() => model.exportOnnx('model.onnx', { opset: 12 } as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'opset')
    await expect(model.exportOnnx('model.onnx', { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
    await using half = await DiffSal.load(await testWeights(lightConfig), { device: 'cpu', precision: 'bfloat16', threads: 1 })
    await expectDiffSalError(() => half.exportOnnx('model.onnx'), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'float32', 'bfloat16')
    await using blind = await DiffSal.load(await testWeights({ ...lightConfig, dialect: 'released', video: false }), { device: 'cpu', threads: 1 })
    await expectDiffSalError(() => blind.exportOnnx('model.onnx'), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'by chance')
    const gone = await DiffSal.load(await testWeights(lightConfig), { device: 'cpu', threads: 1 })
    await gone.dispose()
    await expectDiffSalError(() => gone.exportOnnx('model.onnx'), 'ERR_DIFFSAL_DISPOSED', 'disposed')
    expect(existsSync('model.encode.onnx')).toBe(false)
  })
})
