import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import * as files from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { DiffSal, type FitOptions, type TrainingEvent } from '../../lib/index.ts'
import { eventRecord } from '../../lib/training/event-record.ts'
import { TensorBoard } from '../../lib/training/tensorboard.ts'
import { blobs } from '../support/blobs.ts'
import { readEvents, readScalars } from '../support/event-files.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { trainingConfig, trainingRun } from '../support/training.ts'

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof files>()
  return { ...real, open: vi.fn(real.open) }
})
const { open } = await vi.importActual<typeof files>('node:fs/promises')
afterEach(() => {
  vi.useRealTimers()
  vi.mocked(files.open).mockImplementation(open)
})

const step: TrainingEvent = {
  ...{ type: 'step', step: 300, epoch: 0, loss: 2.5, gradNorm: 0.75, lr: 0.125, samples: 2, seconds: 0.5 },
  ...{ waited: 0, rate: 4, remaining: 10 },
}

describe('a file of events', () => {
  it('is, byte by byte, what TensorFlow writes', () => {
    // tf.summary's file begins so: the length 24, its masked checksum, wall_time, file_version.
    const record = eventRecord(1.5, 0, { version: 'brain.Event:2' })
    expect(record.subarray(0, 12).toString('hex')).toBe('1800000000000000a37f4b22')
    expect(record.subarray(12, -4).toString('hex')).toBe(`09000000000000f83f1a0d${Buffer.from('brain.Event:2').toString('hex')}`)
  })

  it('has scalars under their steps, and begins where the training goes on', async () => {
    const folder = temporaryPath('board/of/a run')
    await using board = await TensorBoard.open(folder, 200)
    await board.write(step)
    await board.write({ type: 'epoch', epoch: 0, steps: 2 ** 40, loss: -0.5, seconds: 1 })
    await board.write({ type: 'checkpoint', step: 2, path: 'a', best: false })
    const scores = { cc: 0.5, sim: 0.25, nss: 2, aucJudd: Number.NaN, kl: Infinity }
    await board.write({ type: 'validation', step: 301, epoch: 0, best: true, seconds: 1, scores: { mean: scores } as never })
    const [file] = readdirSync(folder)
    expect(file).toMatch(/^events\.out\.tfevents\.\d{13}\.diffsal$/)
    const events = readEvents(join(folder, file!))
    expect(events[0]).toEqual({ wallTime: expect.closeTo(Date.now() / 1000, -2), fileVersion: 'brain.Event:2' })
    expect(events[1]).toMatchObject({ step: 201, sessionLog: { status: 'START' } })
    expect(readScalars(folder)).toEqual([
      ...[
        [300, 'train/loss', 2.5],
        [300, 'train/gradient_norm', 0.75],
        [300, 'train/learning_rate', 0.125],
        [300, 'train/samples_per_second', 4],
      ],
      ...[
        [2 ** 40, 'epoch/loss', -0.5],
        [301, 'validation/cc', 0.5],
        [301, 'validation/sim', 0.25],
        [301, 'validation/nss', 2],
        [301, 'validation/kl', Infinity],
      ],
    ])
    // The reader would see a damaged byte.
    const bytes = readFileSync(join(folder, file!))
    bytes[bytes.length - 9]! ^= 1
    const damaged = temporaryPath('damaged')
    writeFileSync(damaged, bytes)
    expect(() => readEvents(damaged)).toThrow('is damaged')
  })

  it('of each fit is another, in the order of time', async () => {
    const folder = temporaryPath('many')
    vi.useFakeTimers({ toFake: ['Date'], now: 1.7e12 })
    for (let i = 0; i < 3; i++) await (await TensorBoard.open(folder, 0))[Symbol.asyncDispose]()
    expect(readdirSync(folder).toSorted()).toEqual([0, 1, 2].map((i) => `events.out.tfevents.${1.7e12 + i}.diffsal`))
  })

  it('on a full disk ends with the last whole event, and the training with the reason', async () => {
    const folder = temporaryPath('full')
    vi.mocked(files.open).mockImplementation(async (...args: Parameters<typeof open>) => {
      const file = await open(...args)
      const append = file.appendFile.bind(file)
      let left = 100
      file.appendFile = (async (data: Uint8Array) => {
        const { length } = data
        if (length > left) {
          await append(data.subarray(0, left))
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
        }
        left -= length
        await append(data)
      }) as FileHandle['appendFile']
      return file
    })
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer({ seed: 1 })
    const fit = async () => {
      for await (const _ of trainer.fit(blobs(6), { epochs: 1, batch: 2, tensorboard: folder }));
    }
    await expectDiffSalError(fit, 'ERR_DIFFSAL_NO_SPACE', 'events.out.tfevents')
    expect(trainer.steps).toBe(1)
    expect(readEvents(join(folder, readdirSync(folder)[0]!)).map(({ fileVersion }) => fileVersion)).toEqual(['brain.Event:2'])
  })

  it('is refused where its folder is a file', async () => {
    const file = temporaryPath('occupied')
    writeFileSync(file, '')
    await expectDiffSalError(() => TensorBoard.open(file, 0), 'ERR_DIFFSAL_FILE', 'occupied')
  })
})

it('a fit writes what it tells, and a resumed one goes on in the same folder', async () => {
  const [folder, checkpointDir] = [temporaryPath('logs'), temporaryPath('checkpoints')]
  const plan: FitOptions = { epochs: 2, batch: 2, checkpointDir, tensorboard: folder, validate: { dataset: blobs(1), steps: 1 } }
  const model = await DiffSal.create(trainingConfig, trainingRun)
  const told: TrainingEvent[] = []
  for await (const event of model.trainer({ seed: 3, lr: 1e-3 }).fit(blobs(4), plan)) {
    told.push(event)
    if (event.type === 'step' && event.step === 3) break
  }
  await model.dispose()
  const resumed = await DiffSal.resume(checkpointDir, { threads: 1 })
  const rest: TrainingEvent[] = []
  for await (const event of resumed.fit(blobs(4), plan)) rest.push(event)
  await resumed.model.dispose()
  const losses = (events: TrainingEvent[]) =>
    events.flatMap((event) =>
      event.type === 'step'
        ? [[event.step, 'train/loss', Math.fround(event.loss)]]
        : event.type === 'epoch'
          ? [[event.steps, 'epoch/loss', Math.fround(event.loss)]]
          : [],
    )
  expect(readScalars(folder).filter(([, tag]) => tag.endsWith('loss'))).toEqual([...losses(told), ...losses(rest)])
  const score = rest.findLast((event) => event.type === 'validation')!.scores.mean.cc
  expect(readScalars(folder).findLast(([, tag]) => tag === 'validation/cc')).toEqual([4, 'validation/cc', Math.fround(score)])
  // The third step was done again: what was told of it counts no more.
  const second = readEvents(join(folder, readdirSync(folder).toSorted()[1]!))
  expect(second[1]).toMatchObject({ step: 3, sessionLog: { status: 'START' } })
})
