import { writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { readRunConfig } from '../../lib/run/config.ts'
import { scheduleInSteps } from '../../lib/run/schedule.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

test('the example trains as the paper does', async () => {
  const config = await readRunConfig('examples/train-avad.json')
  expect(config).toMatchObject({ epochs: 5, batch: 20, dropLast: true, output: resolve('runs/avad-1'), validate: [], device: 'auto', pictures: 8 })
  expect(config.train.map(({ dataset, fold, root }) => [dataset, fold, root])).toEqual(
    ['AVAD', 'Coutrot_db1', 'Coutrot_db2', 'DIEM', 'ETMD_av', 'SumMe'].map((name) => [name, 1, resolve('data')]),
  )
  // The rate falls at a half and at three quarters.
  expect(scheduleInSteps(config.trainer, 200, 5).schedule).toEqual({ kind: 'multistep', milestones: [500, 750], gamma: 0.1 })
})

test('paths are relative to the file, and what is read is a configuration of the same run', async () => {
  const file = temporaryPath('some-run.json')
  const given = { train: [{ dataset: 'UCF', root: 'a' }], epochs: 2, batch: 3, pretrained: 'mvit.pth', test: [{ dataset: 'DHF1K', root: '/b', stride: 5 }] }
  writeFileSync(file, JSON.stringify(given))
  const config = await readRunConfig(file)
  const folder = dirname(file)
  expect(config).toEqual({
    model: {},
    pretrained: [`${folder}/mvit.pth`],
    device: 'auto',
    train: [{ dataset: 'UCF', root: `${folder}/a` }],
    validate: [],
    test: [{ dataset: 'DHF1K', root: '/b', stride: 5 }],
    trainer: {},
    ...{ epochs: 2, batch: 3, dropLast: false, keep: 3, by: 'cc', tensorboard: false, validation: { every: 1 }, pictures: 8 },
    sampling: { eta: 0, seed: 1, batch: 3 },
    output: `${folder}/runs/some-run`,
  })
  const again = temporaryPath('elsewhere.json')
  writeFileSync(again, `\ufeff${JSON.stringify(config)}`)
  expect(await readRunConfig(again)).toEqual(config)
})

test('a run may end early, and be watched in TensorBoard', async () => {
  const file = temporaryPath('early.json')
  const read = (more: object) => {
    writeFileSync(
      file,
      JSON.stringify({ train: [{ dataset: 'UCF', root: 'a' }], validate: [{ dataset: 'UCF', root: 'b' }], epochs: 2, batch: 3, by: 'nss', ...more }),
    )
    return readRunConfig(file)
  }
  expect(await read({ earlyStop: { patience: 2 }, tensorboard: true })).toMatchObject({ earlyStop: { patience: 2, minDelta: 0, by: 'nss' }, tensorboard: true })
  expect(await read({ earlyStop: { patience: 2, minDelta: 0.5, by: 'kl' } })).toMatchObject({
    earlyStop: { patience: 2, minDelta: 0.5, by: 'kl' },
    tensorboard: false,
  })
  for (const [more, part] of [
    [{ earlyStop: {} }, "'earlyStop.patience'"],
    [{ earlyStop: null }, "'earlyStop'"],
    [{ earlyStop: { patience: 2, minDelta: '0' } }, "'earlyStop.minDelta'"],
    [{ earlyStop: { patience: 2 }, validate: [] }, "'earlyStop' must be left out of a run whose 'validate' names no dataset"],
    [{ tensorboard: 'logs' }, "'tensorboard' must be true or false"],
    [{ tensorbord: true }, "Did you mean 'tensorboard'"],
  ] as [object, string][]) {
    await expectDiffSalError(() => read(more), 'ERR_DIFFSAL_INVALID_ARGUMENT', part, 'early.json')
  }
})

test('schedules in epochs become schedules in steps', () => {
  const schedule = (given: object, steps = 100): unknown => scheduleInSteps({ schedule: { unit: 'epochs', ...given } }, steps, 5).schedule
  expect(schedule({ kind: 'cosine', warmup: 0.25 })).toEqual({ kind: 'cosine', warmup: 25, total: 500 })
  expect(schedule({ kind: 'cosine', total: 2.5 })).toEqual({ kind: 'cosine', total: 250 })
  expect(schedule({ kind: 'constant', warmup: 1 })).toEqual({ kind: 'constant', warmup: 100 })
  expect(schedule({ kind: 'multistep', milestones: [0.5, 0.75] }, 1)).toEqual({ kind: 'multistep', milestones: [1, 2] })
  expect(scheduleInSteps({ schedule: { kind: 'multistep', milestones: [7] } }, 100, 5)).toEqual({ schedule: { kind: 'multistep', milestones: [7] } })
  expect(scheduleInSteps({ lr: 1 }, 100, 5)).toEqual({ lr: 1 })
  // What was not given is not what is wrong.
  const warmup = (given: object, steps: number) => () => schedule({ kind: 'cosine', ...given }, steps)
  expect(warmup({ warmup: 5 }, 100)).toThrow("'schedule.warmup' must be less than the whole schedule of 5 epochs, but 5 epochs came.")
  expect(warmup({ warmup: 0.6, total: 0.9 }, 1)).toThrow(
    'less than the whole schedule of 0.9 epochs, which is 1 step here, but 0.6 epochs, which is 1 step, came.',
  )
  expect(warmup({ warmup: 4.9 }, 100)()).toEqual({ kind: 'cosine', warmup: 490, total: 500 })
})
