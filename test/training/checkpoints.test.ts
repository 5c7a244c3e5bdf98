import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readHeader } from '../../lib/checkpoint/safetensors.ts'
import { DiffSal, setLogger, type FitOptions, type Trainer, type TrainingEvent } from '../../lib/index.ts'
import { blobs } from '../support/blobs.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { failingDisk } from '../support/failing-disk.ts'
import { listen } from '../support/listen.ts'
import { likeliest } from '../support/nightly.ts'
import { expectEnd, runProgram } from '../support/run-program.ts'
import { temporaryPath } from '../support/temporary.ts'
import { changeTraining } from '../support/training-file.ts'
import { trainingConfig, trainingRun } from '../support/training.ts'

let model: DiffSal
beforeAll(async () => {
  model = await DiffSal.create(trainingConfig, trainingRun)
})
afterAll(() => model.dispose())
afterEach(() => setLogger(undefined))

const plan: FitOptions = { epochs: 1, batch: 1, every: 1 }
const name = (step: number) => `step-${String(step).padStart(8, '0')}.safetensors`

async function fit(trainer: Trainer<DiffSal>, options: FitOptions, samples = 4): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = []
  for await (const event of trainer.fit(blobs(samples), options)) events.push(event)
  return events
}

describe('a folder of checkpoints', () => {
  it('is made, and keeps the last few', async () => {
    const folder = temporaryPath('made/on the way')
    await fit(model.trainer({ seed: 1 }), { ...plan, checkpointDir: folder, keep: 2 })
    expect(readdirSync(folder)).toEqual([name(3), name(4)])
    const three = temporaryPath('three')
    const events = await fit(model.trainer({ seed: 1 }), { ...plan, checkpointDir: three })
    expect(readdirSync(three)).toEqual([name(2), name(3), name(4)])
    const paths = events.flatMap((event) => (event.type === 'checkpoint' ? [event.path] : []))
    expect(paths).toEqual([1, 2, 3, 4].map((step) => join(three, name(step))))
  })

  it('loses what killed processes left of files, and nothing else', async () => {
    const folder = temporaryPath('left over')
    mkdirSync(folder)
    const left = [`${name(7)}.1234.tmp`, 'best.safetensors.99.tmp', '.diffsal-0123456789ab.tmp', '.diffsal-0123456789ab.tmp.77.tmp']
    const others = ['config.json', 'notes.tmp', 'step-1.txt', 'other.safetensors']
    for (const file of [...left, ...others]) writeFileSync(join(folder, file), 'x')
    await fit(model.trainer(), { ...plan, checkpointDir: folder, keep: 1 })
    expect(readdirSync(folder).toSorted()).toEqual([...others, name(4)].toSorted())
  })

  it("is refused where it holds another training's", async () => {
    const folder = temporaryPath('taken')
    await fit(model.trainer(), { ...plan, checkpointDir: folder, every: 2 })
    const before = readdirSync(folder)
    const refused = (trainer: Trainer<DiffSal>, ...parts: string[]) =>
      expectDiffSalError(() => fit(trainer, { ...plan, checkpointDir: folder }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'checkpointDir'", folder, ...parts)
    await refused(model.trainer(), 'DiffSal.resume', 'another folder')
    // One that was resumed from elsewhere is another too.
    const elsewhere = temporaryPath('elsewhere.safetensors')
    await model.trainer().save(elsewhere)
    const resumed = await DiffSal.resume(elsewhere, { threads: 1 })
    await refused(resumed, 'another training')
    const earlier = await DiffSal.resume(join(folder, name(2)), { threads: 1 })
    await refused(earlier, name(4), 'Resume from the latest')
    expect(readdirSync(folder)).toEqual(before)
    const best = temporaryPath('best alone')
    mkdirSync(best)
    writeFileSync(join(best, 'best.safetensors'), 'x')
    await expectDiffSalError(() => fit(model.trainer(), { ...plan, checkpointDir: best }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'checkpointDir')
    await Promise.all([resumed.model.dispose(), earlier.model.dispose()])
  })

  it('that cannot be written is an error before the first step', async () => {
    const file = temporaryPath('a file')
    writeFileSync(file, 'x')
    const trainer = model.trainer()
    await expectDiffSalError(() => fit(trainer, { ...plan, checkpointDir: file }), 'ERR_DIFFSAL_FILE', 'a file')
    await expectDiffSalError(() => fit(trainer, { ...plan, checkpointDir: join(file, 'below') }), 'ERR_DIFFSAL_FILE', 'a file')
    await expectDiffSalError(() => fit(trainer, { ...plan, checkpointDir: '/proc/nothing' }), 'ERR_DIFFSAL_FILE', '/proc/nothing')
    expect(trainer.steps).toBe(0)
  })

  it('that goes away while a fit runs is an error, and the training can be saved elsewhere', async () => {
    const folder = temporaryPath('gone')
    const trainer = model.trainer()
    const vanish = async () => {
      for await (const event of trainer.fit(blobs(4), { ...plan, checkpointDir: folder })) {
        if (event.type === 'step' && event.step === 2) rmSync(folder, { recursive: true })
      }
    }
    await expectDiffSalError(vanish, 'ERR_DIFFSAL_FILE', name(2))
    expect(trainer.steps).toBe(2)
    await trainer.save(temporaryPath('rescued.safetensors'))
    expect(existsSync(temporaryPath('rescued.safetensors'))).toBe(true)
  })
})

describe('resuming from a folder', () => {
  it('takes the newest whole one, and says which it passes over', async () => {
    const folder = temporaryPath('damaged')
    await fit(model.trainer(), { ...plan, checkpointDir: folder })
    const whole = readFileSync(join(folder, name(4)))
    writeFileSync(join(folder, name(4)), whole.subarray(0, whole.length - 1))
    writeFileSync(join(folder, name(5)), '')
    const weights = join(folder, name(6))
    await model.save(weights)
    const warnings = listen()
    const resumed = await DiffSal.resume(folder, { threads: 1 })
    expect(resumed.steps).toBe(3)
    await resumed.model.dispose()
    expect(warnings.map((line) => /step-\d+/.exec(line)![0])).toEqual([6, 5, 4].map((step) => name(step).slice(0, 13)))
    warnings.length = 0
    for (const step of [2, 3]) writeFileSync(join(folder, name(step)), 'x'.repeat(100))
    await expectDiffSalError(() => DiffSal.resume(folder), 'ERR_DIFFSAL_CHECKPOINT', '5 checkpoints', 'damaged')
  })

  it('passes over one whose data are damaged, or whose random state is, names it, and trains on in its place', async () => {
    const folder = temporaryPath('damaged data')
    await fit(model.trainer({ seed: 1 }), { ...plan, checkpointDir: folder })
    const newest = join(folder, name(4))
    const whole = readFileSync(newest)
    const { tensors } = await readHeader(newest)
    const random = [...tensors].find(([tensor]) => /random|generator/.test(tensor))![1]
    const withoutChecksum = Buffer.from(whole)
    withoutChecksum.write('"another_words"', withoutChecksum.indexOf('"diffsal_crc32"'))
    const damages: Record<string, Buffer> = {
      'a weight': Buffer.from(whole).fill(whole[whole.length - 1]! ^ 1, whole.length - 1),
      'the random state': Buffer.from(whole).fill(0xff, random.begin, random.end),
      'the random state, in a file of before checksums': withoutChecksum.fill(0xff, random.begin, random.end),
    }
    const warnings = listen()
    for (const [what, bytes] of Object.entries(damages)) {
      warnings.length = 0
      writeFileSync(newest, bytes)
      const resumed = await DiffSal.resume(folder, { threads: 1 })
      expect(resumed.steps, what).toBe(3)
      expect(warnings).toEqual([expect.stringContaining(name(4))])
      await fit(resumed, { ...plan, checkpointDir: folder })
      await resumed.model.dispose()
      // What was damaged was trained and written again, as it was.
      expect(readFileSync(newest).equals(whole), what).toBe(true)
    }
  })

  it('that holds none is refused', async () => {
    const folder = temporaryPath('empty')
    mkdirSync(folder)
    await expectDiffSalError(() => DiffSal.resume(folder), 'ERR_DIFFSAL_CHECKPOINT', 'no checkpoint', 'empty')
  })

  it('refuses a place in the data that is none', async () => {
    const path = temporaryPath('place.safetensors')
    const good = {
      data: { length: 4, batch: 1, seed: 1, dropLast: false },
      position: { epoch: 1, offset: 0 },
      ended: 0,
      loss: { sum: 1, samples: 4 },
      best: null,
    }
    const place = (position: object) => ({ ...good, position })
    await model.trainer().save(path)
    const resume = async (fit: unknown) => {
      await changeTraining(path, (training) => ({ ...training, fit }))
      const resumed = await DiffSal.resume(path, { threads: 1 })
      await resumed.model.dispose()
    }
    await resume(good)
    for (const fit of [
      ...[
        7,
        null,
        { ended: -1 },
        place({ epoch: 0, offset: 0.5 }),
        place({ epoch: 0, offset: 5 }),
        place({ epoch: 1, offset: 1 }),
        place({ epoch: 2, offset: 0 }),
      ],
      ...[
        { ...good, best: { by: 'auc', score: 1 } },
        { ...good, loss: { samples: 4 } },
      ],
    ]) {
      await expectDiffSalError(() => resume(fit), 'ERR_DIFFSAL_CHECKPOINT', 'place in the data')
    }
  })
})

const faults = [
  ['write 28 100000', 'ERR_DIFFSAL_NO_SPACE'],
  ['fsync 5 0', 'ERR_DIFFSAL_FILE'],
  ['rename 13 0', 'ERR_DIFFSAL_FILE'],
] as const

it.each(likeliest(faults))('a disk that fails (%s) ends the fit by name, and leaves the older checkpoints as they are', async (fault, code) => {
  const folder = temporaryPath(`disk ${fault}`)
  const ended = await runProgram('fit.mjs', [folder], { env: { LD_PRELOAD: failingDisk(), FAULT_AFTER_2: fault } })
  expectEnd(ended, 0)
  const { error, message, files, same } = JSON.parse(ended.stdout) as { error: string; message: string; files: string[]; same: boolean }
  expect([error, same, files]).toEqual([code, true, [name(1), name(2)]])
  expect(message).toContain(name(3))
})
