import { describe, expect, it } from 'vitest'
import { DiffSal, type PartialDiffSalConfig, type Tensor, type TrainerOptions, type TrainingBatch } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { testInput } from '../support/test-values.ts'
import { trainingConfig, trainingRun } from '../support/training.ts'

const config: PartialDiffSalConfig = { ...trainingConfig, size: [64, 96], videoEncoder: { name: 's3d', width: 0.1, embedDim: 16 } }
/** A trainer that leaves the weights. */
const options: TrainerOptions = { lr: 0, dropout: 0, dequantisation: 0, seed: 5, keepGradients: true, loss: 'kl', terms: { cc: -1 } }

const batch = 2
const maps = (name: string, kind: 'normal' | 'unit'): Tensor<'float32'> => ({
  dtype: 'float32',
  shape: [batch, 1, 64, 96],
  data: testInput(name, [batch, 1, 64, 96], kind),
})
const known = { target: maps('target', 'unit'), noise: maps('noise', 'normal'), t: [200, 700] }
/** The same picture `length` times, a sample. */
function pictures(length: number): Tensor<'float32'> {
  const picture = testInput('picture', [batch * 3, 64 * 96])
  const data = new Float32Array(batch * 3 * length * 64 * 96)
  for (let plane = 0; plane < batch * 3; plane++)
    for (let t = 0; t < length; t++) data.set(picture.subarray(plane * 6144, (plane + 1) * 6144), (plane * length + t) * 6144)
  return { dtype: 'float32', shape: [batch, 3, length, 64, 96], data }
}
/** One slot of sound as often as a clip has slots. */
function steadySound(): Tensor<'float32'> {
  const slot = testInput('slot', [32 * 48])
  const data = new Float32Array(batch * 5 * slot.length)
  for (let i = 0; i < batch * 5; i++) data.set(slot, i * slot.length)
  return { dtype: 'float32', shape: [batch, 1, 5, 32, 48], data }
}

/** Kernels that look over time: S3D's, and those of the attention's queries. */
const overTime = ({ name, shape }: { name: string; shape: readonly number[] }): boolean => shape.length === 5 && shape[2]! > 1 && !name.includes('redu_chan_up')

/** The taps of a kernel (out, in, k, …) at one time. */
function tapsAt({ shape, data }: Tensor, time: number): number[] {
  const [length, inner] = [shape[2]!, shape[3]! * shape[4]!]
  return Array.from(data, Number).filter((_, i) => Math.floor(i / inner) % length === time)
}

/** How often the slots of a clip of `frames` see each tap of one of S3D's kernels over time, as a share: counted slot by slot. */
function tapShares(name: string, taps: number, frames: number): number[] {
  const layer = Number(/features\.(\d+)/.exec(name)![1])
  const [slots, stride] = layer === 0 ? [frames, 2] : [frames / (layer <= 6 ? 2 : layer <= 12 ? 4 : 8), 1]
  const middles = Array.from({ length: slots / stride }, (_, slot) => slot * stride)
  return Array.from({ length: taps }, (_, tap) => {
    const seen = middles.filter((middle) => middle + tap - (taps - 1) / 2 >= 0 && middle + tap - (taps - 1) / 2 < slots)
    return seen.length / middles.length
  })
}

/** Gives kernels over time other taps: `change` makes those of a place from what it has. */
async function retap(model: DiffSal, whose: (name: string) => boolean, change: (taps: readonly number[], name: string) => number[]): Promise<void> {
  for (const parameter of model.parameters()) {
    if (!overTime(parameter) || !whose(parameter.name)) continue
    const { shape, ...before } = await model.parameter(parameter.name)
    const [length, inner] = [shape[2]!, shape[3]! * shape[4]!]
    const data = Float32Array.from(before.data, Number)
    for (let at = 0; at < data.length; at += length * inner) {
      for (let place = at; place < at + inner; place++) {
        const places = Array.from({ length }, (_, tap) => place + tap * inner)
        const taps = change(
          places.map((one) => data[one]!),
          parameter.name,
        )
        for (const [tap, one] of places.entries()) data[one] = taps[tap]!
      }
    }
    await model.setParameter(parameter.name, { dtype: 'float32', shape, data })
  }
}

const middleAlone = (taps: readonly number[]): number[] => taps.map((tap, i) => (i === (taps.length - 1) / 2 ? tap : 0))

async function stepOf(model: DiffSal, input: Pick<TrainingBatch, 'frames' | 'mel' | 'audio'>, more: TrainerOptions = {}) {
  await using trainer = model.trainer({ ...options, ...more })
  const { loss } = await trainer.step({ ...known, ...input })
  return { loss, gradients: await trainer.gradients() }
}

const norm = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
const distance = (a: readonly number[], b: readonly number[]): number => norm(a.map((value, i) => value - b[i]!)) / Math.max(1e-6, norm(b))

describe('a still', () => {
  it.each<[string, PartialDiffSalConfig, Pick<TrainingBatch, 'mel' | 'audio'>, TrainerOptions?]>([
    ['silent', {}, { audio: null }],
    ['heard', {}, { mel: steadySound() }],
    ['with all tokens as keys', { attention: 'sca' }, { audio: null }],
    ['without attention, heard', { attention: 'none', interaction: 'residual' }, { mel: steadySound() }],
    ['of 16 frames', { clipLength: 16 }, { audio: null }],
    ['in parts that are accumulated', {}, { audio: null }, { accumulate: 2 }],
    ['at two stages, heard', { mamStages: 2, interaction: 'concatenation' }, { mel: steadySound() }],
  ])('teaches what a clip of it does where no kernel looks over time: %s', async (_what, over, heard, more) => {
    await using model = await DiffSal.create({ ...config, ...over }, trainingRun)
    await retap(model, () => true, middleAlone)
    const position = await model.parameter('spatiotemp_net.pos_embedding')
    await model.setParameter('spatiotemp_net.pos_embedding', { ...position, data: position.data.map(() => 0) } as Tensor<'float32'>)
    const frames = model.config.clipLength
    const clip = await stepOf(model, { frames: pictures(frames), ...heard }, more)
    const still = await stepOf(model, { frames: pictures(1), ...heard }, more)
    expect(Math.abs(still.loss - clip.loss)).toBeLessThan(1e-4)
    const whole = norm([...clip.gradients.values()].map(({ data }) => norm([...data])))
    for (const [name, golden] of clip.gradients) {
      // Each slot has a position of its own.
      if (name === 'spatiotemp_net.pos_embedding') continue
      const gradient = still.gradients.get(name)!
      const kernel = overTime({ name, shape: golden.shape })
      const middle = kernel ? (golden.shape[2]! - 1) / 2 : 0
      const [own, wanted] = kernel ? [tapsAt(gradient, middle), tapsAt(golden, middle)] : [[...gradient.data], [...golden.data]]
      // So small a network turns on rounding: pixels that differ by 3e-7 change gradients by 3 %.
      if (norm(wanted) > 1e-4 * whole) expect(distance(own, wanted), name).toBeLessThan(name.startsWith('visual_net.') ? 0.6 : 0.3)
      if (!kernel || !name.startsWith('visual_net.')) continue
      for (const [tap, share] of tapShares(name, golden.shape[2]!, frames).entries()) {
        const seen = tapsAt(gradient, tap)
        expect(
          distance(
            seen,
            own.map((value) => share * value),
          ),
          `${name}, tap ${tap}`,
        ).toBeLessThan(1e-5)
      }
    }
  })

  it('moves the running statistics as its clip does', async () => {
    const statistics = async (length: number): Promise<Map<string, number[]>> => {
      await using model = await DiffSal.create(config, trainingRun)
      await retap(model, () => true, middleAlone)
      await stepOf(model, { frames: pictures(length), audio: null })
      const buffers = model.parameters().filter(({ buffer }) => buffer)
      return new Map(await Promise.all(buffers.map(async ({ name }) => [name, Array.from((await model.parameter(name)).data, Number)] as const)))
    }
    const [clip, still] = [await statistics(8), await statistics(1)]
    expect([...clip.keys()].filter((name) => name.includes('patch_embed')).length).toBe(12)
    // A variance of few values is of one fewer, which differs.
    for (const [name, wanted] of clip) if (name.endsWith('running_mean')) expect(distance(still.get(name)!, wanted), name).toBeLessThan(1e-2)
    for (const [name, wanted] of clip) if (name.includes('patch_embed')) expect(distance(still.get(name)!, wanted), name).toBeLessThan(1e-2)
  })

  it("sees each tap of S3D's kernels over time as often as the slots of its clip do", async () => {
    await using model = await DiffSal.create(config, trainingRun)
    const still = await stepOf(model, { frames: pictures(1), audio: null })
    const clip = await stepOf(model, { frames: pictures(8), audio: null })
    const folded = (taps: readonly number[], name: string): number[] => {
      const shares = tapShares(name, taps.length, 8)
      return middleAlone(taps.map(() => taps.reduce((sum, tap, i) => sum + shares[i]! * tap, 0)))
    }
    await retap(model, (name) => name.startsWith('visual_net.'), folded)
    const summed = await stepOf(model, { frames: pictures(1), audio: null })
    expect(Math.abs(summed.loss - still.loss)).toBeLessThan(1e-4)
    // A clip's slots differ, as its first and its last see nothing beyond them.
    expect(Math.abs(clip.loss - still.loss)).toBeGreaterThan(1e-3)
  })

  it('is no input of a prediction, nor of a network that cannot take it', async () => {
    const frames = pictures(1)
    await using model = await DiffSal.create(config, trainingRun)
    await expectDiffSalError(() => model.predict({ frames, audio: null }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'frames.shape' must be (B, 3, 8, 64, 96)")
    for (const unable of [{ videoEncoder: trainingConfig.videoEncoder }, { dialect: 'released' }] as const) {
      await using other = await DiffSal.create({ ...config, ...unable }, trainingRun)
      await using trainer = other.trainer(options)
      await expectDiffSalError(
        () => trainer.step({ ...known, frames, audio: null }),
        'ERR_DIFFSAL_INVALID_ARGUMENT',
        "'frames.shape' must be (B, 3, 8, 64, 96)",
      )
    }
  })
})

describe('a clip of 8 frames', () => {
  it("has one slot in S3D's last layers, whose kernels over time see their middle alone", async () => {
    await using model = await DiffSal.create(config, trainingRun)
    const predict = () => model.predict({ frames: pictures(8), audio: null }, { steps: 1, seed: 3 })
    const before = await predict()
    await retap(model, (name) => /features\.1[45]\./.test(name), middleAlone)
    expect((await predict()).data).toEqual(before.data)
    await retap(model, (name) => /features\.12\./.test(name), middleAlone)
    expect((await predict()).data).not.toEqual(before.data)
  })
})
