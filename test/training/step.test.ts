import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, type Tensor, type TrainerOptions } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { testInput } from '../support/test-values.ts'
import { trainingBatch, trainingConfig, trainingRun } from '../support/training.ts'

const batch = trainingBatch()
const { frames, mel } = trainingBatch(1)
const noise: Tensor<'float32'> = { dtype: 'float32', shape: [1, 1, 32, 64], data: testInput('noise', [1, 1, 32, 64]) }
const weight = 'decoder_net.conv_in.weight'
const statistic = 'decoder_net.invpt_decoder.mt_proj.1.running_mean'
const silent = 'audio_net.features.0.weight'

/** Everything that a model holds. */
async function allParameters(model: DiffSal): Promise<Map<string, Tensor<'float32'>>> {
  const values = new Map<string, Tensor<'float32'>>()
  for (const { name } of model.parameters()) values.set(name, await model.parameter(name))
  return values
}

/** The weights and the step after `count` steps of a fresh model. */
async function trained(options: TrainerOptions, count = 1) {
  await using model = await DiffSal.create(trainingConfig, trainingRun)
  const trainer = model.trainer({ seed: 5, ...options })
  const steps = []
  for (let i = 0; i < count; i++) steps.push(await trainer.step(batch))
  return { weight: await model.parameter(weight), steps }
}

const distance = (a: Tensor<'float32'>, b: Tensor<'float32'>) => a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b.data[i]!)), 0)

describe('a step', () => {
  it('lowers the loss, step by step, and leaves a model that predicts', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    await using trainer = model.trainer({ lr: 2e-3, seed: 5 })
    const before = await model.predict({ frames, mel }, { steps: 1, noise })
    const losses = []
    for (let i = 0; i < 40; i++) {
      const done = await trainer.step(batch)
      expect(done).toMatchObject({ step: i + 1, lr: 2e-3 })
      expect(done.gradNorm).toBeGreaterThan(0)
      losses.push(done.loss)
    }
    expect(trainer.steps).toBe(40)
    expect(Math.max(...losses.slice(-3))).toBeLessThan(losses[0]! / 2)
    const after = await model.predict({ frames, mel }, { steps: 1, noise })
    expect(distance(before, after)).toBeGreaterThan(1e-3)
  })

  it('moves every part but VGGish, which is frozen, and its statistics', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const before = await allParameters(model)
    await model.trainer({ lr: 1e-2 }).step(batch)
    const after = await allParameters(model)
    for (const name of [weight, statistic, 'visual_net.blocks.0.attn.qkv.weight', 'spatiotemp_net.pos_embedding']) {
      expect(distance(before.get(name)!, after.get(name)!), name).toBeGreaterThan(0)
    }
    for (const name of before.keys()) if (name.startsWith('audio_net.')) expectClose(after.get(name)!, before.get(name)!, 0)
  })

  it('freezes what is named, and trains VGGish where that is not', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const before = await allParameters(model)
    await model.trainer({ frozen: ['visual_net.', 'decoder_net.conv_in'] }).step(batch)
    const after = await allParameters(model)
    for (const [name, value] of before) {
      if (name.startsWith('visual_net.') || name.startsWith('decoder_net.conv_in')) expectClose(after.get(name)!, value, 0)
    }
    expect(distance(before.get(silent)!, after.get(silent)!)).toBeGreaterThan(0)
  })

  it('is decided by its seed', async () => {
    const [a, b, c] = [await trained({}, 2), await trained({}, 2), await trained({ seed: 6 }, 2)]
    expect(b.steps).toEqual(a.steps)
    expectClose(b.weight, a.weight, 0)
    expect(c.steps[0]!.loss).not.toBe(a.steps[0]!.loss)
  })

  it('draws its times from the ranges it is given, as often as their weights say', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const still = { lr: 0, dropout: 0, dequantisation: 0, seed: 3 } as const
    const known = { ...batch, noise: { ...noise, shape: [2, 1, 32, 64], data: Float32Array.from([...noise.data, ...noise.data]) } }
    const lossAt = async (t: number[]) => (await model.trainer(still).step({ ...known, t })).loss
    const count = async (weight: number) => {
      const trainer = model.trainer({
        ...still,
        times: [
          { first: 100, last: 100 },
          { first: 900, last: 900, weight },
        ],
      })
      const losses = []
      for (let i = 0; i < 20; i++) losses.push((await trainer.step(known)).loss)
      return losses
    }
    const [early, late] = [await lossAt([100, 100]), await lossAt([900, 900])]
    expect(early).not.toBe(late)
    expect(await count(1e6)).toEqual(Array(20).fill(late))
    expect(await count(1e-6)).toEqual(Array(20).fill(early))
    const possible = [early, late, await lossAt([100, 900]), await lossAt([900, 100])]
    const mixed = await count(1)
    expect(new Set(mixed)).toEqual(new Set(possible))
  })

  it('adds the gradients of the parts of a batch', async () => {
    // Two equal samples: BatchNorm then sees the same in a half as in the whole.
    const twice = <T extends Float32Array>(data: T) => Float32Array.from([...data, ...data])
    const one = trainingBatch(1)
    const double = (x: Tensor<'float32'>): Tensor<'float32'> => ({ ...x, shape: [2, ...x.shape.slice(1)], data: twice(x.data) })
    const pair = { frames: double(one.frames as Tensor<'float32'>), mel: double(one.mel!), target: double(one.target), noise: double(noise), t: 300 }
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const options = { lr: 0, dropout: 0, dequantisation: 0 }
    const whole = await model.trainer(options).step(pair)
    const parts = await model.trainer({ ...options, accumulate: 2 }).step(pair)
    expect(parts.loss).toBeCloseTo(whole.loss, 2)
    expect(parts.gradNorm / whole.gradNorm).toBeCloseTo(1, 3)
  })

  it('of AdamW decays the weights by themselves', async () => {
    const [adam, adamw] = [await trained({ lr: 0.01 }), await trained({ lr: 0.01, optimiser: 'adamw', weightDecay: 0.5 })]
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const start = await model.parameter(weight)
    const expected = adam.weight.data.map((value, i) => value - 0.01 * 0.5 * start.data[i]!)
    expectClose(adamw.weight, { ...adam.weight, data: expected }, 1e-6)
  })

  it('keeps an average of the weights', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const before = await allParameters(model)
    const trainer = model.trainer({ lr: 0.01, ema: 0.75 })
    await trainer.step(batch)
    const path = temporaryPath('average.safetensors')
    await trainer.saveAverage(path)
    await using average = await DiffSal.load(path)
    for (const name of [weight, statistic, silent]) {
      const after = await model.parameter(name)
      const data = after.data.map((value, i) => 0.25 * value + 0.75 * before.get(name)!.data[i]!)
      expectClose(await average.parameter(name), { ...after, data }, 1e-6)
    }
    await expectDiffSalError(() => model.trainer().saveAverage(path), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'ema')
  })
})

describe('the learning rate', () => {
  const rates = async (options: TrainerOptions, count: number) => (await trained(options, count)).steps.map((step) => step.lr)

  it('rises in the warm-up and falls at the milestones', async () => {
    const schedule = { kind: 'multistep', milestones: [3, 4], gamma: 0.5, warmup: 1 } as const
    const expected = [0.5, 1, 1, 0.5, 0.25].map((part) => part * 1e-3)
    expect(await rates({ lr: 1e-3, schedule }, 5)).toEqual(expected.map((rate) => expect.closeTo(rate, 12)))
  })

  it('falls to 0 along a cosine', async () => {
    const schedule = { kind: 'cosine', total: 3, warmup: 1 } as const
    expect(await rates({ lr: 1e-3, schedule }, 4)).toEqual([0.5e-3, 1e-3, 0.5e-3, 0].map((rate) => expect.closeTo(rate, 12)))
  })
})

describe('a step that cannot be done', () => {
  let model: DiffSal
  beforeAll(async () => {
    model = await DiffSal.create(trainingConfig, trainingRun)
  })
  afterAll(() => model.dispose())

  it('for a loss that is not finite names the step and changes nothing', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer({ lr: 1000, seed: 1 })
    let before = await allParameters(model)
    let done = 0
    const diverge = async () => {
      for (; done < 20; done++) {
        before = await allParameters(model)
        await trainer.step(batch)
      }
    }
    const error = await expectDiffSalError(diverge, 'ERR_DIFFSAL_DIVERGED', 'NaN')
    expect(error.message).toContain(`of step ${done + 1} is`)
    expect(trainer.steps).toBe(done)
    for (const [name, value] of await allParameters(model)) expectClose(value, before.get(name)!, 0)
  })

  it('after an abort leaves the next one as if it had never begun', async () => {
    const expected = await trained({}, 2)
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer({ seed: 5 })
    const controller = new AbortController()
    const reason = new Error('no longer wanted')
    const steps = [await trainer.step(batch)]
    const stopped = trainer.step(batch, { signal: controller.signal })
    setTimeout(() => controller.abort(reason), 10)
    await expect(stopped).rejects.toBe(reason)
    steps.push(await trainer.step(batch))
    expect(steps).toEqual(expected.steps)
    expectClose(await model.parameter(weight), expected.weight, 0)
  })

  it.each([
    ['target', { target: trainingBatch(1).target }, 'target'],
    ['a target beyond 1', { target: { ...batch.target, data: batch.target.data.map((value) => value * 255) } }, 'target'],
    ['a NaN in the target', { target: { ...batch.target, data: batch.target.data.map(() => NaN) } }, 'NaN'],
    ['times', { t: [1, 1000] }, "'t'"],
    ['noise', { noise }, 'noise'],
    ['frames', { frames }, 'batch'],
    ['a name', { targets: batch.target }, "Did you mean 'target'"],
    ['fixations', { fixations: { dtype: 'uint8', shape: [2, 32, 64], data: new Uint8Array(4096) } as unknown as Tensor<'uint8'> }, 'fixations'],
  ] as const)('is refused for %s', async (_, wrong, part) => {
    await expectDiffSalError(() => model.trainer().step({ ...batch, ...wrong } as typeof batch), 'ERR_DIFFSAL_INVALID_ARGUMENT', part)
  })

  it('is refused without fixations for nss, and where accumulate does not divide the batch', async () => {
    await expectDiffSalError(() => model.trainer({ terms: { nss: -0.1 } }).step(batch), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'fixations')
    const fixations: Tensor<'float32'> = { ...batch.target, data: batch.target.data.map((_, i) => (i === 9 ? NaN : 0)) }
    await expectDiffSalError(() => model.trainer().step({ ...batch, fixations }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'NaN at element 9')
    await expectDiffSalError(() => model.trainer({ accumulate: 3 }).step(batch), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'accumulate')
  })

  it('is refused after dispose, of the trainer or the model', async () => {
    const trainer = model.trainer()
    await trainer.dispose()
    await trainer.dispose()
    await expectDiffSalError(() => trainer.step(batch), 'ERR_DIFFSAL_DISPOSED', 'trainer')
    const other = await DiffSal.create(trainingConfig, trainingRun)
    const orphan = other.trainer()
    await other.dispose()
    await expectDiffSalError(() => orphan.step(batch), 'ERR_DIFFSAL_DISPOSED', 'model')
    await orphan.dispose()
  })

  it.each([
    [{ optimizer: 'adam' }, "Did you mean 'optimiser'"],
    [{ optimiser: 'adamv' }, 'adamw'],
    [{ lr: -1 }, "'lr'"],
    [{ betas: [0.9, 1] }, 'betas'],
    [{ clip: 0 }, 'clip'],
    [{ frozen: ['visual_nett.'] }, 'visual_net'],
    [{ frozen: ['visual_net', 'audio_net', 'spatiotemp_net', 'decoder_net'] }, 'frozen'],
    [{ terms: { auc: 1 } }, 'auc'],
    [{ schedule: { kind: 'cosine' } }, 'schedule.total'],
    [{ schedule: { kind: 'multistep', milestones: [4, 4] } }, 'schedule.milestones'],
    [{ schedule: { kind: 'multistep', milestones: Array(3) } }, 'schedule.milestones'],
    [{ times: Array(2) }, 'times[0]'],
    [{ frozen: Array(1) }, 'frozen[0]'],
    [{ eps: 0 }, 'eps'],
    [{ eps: 1e-50 }, 'eps'],
    [new Map([['lr', 1]]), 'options'],
    [{ schedule: { gamma: 0.5 } }, 'schedule.gamma'],
    [{ precision: 'bfloat16' }, 'float32'],
    [{ ema: 1 }, 'ema'],
    [{ times: [] }, 'times'],
    [{ times: [{ first: 500, last: 499 }] }, 'times[0].last'],
    [{ times: [{ frist: 500 }] }, "Did you mean 'first'"],
    [{ times: [{ weight: 0 }] }, 'times[0].weight'],
  ])('options %j are refused', async (options, part) => {
    await expectDiffSalError(() => model.trainer(options as unknown as TrainerOptions), 'ERR_DIFFSAL_INVALID_ARGUMENT', part)
  })
})

it('a parameter that the model does not have is refused with the nearest', async () => {
  await using model = await DiffSal.create(trainingConfig, trainingRun)
  await expectDiffSalError(() => model.parameter('decoder_net.conv_in.weights'), 'ERR_DIFFSAL_INVALID_ARGUMENT', weight)
})
