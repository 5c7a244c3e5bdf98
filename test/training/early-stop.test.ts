import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DiffSal, type FitOptions, type Trainer, type TrainingEvent } from '../../lib/index.ts'
import { afterValidation, checkEarlyStop, type Standstill } from '../../lib/training/early-stop.ts'
import { blobs } from '../support/blobs.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { changeTraining } from '../support/training-file.ts'
import { trainingConfig, trainingRun } from '../support/training.ts'

async function freshTrainer(): Promise<Trainer<DiffSal>> {
  const model = await DiffSal.create(trainingConfig, trainingRun)
  return model.trainer({ lr: 1e-3, seed: 3 })
}

async function collect(trainer: Trainer<DiffSal>, options: FitOptions, data = blobs(4)): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = []
  for await (const event of trainer.fit(data, options)) events.push(event)
  return events
}

const timeless = (event: TrainingEvent): object =>
  Object.fromEntries(Object.entries(event).filter(([name]) => !['seconds', 'waited', 'rate', 'remaining', 'path'].includes(name)))

describe('a standstill', () => {
  const after = (scores: number[], options: { minDelta?: number; by?: 'cc' | 'kl' } = {}): Standstill | null => {
    const stop = checkEarlyStop('earlyStop', { patience: 1, ...options }, 'cc')
    return scores.reduce<Standstill | null>((standstill, score) => afterValidation(stop, standstill, score), null)
  }
  it.each<[number[], object, number | null, number]>([
    [[0.5], {}, 0.5, 0],
    [[0.5, 0.6, 0.6, 0.55], {}, 0.6, 2],
    [[0.5, 0.625, 0.75, 0.5], { minDelta: 0.125 }, 0.75, 1],
    [[0.5, 0.5625, 0.625], { minDelta: 0.125 }, 0.5, 2],
    [[2, 1, 1.5], { by: 'kl' }, 1, 1],
    [[2, 1.75, 1.25], { by: 'kl', minDelta: 0.5 }, 1.25, 0],
    [[NaN, NaN], {}, null, 2],
    [[NaN, 0.1, NaN], {}, 0.1, 1],
    [[Infinity], { by: 'kl' }, null, 1],
  ])('after %o with %o', (scores, options, best, validations) => {
    expect(after(scores, options)).toEqual({ by: 'cc', ...('by' in options && { by: options.by }), best, validations })
  })
})

describe('a fit with an early stop', () => {
  const validate = { dataset: blobs(2), steps: 1, every: 1 }
  /** No score is better than another by more than 10. */
  const earlyStop = { patience: 2, minDelta: 10 }

  it('ends after so many validations without a better one, and says so last', async () => {
    const trainer = await freshTrainer()
    const events = await collect(trainer, { epochs: 9, batch: 4, validate, earlyStop })
    const validations = events.filter((event) => event.type === 'validation')
    expect(validations.map(({ epoch }) => epoch)).toEqual([0, 1, 2])
    expect(events.at(-1)).toEqual({ type: 'stop', step: 3, epoch: 2, by: 'cc', best: validations[0]!.scores.mean.cc, validations: 2 })
    // It has ended: another fit begins anew.
    const next = await collect(trainer, { epochs: 2, batch: 4, validate: { ...validate, every: 2 }, earlyStop: { ...earlyStop, by: 'kl' } })
    expect(next.map(({ type }) => type)).toEqual(['step', 'epoch', 'step', 'epoch', 'validation'])
    await trainer.model.dispose()
  })

  it('trains all epochs where the last is where it would stop, or better ones come', async () => {
    const trainer = await freshTrainer()
    const plan: FitOptions = { epochs: 3, batch: 4, validate }
    const types = (events: TrainingEvent[]) => events.map(({ type }) => type)
    const whole = ['step', 'epoch', 'validation', 'step', 'epoch', 'validation', 'step', 'epoch', 'validation']
    expect(types(await collect(trainer, { ...plan, earlyStop }))).toEqual(whole)
    expect(types(await collect(trainer, { ...plan, earlyStop: { patience: 3 } }))).toEqual(whole)
    await trainer.model.dispose()
  })

  it('resumed from any checkpoint, with a rate that was changed, has the events of an unbroken one, and ends with it', async () => {
    const folder = temporaryPath('unbroken')
    const plan: FitOptions = { epochs: 9, batch: 2, every: 1, keep: 99, validate, earlyStop, by: 'sim' }
    const run = async (trainer: Trainer<DiffSal>, checkpointDir: string) => {
      const events: TrainingEvent[] = []
      for await (const event of trainer.fit(blobs(4), { ...plan, checkpointDir })) {
        events.push(event)
        // As a caller may who watches the training.
        if (event.type === 'step' && event.step === 2) trainer.lr = 3e-4
        if (event.type === 'validation') trainer.lr *= 0.7
      }
      return events
    }
    const trainer = await freshTrainer()
    const events = await run(trainer, folder)
    expect(events.at(-1)).toMatchObject({ type: 'stop', by: 'sim', step: 6 })
    expect(new Set(events.flatMap((event) => (event.type === 'step' ? [event.lr] : []))).size).toBe(3)
    for (const name of readdirSync(folder).filter((one) => one.startsWith('step-'))) {
      const resumed = await DiffSal.resume(join(folder, name), { threads: 1 })
      const rest = await run(resumed, temporaryPath(`from ${name}`))
      const from = events.findIndex((event) => event.type === 'checkpoint' && event.path.endsWith(name)) + 1
      const without = (list: TrainingEvent[]) => list.filter(({ type }) => type !== 'checkpoint').map(timeless)
      expect(without(rest), name).toEqual(without(events.slice(from)))
      expect(resumed.lr).toBe(trainer.lr)
      const weight = 'decoder_net.conv_in.weight'
      expect(await resumed.model.parameter(weight)).toEqual(await trainer.model.parameter(weight))
      await resumed.model.dispose()
    }
    await trainer.model.dispose()
  })

  it('is refused where it is none, or other than the one that is resumed; a damaged one is told', async () => {
    const folder = temporaryPath('refused')
    const trainer = await freshTrainer()
    const plan: FitOptions = { epochs: 2, batch: 4, validate, earlyStop: { patience: 5 }, checkpointDir: folder }
    for (const [options, part] of [
      [{ earlyStop: {} }, "'earlyStop.patience'"],
      [{ earlyStop: { patience: 0 } }, "'earlyStop.patience'"],
      [{ earlyStop: { patience: 1.5 } }, "'earlyStop.patience'"],
      [{ earlyStop: { patience: 1, minDelta: -1 } }, "'earlyStop.minDelta'"],
      [{ earlyStop: { patience: 1, minDelta: NaN } }, "'earlyStop.minDelta'"],
      [{ earlyStop: { patience: 1, by: 'auc' } }, "'earlyStop.by'"],
      [{ earlyStop: { patients: 1 } }, "Did you mean 'patience'"],
      [{ earlyStop: null }, "'earlyStop'"],
      [{ earlyStop: 3 }, "'earlyStop'"],
      [{ validate: undefined, earlyStop: { patience: 1 } }, "'earlyStop' must be left out where 'validate' is"],
      [{ tensorboard: '' }, "'tensorboard'"],
    ] as [object, string][]) {
      await expectDiffSalError(() => collect(trainer, { ...plan, ...options }), 'ERR_DIFFSAL_INVALID_ARGUMENT', part)
    }
    expect(trainer.steps).toBe(0)
    await collect(trainer, plan)
    const last = join(folder, 'step-00000002.safetensors')
    const resumed = await DiffSal.resume(last, { threads: 1 })
    const other = { ...plan, epochs: 4, earlyStop: { patience: 5, by: 'kl' as const } }
    await expectDiffSalError(() => collect(resumed, other), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'earlyStop.by' must be 'cc'")
    await resumed.model.dispose()
    await changeTraining(last, ({ fit, ...rest }) => ({ ...rest, fit: { ...(fit as object), standstill: { by: 'cc', best: '0.5', validations: 1 } } }))
    await expectDiffSalError(() => DiffSal.resume(last), 'ERR_DIFFSAL_CHECKPOINT', 'place in the data is damaged')
    await trainer.model.dispose()
  })
})

it('a checkpoint of before groups and changed rates is resumed; a damaged rate is told', async () => {
  const path = temporaryPath('before.safetensors')
  const trainer = await freshTrainer()
  trainer.lr = 0.25
  await trainer.save(path)
  await changeTraining(path, ({ lr, options, ...rest }) => {
    expect(lr).toBe(0.25)
    const { groups: _, keepGradients: __, ...old } = options as Record<string, unknown>
    return { ...rest, options: old }
  })
  const resumed = await DiffSal.resume(path, { threads: 1 })
  expect([resumed.options, resumed.lr]).toEqual([trainer.options, 1e-3])
  await changeTraining(path, (training) => ({ ...training, lr: 'fast' }))
  await expectDiffSalError(() => DiffSal.resume(path), 'ERR_DIFFSAL_CHECKPOINT', 'training options are damaged', "'lr'")
  await Promise.all([trainer, resumed].map(({ model }) => model.dispose()))
})
