import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  datasets,
  DiffSal,
  setLogger,
  type Trainer,
  type Dataset,
  type FitOptions,
  type PartialDiffSalConfig,
  type SaliencyDataset,
  type TrainerOptions,
  type TrainingEvent,
  type TrainingSample,
} from '../../lib/index.ts'
import { blobs } from '../support/blobs.ts'
import { expectClose } from '../support/expect-close.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { listen } from '../support/listen.ts'
import { temporaryPath } from '../support/temporary.ts'
import { fillTensor } from '../support/training-file.ts'
import { trainingBatch, trainingConfig, trainingRun } from '../support/training.ts'
import { collectWarnings } from '../support/warnings.ts'

const warnings = collectWarnings()
const trainerOptions: TrainerOptions = { lr: 1e-3, seed: 3 }

async function freshTrainer(options: TrainerOptions = {}, config: PartialDiffSalConfig = {}): Promise<Trainer<DiffSal>> {
  const model = await DiffSal.create({ ...trainingConfig, ...config }, trainingRun)
  return model.trainer({ ...trainerOptions, ...options })
}

async function collect(trainer: Trainer<DiffSal>, dataset: Dataset<TrainingSample>, options: FitOptions): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = []
  for await (const event of trainer.fit(dataset, options)) events.push(event)
  return events
}

/** An event without what the clock tells. */
function timeless(event: TrainingEvent): object {
  return Object.fromEntries(Object.entries(event).filter(([name]) => !['seconds', 'waited', 'rate', 'remaining'].includes(name)))
}

/** A word for each event. */
const outline = (events: readonly TrainingEvent[]) =>
  events.map((event) => (event.type === 'checkpoint' ? (event.best ? 'best' : `saved ${event.step}`) : event.type === 'step' ? `${event.step}` : event.type))

/** Steps a fit until the event of which `at` is true, and leaves it there. */
async function until(trainer: Trainer<DiffSal>, dataset: Dataset<TrainingSample>, options: FitOptions, at: (event: TrainingEvent) => boolean) {
  const events: TrainingEvent[] = []
  for await (const event of trainer.fit(dataset, options)) {
    events.push(event)
    if (at(event)) break
  }
  return events
}

/** As `collect`; after a step the weights become finite ones of which no loss is, as a learning rate that is too high makes them. */
async function spoilt(trainer: Trainer<DiffSal>, options: FitOptions, after: number): Promise<void> {
  const weights = trainer.model.parameters().filter(({ name }) => /^decoder_net\..*weight$/.test(name))
  for await (const event of trainer.fit(blobs(4), options)) {
    if (event.type !== 'step' || event.step !== after) continue
    for (const { name, shape } of weights) {
      await trainer.model.setParameter(name, { dtype: 'float32', shape: [...shape], data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1e12) })
    }
  }
}

describe('fit', () => {
  it('lowers the loss, epoch by epoch, and tells how it goes', async () => {
    const trainer = await freshTrainer({ lr: 2e-3 })
    const events = await collect(trainer, blobs(7), { epochs: 8, batch: 2 })
    const epochs = events.filter((event) => event.type === 'epoch')
    expect(epochs.map(({ epoch, steps }) => [epoch, steps])).toEqual(Array.from({ length: 8 }, (_, i) => [i, 4 * i + 4]))
    expect(epochs.at(-1)!.loss).toBeLessThan(epochs[0]!.loss / 2)
    const steps = events.filter((event) => event.type === 'step')
    expect(steps.map(({ step, epoch, samples, lr }) => [step, epoch, samples, lr])).toEqual(
      Array.from({ length: 32 }, (_, i) => [i + 1, Math.floor(i / 4), i % 4 === 3 ? 1 : 2, 2e-3]),
    )
    const first = steps.slice(0, 4)
    expect(epochs[0]!.loss).toBeCloseTo(first.reduce((sum, { loss, samples }) => sum + loss * samples, 0) / 7, 9)
    for (const { seconds, waited, rate } of steps) {
      expect(seconds).toBeGreaterThanOrEqual(waited)
      expect(rate).toBeGreaterThan(0)
    }
    expect(steps.at(-1)!.remaining).toBe(0)
    expect(steps[0]!.remaining).toBeCloseTo((54 / 2) * steps[0]!.seconds, 6)
    expect(events.filter(({ type }) => type === 'checkpoint' || type === 'validation')).toEqual([])
    await trainer.model.dispose()
  })

  it('trains as by hand, on batches in the order of its seed', async () => {
    const dataset = blobs(5)
    const fitted = await freshTrainer()
    const losses = (await collect(fitted, dataset, { epochs: 2, batch: 2, seed: 8 })).flatMap((event) => (event.type === 'step' ? [event.loss] : []))
    const trainer = await freshTrainer()
    const expected = []
    for await (const { batch } of datasets.loadBatches(dataset, { batch: 2, seed: 8, epochs: 2, mel: { size: [16, 32], slots: 5 } })) {
      const { frames, mel, target } = batch
      expected.push((await trainer.step({ frames, mel: mel!, target })).loss)
    }
    expect(losses).toEqual(expected)
    await Promise.all([fitted.model.dispose(), trainer.model.dispose()])
  })

  it.each<[string, PartialDiffSalConfig, TrainerOptions, boolean]>([
    ['sees only', { audio: false }, {}, true],
    ['hears only', { video: false }, {}, true],
    ['could hear, of clips without sound', {}, {}, false],
    ['is paid for the fixations', {}, { terms: { nss: -0.1 } }, true],
    ['cuts its batches, of which full ones are taken', {}, { accumulate: 2 }, true],
  ])('a model that %s', async (_, config, options, sound) => {
    const trainer = await freshTrainer(options, config)
    const events = await collect(trainer, blobs(5, { sound }), { epochs: 1, batch: 2 })
    expect(outline(events)).toEqual(options.accumulate ? ['1', '2', 'epoch'] : ['1', '2', '3', 'epoch'])
    await trainer.model.dispose()
  })

  it('passes over samples that are none, at the end of an epoch too', async () => {
    // In one epoch or another each of them comes last.
    const dataset = blobs(4, { before: (i) => (i > 0 ? null : undefined) })
    const trainer = await freshTrainer()
    const folder = temporaryPath('sparse')
    const events = await collect(trainer, dataset, { epochs: 4, batch: 1, checkpointDir: folder, keep: 9 })
    expect(outline(events)).toEqual([1, 2, 3, 4].flatMap((i) => [`${i}`, `saved ${i}`, 'epoch']))
    await trainer.model.dispose()
    for (const name of readdirSync(folder)) {
      const resumed = await DiffSal.resume(join(folder, name), { threads: 1 })
      const rest = await collect(resumed, dataset, { epochs: 4, batch: 1 })
      const from = events.findIndex((event) => event.type === 'checkpoint' && event.path.endsWith(name)) + 1
      expect(rest.map(timeless)).toEqual(
        events
          .slice(from)
          .filter(({ type }) => type !== 'checkpoint')
          .map(timeless),
      )
      await resumed.model.dispose()
    }
  })

  it('leaves out a last batch that samples which are none make too small to be cut', async () => {
    const warnings = listen()
    const trainer = await freshTrainer({ accumulate: 2 })
    const plan: FitOptions = { epochs: 2, batch: 2, dropLast: false }
    expect(outline(await collect(trainer, blobs(4, { before: (i) => (i === 3 ? null : undefined) }), plan))).toEqual(['1', 'epoch', '2', 'epoch'])
    setLogger(undefined)
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toMatch(/last batch of epoch 0 has 1.*'accumulate' = 2/)
    const none = blobs(2, { before: (i) => (i === 1 ? null : undefined) })
    await expectDiffSalError(() => collect(trainer, none, plan), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'too few samples', "'accumulate' = 2")
    await trainer.model.dispose()
  })

  it('takes batches of the mel slices that the model tells', async () => {
    const trainer = await freshTrainer()
    expect(trainer.model.melShape).toEqual({ size: [16, 32], slots: 5 })
    for await (const { batch } of datasets.loadBatches(blobs(2), { batch: 2, seed: 1, epochs: 1, mel: trainer.model.melShape })) await trainer.step(batch)
    expect(trainer.steps).toBe(1)
    await trainer.model.dispose()
    await using deaf = await DiffSal.create({ ...trainingConfig, audio: false }, trainingRun)
    expect(deaf.melShape).toBe(false)
  })

  it('reads while it steps', async () => {
    const [read, stepped]: [number[], number[]] = [[], []]
    const trainer = await freshTrainer()
    const dataset = blobs(12, { before: () => void read.push(stepped.length) })
    for await (const event of trainer.fit(dataset, { epochs: 1, batch: 2 })) if (event.type === 'step') stepped.push(event.step)
    // All but the first batches were asked for before the step before theirs was done.
    expect(read.filter((done, i) => done >= Math.floor(i / 2))).toHaveLength(2)
    await trainer.model.dispose()
  })

  it.each<[schedule: TrainerOptions['schedule'], warnings: RegExp[]]>([
    [{ kind: 'cosine', total: 4 }, [/^The learning rate is 0 after step 4, the schedule's 'total', but 3 epochs end after step 6: /]],
    [{ kind: 'cosine', total: 6 }, []],
    [{ kind: 'multistep', milestones: [1] }, []],
  ])('warns at its beginning where the rate %o is 0 before its end', async (schedule, expected) => {
    const trainer = await freshTrainer({ schedule })
    const rates = (await collect(trainer, blobs(4), { epochs: 3, batch: 2 })).flatMap((event) => (event.type === 'step' ? [event.lr] : []))
    expect(warnings).toEqual(expected.map((words) => expect.stringMatching(words) as string))
    expect(rates.indexOf(0)).toBe(expected.length === 0 ? -1 : 4)
    await trainer.model.dispose()
  })

  it('validates every so many epochs and at the end, and keeps the best', async () => {
    const folder = temporaryPath('validated')
    const trainer = await freshTrainer()
    const validation = blobs(3)
    const progress: number[] = []
    const validate = { dataset: validation, every: 2, steps: 1, seed: 2, limit: 2, onProgress: (done: number) => progress.push(done) }
    const events = await collect(trainer, blobs(2), { epochs: 3, batch: 2, checkpointDir: folder, validate, by: 'kl' })
    const validations = events.filter((event) => event.type === 'validation')
    expect(validations.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 2],
      [2, 3],
    ])
    expect(progress).toEqual([2, 2])
    expect(validations[1]!.scores).toEqual(await trainer.model.evaluate(validation, { steps: 1, seed: 2, limit: 2, batch: 2 }))
    const better = validations[1]!.scores.mean.kl < validations[0]!.scores.mean.kl
    expect(validations.map(({ best }) => best)).toEqual([true, better])
    const middle = better ? ['validation', 'best'] : ['validation']
    expect(outline(events)).toEqual([...['1', 'saved 1', 'epoch', '2', 'saved 2', 'epoch', 'validation', 'best', '3', 'saved 3', 'epoch', ...middle]])
    await using best = await DiffSal.load(join(folder, 'best.safetensors'), { threads: 1 })
    const of = better ? 1 : 0
    expect(await best.evaluate(validation, { steps: 1, seed: 2, limit: 2, batch: 2 })).toEqual(validations[of]!.scores)
    await trainer.model.dispose()
  })

  it('validates the average of the weights where one is kept', async () => {
    const folder = temporaryPath('averaged')
    const trainer = await freshTrainer({ ema: 0.5, lr: 0.01 })
    const validation = blobs(2)
    const events = await collect(trainer, blobs(4), { epochs: 1, batch: 2, checkpointDir: folder, validate: { dataset: validation } })
    const { scores } = events.find((event) => event.type === 'validation')!
    await trainer.saveAverage(temporaryPath('average.safetensors'))
    for (const path of [temporaryPath('average.safetensors'), join(folder, 'best.safetensors')]) {
      await using average = await DiffSal.load(path, { threads: 1 })
      expect(await average.evaluate(validation, { batch: 4 })).toEqual(scores)
    }
    expect(await trainer.model.evaluate(validation, { batch: 4 })).not.toEqual(scores)
    expect(readdirSync(folder).toSorted()).toEqual(['best.safetensors', 'step-00000002.safetensors'])
    await trainer.model.dispose()
  })

  it('leaving the loop stops the reading, and the model is as it was', async () => {
    let reading = 0
    const asked: number[] = []
    const dataset = blobs(50, {
      before: async (i) => {
        asked.push(i)
        reading += 1
        await new Promise((resolve) => setTimeout(resolve, 5))
        reading -= 1
      },
    })
    const trainer = await freshTrainer()
    await until(trainer, dataset, { epochs: 9, batch: 2, workers: 3 }, (event) => event.type === 'step' && event.step === 2)
    const { length } = asked
    expect([reading, trainer.steps]).toEqual([0, 2])
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(asked).toHaveLength(length)
    expect(length).toBeLessThan(16)
    expect((await collect(trainer, blobs(2), { epochs: 1 })).map(({ type }) => type)).toEqual(['step', 'epoch'])
    await trainer.model.dispose()
  })
})

describe('a resumed fit', () => {
  it('from any checkpoint has the events of an unbroken one', async () => {
    const folder = temporaryPath('unbroken')
    const dataset = blobs(7)
    const plan: FitOptions = { epochs: 3, batch: 2, every: 1, keep: 99, validate: { dataset: blobs(2), steps: 1 } }
    const trainer = await freshTrainer({ ema: 0.9, optimiser: 'adamw', schedule: { kind: 'cosine', total: 12, warmup: 2 } })
    const events = await collect(trainer, dataset, { ...plan, checkpointDir: folder })
    expect(trainer.steps).toBe(12)
    for (const step of [3, 4, 6, 12]) {
      const path = join(folder, `step-${String(step).padStart(8, '0')}.safetensors`)
      const resumed = await DiffSal.resume(path, { threads: 1 })
      // In a folder of its own, so that the other checkpoints stay.
      const other = temporaryPath(`from ${step}`)
      const rest = await collect(resumed, dataset, { ...plan, checkpointDir: other })
      const from = events.findIndex((event) => event.type === 'checkpoint' && event.path === path) + 1
      const expected = events
        .slice(from)
        .map(timeless)
        .map((event) => ({ ...event, ...('path' in event && { path: (event.path as string).replace(folder, other) }) }))
      // At an epoch's end the checkpoint of the new folder comes first.
      expect(rest.map(timeless).filter((event, i) => !(i === 0 && 'path' in event))).toEqual(expected)
      for (const { name: parameter } of resumed.model.parameters().slice(0, 20)) {
        expectClose(await resumed.model.parameter(parameter), await trainer.model.parameter(parameter), 0)
      }
      await resumed.model.dispose()
    }
    await trainer.model.dispose()
  })

  it('of a folder takes its newest whole checkpoint, and goes on in it', async () => {
    const folder = temporaryPath('resumed')
    const dataset = blobs(6)
    const plan: FitOptions = { epochs: 2, batch: 2, every: 1, keep: 2, checkpointDir: folder }
    const whole = await freshTrainer()
    const expected = await collect(whole, dataset, { ...plan, checkpointDir: temporaryPath('whole') })
    const trainer = await freshTrainer()
    await until(trainer, dataset, plan, (event) => event.type === 'step' && event.step === 3)
    await trainer.model.dispose()
    expect(readdirSync(folder)).toEqual(['step-00000001.safetensors', 'step-00000002.safetensors'])
    // As a killed process may leave it, on a disk that lost a part too.
    const second = readFileSync(join(folder, 'step-00000002.safetensors'))
    writeFileSync(join(folder, 'step-00000003.safetensors'), second.subarray(0, second.length / 2))
    writeFileSync(join(folder, 'step-00000004.safetensors.123.tmp'), second.subarray(0, 9))
    const warnings = listen()
    const resumed = await DiffSal.resume(folder, { threads: 1 })
    expect(resumed.steps).toBe(2)
    const rest = await collect(resumed, dataset, plan)
    setLogger(undefined)
    expect(warnings.every((message) => message.includes('step-00000003'))).toBe(true)
    const from = expected.findIndex((event) => event.type === 'step' && event.step === 3)
    const named = (events: TrainingEvent[]) => events.map(timeless).map((event) => ({ ...event, path: undefined }))
    expect(named(rest)).toEqual(named(expected.slice(from)))
    expect(readdirSync(folder)).toEqual(['step-00000005.safetensors', 'step-00000006.safetensors'])
    expect(readFileSync(join(folder, 'step-00000006.safetensors')).equals(readFileSync(join(temporaryPath('whole'), 'step-00000006.safetensors')))).toBe(true)
    await Promise.all([whole.model.dispose(), resumed.model.dispose()])
  })

  it('is refused for other data, and may train longer', async () => {
    const folder = temporaryPath('other data')
    const plan: FitOptions = { epochs: 1, batch: 2, checkpointDir: folder, validate: { dataset: blobs(1), steps: 1 } }
    const trainer = await freshTrainer()
    await collect(trainer, blobs(4), plan)
    await trainer.model.dispose()
    const resumed = await DiffSal.resume(folder, { threads: 1 })
    const refused = (length: number, change: Partial<FitOptions>, ...parts: string[]) =>
      expectDiffSalError(() => collect(resumed, blobs(length), { ...plan, ...change }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'step-00000002', ...parts)
    await refused(5, {}, "'dataset.length' must be 4", '5 came')
    await refused(4, { batch: 4 }, "'batch' must be 2")
    await refused(4, { seed: 77 }, "'seed' must be 3")
    await refused(4, { dropLast: true }, "'dropLast' must be false")
    // The end of its epoch was not dealt with when the checkpoint was written.
    const events = await collect(resumed, blobs(4), { ...plan, epochs: 2 })
    expect(outline(events).slice(0, 4)).toEqual(['epoch', 'validation', 'best', '3'])
    const again = await DiffSal.resume(folder, { threads: 1 })
    await expectDiffSalError(() => collect(again, blobs(4), { ...plan, by: 'sim' }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'by' must be 'cc'")
    await Promise.all([resumed.model.dispose(), again.model.dispose()])
  })
})

describe('the best weights of a resumed fit', () => {
  /** Scored against a truth that is turned round at will: what is learnt makes the score worse then. */
  function judged() {
    const dataset = blobs(2)
    let turned = false
    const truth: SaliencyDataset['truth'] = async (video, frame) => {
      const { density } = (await dataset.truth(video, frame))!
      return { density: turned ? { dtype: 'float32', shape: density!.shape, data: Float32Array.from(density!.data, (value) => 1 - value) } : density! }
    }
    return { dataset: { ...dataset, truth }, turn: () => void (turned = true) }
  }
  const bestOf = (events: TrainingEvent[]) => events.flatMap((event) => (event.type === 'validation' ? [event.best] : []))

  it('stay where a training that had ended is gone on with and scores worse', async () => {
    const folder = temporaryPath('longer')
    const { dataset, turn } = judged()
    const plan: FitOptions = { epochs: 1, batch: 2, checkpointDir: folder, validate: { dataset, steps: 1, every: 2 } }
    const trainer = await freshTrainer()
    // The validation at the end comes after the last checkpoint, and is none of those that a longer training has.
    expect(bestOf(await collect(trainer, blobs(4), plan))).toEqual([true])
    await trainer.model.dispose()
    const before = readFileSync(join(folder, 'best.safetensors'))
    turn()
    const elsewhere = temporaryPath('longer elsewhere')
    for (const checkpointDir of [elsewhere, folder]) {
      const resumed = await DiffSal.resume(folder, { threads: 1 })
      expect(bestOf(await collect(resumed, blobs(4), { ...plan, epochs: 2, checkpointDir }))).toEqual([false])
      expect(readFileSync(join(checkpointDir, 'best.safetensors')).equals(before)).toBe(true)
      await resumed.model.dispose()
    }
    const other = await DiffSal.resume(join(folder, 'step-00000002.safetensors'), { threads: 1 })
    const refused = () => collect(other, blobs(4), { ...plan, epochs: 2, checkpointDir: temporaryPath('by'), by: 'sim' })
    await expectDiffSalError(refused, 'ERR_DIFFSAL_INVALID_ARGUMENT', "'by' must be 'cc'")
    await other.model.dispose()
  })

  it('are looked for anew where they are gone', async () => {
    const folder = temporaryPath('moved')
    const { dataset, turn } = judged()
    const plan: FitOptions = { epochs: 2, batch: 2, every: 1, keep: 9, checkpointDir: folder, validate: { dataset, steps: 1 } }
    const trainer = await freshTrainer()
    await until(trainer, blobs(4), plan, (event) => event.type === 'checkpoint' && event.step === 3)
    await trainer.model.dispose()
    const alone = temporaryPath('alone')
    mkdirSync(alone)
    writeFileSync(join(alone, 'step-00000003.safetensors'), readFileSync(join(folder, 'step-00000003.safetensors')))
    turn()
    const warnings = listen()
    const resumed = await DiffSal.resume(alone, { threads: 1 })
    expect(bestOf(await collect(resumed, blobs(4), { ...plan, checkpointDir: alone }))).toEqual([true])
    setLogger(undefined)
    expect(warnings.join()).toContain('best weights of before')
    expect(readdirSync(alone)).toContain('best.safetensors')
    await resumed.model.dispose()
  })
})

describe('an aborted fit', () => {
  it('ends though a sample is never read, and writes its checkpoint', async () => {
    const folder = temporaryPath('waiting')
    const trainer = await freshTrainer()
    const controller = new AbortController()
    const reason = new Error('enough')
    let asked = 0
    const dataset = blobs(6, { before: () => (++asked > 2 ? new Promise(() => {}) : undefined) })
    const aborted = async () => {
      for await (const event of trainer.fit(dataset, { epochs: 1, batch: 2, checkpointDir: folder, signal: controller.signal })) {
        if (event.type === 'step') setTimeout(() => controller.abort(reason), 100)
      }
    }
    await expect(aborted()).rejects.toBe(reason)
    expect(readdirSync(folder)).toEqual(['step-00000001.safetensors'])
    await trainer.model.dispose()
  }, 10_000)

  it('writes a checkpoint of the last whole step, and rejects with the reason', async () => {
    const folder = temporaryPath('aborted')
    const dataset = blobs(8)
    const plan: FitOptions = { epochs: 2, batch: 2, checkpointDir: folder }
    const whole = await freshTrainer()
    const expected = (await collect(whole, dataset, { epochs: 2, batch: 2 })).map(timeless)
    for (const wait of [0, 10, 40]) {
      const trainer = await freshTrainer()
      const controller = new AbortController()
      const reason = new Error('enough')
      const events: TrainingEvent[] = []
      const aborted = async () => {
        for await (const event of trainer.fit(dataset, { ...plan, checkpointDir: `${folder} ${wait}`, signal: controller.signal })) {
          events.push(event)
          // In the next step, or what comes before or after it.
          if (event.type === 'step' && event.step === 2) setTimeout(() => controller.abort(reason), wait)
        }
      }
      await expect(aborted()).rejects.toBe(reason)
      const last = events.at(-1)!
      expect(last).toMatchObject({ type: 'checkpoint', step: trainer.steps, best: false })
      await trainer.model.dispose()
      const resumed = await DiffSal.resume(`${folder} ${wait}`, { threads: 1 })
      const rest = (await collect(resumed, dataset, { epochs: 2, batch: 2 })).map(timeless)
      const both = [...events.filter(({ type }) => type !== 'checkpoint').map(timeless), ...rest]
      expect(both).toEqual(expected)
      await resumed.model.dispose()
    }
    await whole.model.dispose()
  })

  it('before it begins does nothing, and in a validation stops it', async () => {
    const trainer = await freshTrainer()
    const folder = temporaryPath('never')
    await expect(collect(trainer, blobs(2), { epochs: 1, checkpointDir: folder, signal: AbortSignal.abort('no') })).rejects.toBe('no')
    expect([existsSync(folder), trainer.steps]).toEqual([false, 0])
    const controller = new AbortController()
    const validate = { dataset: blobs(50), onProgress: (done: number) => done >= 4 && controller.abort('now') }
    await expect(collect(trainer, blobs(2), { epochs: 1, checkpointDir: folder, validate, signal: controller.signal })).rejects.toBe('now')
    expect(readdirSync(folder)).toEqual(['step-00000001.safetensors'])
    await trainer.model.dispose()
  })
})

describe('a fit that cannot go on', () => {
  it('for a loss that is not finite names the step, its samples and the checkpoint', async () => {
    const folder = temporaryPath('diverged')
    const trainer = await freshTrainer()
    const plan: FitOptions = { epochs: 30, batch: 2, every: 1, keep: 1, checkpointDir: folder }
    const error = await expectDiffSalError(() => spoilt(trainer, plan, 3), 'ERR_DIFFSAL_DIVERGED', 'DiffSal.resume')
    expect(trainer.steps).toBe(3)
    expect(error.message).toMatch(/step 4 is (NaN|-?Infinity)/)
    const [good, last] = ['step-00000002.safetensors', 'step-00000003.safetensors']
    expect(error.message).toContain(`after step 2, is '${join(folder, good!)}'`)
    expect(error.message).toMatch(/It holds frame \d of '(even|odd)', frame/)
    expect(readdirSync(folder)).toEqual([good, last])
    rmSync(join(folder, last!))
    const resumed = await DiffSal.resume(folder, { threads: 1 })
    expect(resumed.steps).toBe(2)
    const seen = await until(resumed, blobs(4), plan, ({ type }) => type === 'step')
    expect(seen.at(-1)).toMatchObject({ type: 'step', step: 3 })
    // With checkpoints every other step the last one was gone on from.
    const rarely = await freshTrainer()
    await expectDiffSalError(
      () => spoilt(rarely, { ...plan, every: 2, checkpointDir: temporaryPath('rarely') }, 3),
      'ERR_DIFFSAL_DIVERGED',
      'last checkpoint, after step 2',
    )
    const other = await freshTrainer()
    await expectDiffSalError(() => spoilt(other, { epochs: 30, batch: 2 }, 3), 'ERR_DIFFSAL_DIVERGED', 'No checkpoint was written')
    await Promise.all([trainer, resumed, rarely, other].map(({ model }) => model.dispose()))
  })

  it('for a sample that cannot be read keeps the steps before it', async () => {
    const folder = temporaryPath('unreadable')
    const damaged = new Error("'img_00007.jpg' does not decode")
    let broken = true
    const dataset = blobs(8, {
      before: (i) => {
        if (i === 5 && broken) throw damaged
      },
    })
    const trainer = await freshTrainer()
    await expect(collect(trainer, dataset, { epochs: 3, batch: 1, checkpointDir: folder })).rejects.toBe(damaged)
    const { steps } = trainer
    broken = false
    const resumed = await DiffSal.resume(folder, { threads: 1 })
    expect(resumed.steps).toBe(steps)
    const rest = await collect(resumed, dataset, { epochs: 3, batch: 1, checkpointDir: folder })
    const whole = await freshTrainer()
    const expected = await collect(whole, dataset, { epochs: 3, batch: 1 })
    const steppedIn = (events: TrainingEvent[]) => events.filter(({ type }) => type === 'step').map(timeless)
    expect(steppedIn(rest)).toEqual(steppedIn(expected).slice(steps))
    await Promise.all([trainer, resumed, whole].map(({ model }) => model.dispose()))
  })

  it('of a resumed trainer is gone on with by the next one, and not from the start', async () => {
    const whole = await freshTrainer()
    const expected = (await collect(whole, blobs(4), { epochs: 3, batch: 1 })).map(timeless)
    const folder = temporaryPath('twice')
    const trainer = await freshTrainer()
    await collect(trainer, blobs(4), { epochs: 1, batch: 1, checkpointDir: folder })
    const resumed = await DiffSal.resume(folder, { threads: 1 })
    let reads = 0
    const flaky = blobs(4, {
      before: () => {
        if (++reads === 3) throw new Error('the disk is gone')
      },
    })
    const first: TrainingEvent[] = []
    const fails = async () => {
      for await (const event of resumed.fit(flaky, { epochs: 3, batch: 1, workers: 1 })) first.push(event)
    }
    await expect(fails()).rejects.toThrow('the disk is gone')
    const left = await until(resumed, blobs(4), { epochs: 3, batch: 1 }, ({ type }) => type === 'step')
    const rest = await collect(resumed, blobs(4), { epochs: 3, batch: 1, checkpointDir: folder })
    expect([...first, ...left, ...rest].filter(({ type }) => type !== 'checkpoint').map(timeless)).toEqual(expected.slice(4))
    // That one came to its end: what comes is another.
    expect(outline(await collect(resumed, blobs(1), { epochs: 1 }))).toEqual(['13', 'epoch'])
    await Promise.all([whole, trainer, resumed].map(({ model }) => model.dispose()))
  })

  it('writes no checkpoint of weights that are not finite', async () => {
    const spoilt = temporaryPath('spoilt.safetensors')
    const folder = temporaryPath('spoilt')
    const trainer = await freshTrainer({ lr: 0, optimiser: 'adamw' })
    await trainer.save(spoilt)
    // A mean that overflows in the update, of a gradient and a loss that do not.
    await fillTensor(spoilt, 'training/mean/decoder_net.conv_in.weight', Infinity)
    const resumed = await DiffSal.resume(spoilt, { threads: 1 })
    const plan: FitOptions = { epochs: 1, batch: 2, every: 1, checkpointDir: folder }
    await expectDiffSalError(() => collect(resumed, blobs(2), plan), 'ERR_DIFFSAL_DIVERGED', 'After step 1', 'decoder_net.conv_in.weight', 'No checkpoint')
    expect(readdirSync(folder)).toEqual([])
    await Promise.all([trainer, resumed].map(({ model }) => model.dispose()))
  })

  it('names a sample of the wrong shape, or without what the loss needs', async () => {
    const whole = (await blobs(4).get(3))!
    const small = blobs(4, { before: (i) => (i === 3 ? { ...whole, target: { ...whole.target, shape: [1, 16, 128] } } : undefined) })
    const trainer = await freshTrainer({ terms: { nss: -1 } })
    const fails = (dataset: SaliencyDataset, ...parts: (string | RegExp)[]) =>
      expectDiffSalError(() => collect(trainer, dataset, { epochs: 1, batch: 4 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', ...parts)
    await fails(small, /Sample 3 of the dataset \(frame 3 of 'odd'\)/, 'target.shape')
    const { fixations: _, ...bare } = whole
    await fails(blobs(4, { before: (i) => (i === 3 ? bare : undefined) }), "'fixations'", "frame 3 of 'odd'")
    const wide = { ...whole, frames: { ...whole.frames, shape: [8, 64, 32, 3] } }
    await fails(blobs(4, { before: (i) => (i === 3 ? wide : undefined) }), 'frames.shape', /frame \d of '/)
    const bright = { ...whole, target: { ...whole.target, data: whole.target.data.map((value) => 255 * value) } }
    await fails(blobs(4, { before: (i) => (i === 3 ? bright : undefined) }), "'target'", "frame 3 of 'odd'")
    await trainer.model.dispose()
  })

  it('is refused options and datasets that do not fit, before anything is read', async () => {
    const trainer = await freshTrainer({ accumulate: 2 })
    const refused = (dataset: unknown, options: unknown, part: string | RegExp) =>
      expectDiffSalError(() => collect(trainer, dataset as SaliencyDataset, options as FitOptions), 'ERR_DIFFSAL_INVALID_ARGUMENT', part)
    const data = blobs(4, {
      before: () => {
        throw new Error('it was read')
      },
    })
    await refused({}, { epochs: 1 }, "'dataset'")
    await refused(blobs(0), { epochs: 1 }, 'at least one sample')
    await refused(data, {}, "'epochs'")
    await refused(data, { epochs: 0 }, "'epochs'")
    await refused(data, { epoch: 1 }, "Did you mean 'epochs'")
    await refused(data, { epochs: 1, batch: 3 }, 'accumulate')
    await refused({ ...data, length: 7 }, { epochs: 1, batch: 4, dropLast: false }, /'dropLast'.*3 samples.*'accumulate' = 2/)
    await refused(data, { epochs: 1, checkpointDir: '' }, "'checkpointDir'")
    await refused(data, { epochs: 1, every: 2 }, /'every'.*checkpointDir/)
    await refused(data, { epochs: 1, keep: 2 }, /'keep'.*checkpointDir/)
    await refused(data, { epochs: 1, checkpointDir: 'x', keep: 0 }, "'keep'")
    await refused(data, { epochs: 1, seed: 1.5 }, "'seed'")
    await refused(data, { epochs: 1, by: 'cc' }, /'by'.*validate/)
    await refused(data, { epochs: 1, signal: {} }, "'signal'")
    await refused(data, { epochs: 1, validate: data }, 'validate')
    await refused(data, { epochs: 1, validate: { dataset: blobs(0) } }, "'validate.dataset'")
    await refused(data, { epochs: 1, validate: { dataset: { length: 1, get: data.get } } }, 'truth')
    await refused(data, { epochs: 1, validate: { dataset: data, step: 1 } }, "Did you mean 'steps'")
    await refused(data, { epochs: 1, validate: { dataset: data }, by: 'auc' }, "'by'")
    expect(trainer.steps).toBe(0)
    await trainer.model.dispose()
    await expectDiffSalError(() => collect(trainer, data, { epochs: 1 }), 'ERR_DIFFSAL_DISPOSED', 'model')
  })

  it('for a validation without ground truth, or while another fit runs', async () => {
    const trainer = await freshTrainer()
    const blind = { ...blobs(1), truth: () => undefined }
    await expectDiffSalError(() => collect(trainer, blobs(2), { epochs: 1, validate: { dataset: blind } }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'no ground truth')
    const running = trainer.fit(blobs(2), { epochs: 1 })
    await running.next()
    await expectDiffSalError(() => collect(trainer, blobs(2), { epochs: 1 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'Another fit must wait')
    await expectDiffSalError(() => trainer.step(trainingBatch()), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'A step of your own must wait')
    expect(trainer.steps).toBe(2)
    await running.return()
    expect(await collect(trainer, blobs(2), { epochs: 1 })).toHaveLength(2)
    await trainer.model.dispose()
  })
})
