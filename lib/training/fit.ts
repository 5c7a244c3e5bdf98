import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { Dataset, TrainingSample } from '../datasets/dataset.ts'
import { checkedSamples, clipsOf, melShape } from '../datasets/model-batches.ts'
import { loadBatches, type LoadedBatch } from '../datasets/prefetch.ts'
import { DiffSal } from '../diffsal.ts'
import { DiffSalError } from '../errors.ts'
import { evaluate } from '../evaluate.ts'
import { log } from '../log.ts'
import { temporaryIn } from '../media/output-file.ts'
import type { Scores } from '../metrics/score.ts'
import type { Trainer, TrainingStep } from '../trainer.ts'
import { CheckpointFolder } from './checkpoint-folder.ts'
import type { CheckpointEvent, EpochEvent, StepEvent, TrainingEvent, ValidationEvent } from './events.ts'
import { checkFit, type FitOptions, type FitPlan } from './fit-options.ts'
import { freshState, resumedState, type FitState, type Resumed } from './fit-state.ts'

/** How much of the running mean of a sample's time a step keeps. */
const paceKept = 0.9

type Events<E extends TrainingEvent> = AsyncGenerator<E, void, undefined>

/** One call of `Trainer.fit`. */
export class Fit {
  readonly #trainer: Trainer
  readonly #dataset: Dataset<TrainingSample>
  readonly #plan: FitPlan
  readonly #state: FitState
  readonly #folder: CheckpointFolder | undefined
  /** The last checkpoint: with its step, whether another one is due. */
  #saved: { readonly path: string; readonly step: number } | undefined
  #epochBegin = performance.now()
  /** Seconds that an index into the dataset takes, a running mean; and of these, samples that were trained on. */
  #pace: { readonly seconds: number; readonly samples: number } | undefined

  private constructor(
    trainer: Trainer,
    dataset: Dataset<TrainingSample>,
    plan: FitPlan,
    state: FitState,
    folder: CheckpointFolder | undefined,
    saved: Resumed | undefined,
  ) {
    this.#trainer = trainer
    this.#dataset = dataset
    this.#plan = plan
    this.#state = state
    this.#folder = folder
    this.#saved = saved
  }

  /** Checks all that can be checked before the first step. */
  static async begin(trainer: Trainer, resumed: Resumed | undefined, dataset: Dataset<TrainingSample>, options: FitOptions): Promise<Fit> {
    const plan = checkFit(trainer, dataset, options)
    plan.signal?.throwIfAborted()
    const { length } = dataset
    const state = resumed?.state ? resumedState({ ...resumed, state: resumed.state }, length, plan) : freshState(length, plan)
    const { checkpointDir, keep } = plan
    const folder = checkpointDir === undefined ? undefined : await CheckpointFolder.open(checkpointDir, keep, resumed)
    const saved = resumed?.step === trainer.steps && (folder?.continues ?? true)
    return new Fit(trainer, dataset, plan, state, folder, saved ? resumed : undefined)
  }

  async *run(): Events<TrainingEvent> {
    const { epochs, batch, seed, dropLast, workers, every, signal } = this.#plan
    const { config } = this.#trainer.model
    const state = this.#state
    // Stops the reading, whichever way this function is left.
    const leaving = new AbortController()
    const stop = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal])
    const batches = loadBatches(checkedSamples(this.#dataset, config), {
      ...{ batch, seed, dropLast, epochs, position: state.position, mel: melShape(config), signal: stop },
      ...(workers !== undefined && { workers }),
    })
    let ahead: Promise<IteratorResult<LoadedBatch, void>> | undefined
    let reading = false
    try {
      if (state.position.epoch > state.ended) yield* this.#endEpoch()
      for (;;) {
        const begin = performance.now()
        reading = true
        const { done, value: loaded } = await (ahead ?? batches.next())
        reading = false
        const waited = performance.now() - begin
        // An epoch's last samples may have been none, so that its end shows by what comes after.
        if (state.ended < (done ? epochs : loaded.epoch)) {
          state.position = { epoch: state.ended + 1, offset: 0 }
          yield* this.#endEpoch()
        }
        if (done) return
        ahead = batches.next()
        // What it rejects with is met when it is awaited, a step later.
        ahead.catch(() => undefined)
        const resumedAt = performance.now()
        const step = await this.#step(loaded)
        const seconds = (waited + performance.now() - resumedAt) / 1000
        yield this.#stepped(step, loaded, seconds, waited / 1000)
        if (state.position.epoch > state.ended) yield* this.#endEpoch()
        else if (every !== undefined && this.#trainer.steps % every === 0) yield* this.#checkpoint()
      }
    } catch (error) {
      // What was done since the last checkpoint is kept, unless the fault is in the training itself.
      if ((reading || signal?.aborted) && !this.#trainer.disposed) yield* this.#checkpoint()
      throw error
    } finally {
      leaving.abort()
      await ahead?.catch(() => undefined)
      await batches.return()
    }
  }

  async #step({ batch, samples }: LoadedBatch): Promise<TrainingStep> {
    const { model, options } = this.#trainer
    const { signal } = this.#plan
    const { target, fixations } = batch
    try {
      return await this.#trainer.step(
        { ...clipsOf(batch, model.config), target, ...(options.terms.nss !== 0 && fixations && { fixations }) },
        { ...(signal && { signal }) },
      )
    } catch (error) {
      if (!(error instanceof DiffSalError) || error === signal?.reason) throw error
      const { code, message, argument, expected, received } = error
      const names = samples.map(({ video, frame }) => `frame ${frame} of '${video}'`).join(', ')
      const more =
        code === 'ERR_DIFFSAL_DIVERGED' ? ` It holds ${names}. ${this.#wayOn()}`
        : code === 'ERR_DIFFSAL_INVALID_ARGUMENT' ? ` The batch holds ${names}.`
        : undefined
      if (more === undefined) throw error
      throw new DiffSalError(code, message + more, { cause: error, ...(argument && { argument }), ...(expected && { expected }), ...(received && { received }) })
    }
  }

  #wayOn(): string {
    if (this.#saved === undefined) return 'No checkpoint was written.'
    return `The last checkpoint, after step ${this.#saved.step}, is '${this.#saved.path}': Trainer.resume goes on from it.`
  }

  #stepped({ step, loss, gradNorm, lr }: TrainingStep, { samples, epoch, position }: LoadedBatch, seconds: number, waited: number): StepEvent {
    const state = this.#state
    const { length } = this.#dataset
    const index = ({ epoch, offset }: FitState['position']) => epoch * length + offset
    const indices = index(position) - index(state.position)
    const before = this.#pace
    const mean = (now: number, then = now) => paceKept * then + (1 - paceKept) * now
    this.#pace = { seconds: mean(seconds / indices, before?.seconds), samples: mean(samples.length / indices, before?.samples) }
    state.position = position
    state.loss.sum += loss * samples.length
    state.loss.samples += samples.length
    const remaining = (this.#plan.epochs * length - index(position)) * this.#pace.seconds
    const rate = this.#pace.samples / this.#pace.seconds
    return { type: 'step', step, epoch, loss, gradNorm, lr, samples: samples.length, seconds, waited, rate, remaining }
  }

  /** What follows an epoch's last step. Its checkpoint comes first: whoever resumes from it does the rest again. */
  async *#endEpoch(): Events<CheckpointEvent | EpochEvent | ValidationEvent> {
    const state = this.#state
    const { epochs, validate } = this.#plan
    yield* this.#checkpoint()
    const epoch = state.ended
    const { sum, samples } = state.loss
    const seconds = (performance.now() - this.#epochBegin) / 1000
    yield { type: 'epoch', epoch, steps: this.#trainer.steps, loss: sum / samples, seconds }
    if (validate && ((epoch + 1) % validate.every === 0 || epoch + 1 === epochs)) yield* this.#validate(epoch)
    state.ended += 1
    state.loss = { sum: 0, samples: 0 }
    this.#epochBegin = performance.now()
  }

  async *#validate(epoch: number): Events<ValidationEvent | CheckpointEvent> {
    const { by } = this.#plan
    const begin = performance.now()
    const scores = await this.#scores()
    const seconds = (performance.now() - begin) / 1000
    const score = scores.mean[by]
    if (Number.isNaN(score)) log('warn', `The score '${by}' is undefined for every frame of the validation, so no best model is chosen by it.`)
    const { best } = this.#state
    const better = !Number.isNaN(score) && (best === null || (by === 'kl' ? score < best.score : score > best.score))
    const step = this.#trainer.steps
    if (better) {
      if (this.#folder) await this.#saveWeights(this.#folder.best)
      this.#state.best = { by, score }
    }
    yield { type: 'validation', step, epoch, scores, best: better, seconds }
    if (better && this.#folder) yield { type: 'checkpoint', step, path: this.#folder.best, best: true }
  }

  /** Of the model, or of the average of its weights where one is kept. */
  async #scores(): Promise<Scores> {
    const { validate, signal, checkpointDir } = this.#plan
    const { dataset, options } = validate!
    const { model, options: trained } = this.#trainer
    const stop = signal && { signal }
    if (trained.ema === null) return evaluate(model, dataset, { ...options, ...stop })
    const path = temporaryIn(checkpointDir ?? tmpdir())
    try {
      await this.#saveWeights(path)
      await using average = await DiffSal.load(path, { device: model.device, threads: model.threads, ...stop })
      // Its pages stay while they are used.
      await rm(path)
      return await evaluate(average, dataset, { ...options, ...stop })
    } finally {
      await rm(path, { force: true })
    }
  }

  /** Writes what is validated. */
  async #saveWeights(path: string): Promise<void> {
    const { signal } = this.#plan
    const { model, options } = this.#trainer
    const stop = { ...(signal && { signal }) }
    await (options.ema === null ? model.save(path, stop) : this.#trainer.saveAverage(path, stop))
  }

  async *#checkpoint(): Events<CheckpointEvent> {
    const { steps } = this.#trainer
    if (this.#folder === undefined || steps === 0 || this.#saved?.step === steps) return
    const extra = { fit: this.#state }
    const path = await this.#folder.save(steps, (path) => this.#trainer.save(path, { extra }))
    this.#saved = { path, step: steps }
    yield { type: 'checkpoint', step: steps, path, best: false }
  }
}
