import { anySignal } from '../async/abort.ts'
import type { BatchShare } from '../addon/native.ts'
import type { Dataset, TrainingSample } from '../datasets/dataset.ts'
import { silence } from '../datasets/collate.ts'
import { checkedSamples, clipsOf, melShape } from '../datasets/model-batches.ts'
import { startAhead } from '../async/start-ahead.ts'
import { loadShare, type LoadedShare } from '../datasets/prefetch.ts'
import { isPeerError, type GroupHands } from '../distributed/group.ts'
import type { DiffSalConfig } from '../config.ts'
import { DiffSalError } from '../errors.ts'
import { evaluateShare, type ScoredModel } from '../evaluate.ts'
import { log } from '../log.ts'
import type { Scores } from '../metrics/score.ts'
import type { TrainingBatch } from './batch.ts'
import { bestBeside, bestMetadata, CheckpointFolder, type BestWeights } from './checkpoint-folder.ts'
import { afterValidation, isBetter } from './early-stop.ts'
import type { CheckpointEvent, EpochEvent, StepEvent, StopEvent, TrainingEvent, TrainingStep, ValidationEvent } from './events.ts'
import { stepsOf } from './epoch-steps.ts'
import { checkFit, type FitOptions, type FitPlan } from './fit-options.ts'
import { freshState, resumedState, type BestScore, type FitState, type Resumed } from './fit-state.ts'
import { TensorBoard } from './tensorboard.ts'
import type { Trained } from './trained.ts'

/** How much of the running mean of a sample's time a step keeps. */
const paceKept = 0.9

/** Steps from one look whether all processes of a group have the same weights to the next. */
const lookEvery = 50

/** What a trainer does for its fit alone. */
export interface FitHands {
  /** Who shares its steps; undefined where it trains alone. */
  readonly hands: GroupHands | undefined
  step(batch: TrainingBatch, signal: AbortSignal | undefined, share: BatchShare | undefined): Promise<TrainingStep>
  /** The error for weights that are not the same in all processes; undefined where they are. */
  differing(): Promise<DiffSalError | undefined>
  /** Writes a checkpoint. */
  save(path: string, fit: FitState): Promise<void>
  /** Writes the weights that are validated, and these words with them. */
  saveWeights(path: string, metadata: Record<string, string>, signal: AbortSignal | undefined): Promise<void>
  /** The average of the weights as a model, for as long as no step is taken. */
  average(signal: AbortSignal | undefined): Promise<ScoredModel & AsyncDisposable>
  /** The name of a tensor that is not finite; empty where all are. */
  spoilt(): Promise<string>
}

/** What processes that fit together must agree on: all that decides which samples are in which step, and when all meet beside the steps. */
function sameInAll({ batch, seed, dropLast, epochs, validate }: FitPlan) {
  return { batch, seed, dropLast, epochs, validateEvery: validate?.every ?? null }
}

/** Says it where the learning rate is 0 long before the fit ends: a step costs as much then as one that teaches. */
function warnOfIdleSteps({ options: { schedule }, steps }: Trained, plan: FitPlan, { data, position }: FitState): void {
  if (schedule.kind !== 'cosine') return
  const { total } = schedule
  const { epochs } = plan
  const last = steps + Math.max(0, epochs - position.epoch) * stepsOf(data.length, plan) - stepsOf(position.offset, plan)
  if (last <= Math.max(total, steps)) return
  const needed = `${epochs} ${epochs === 1 ? 'epoch ends' : 'epochs end'} after step ${last}`
  log(
    'warn',
    `The learning rate is 0 after step ${total}, the schedule's 'total', but ${needed}: the rest learns nothing. Give fewer epochs, or a greater total.`,
  )
}

/** Samples of a batch, those of other processes too. */
function sizeOf({ samples, share }: LoadedShare): number {
  return share?.whole ?? samples.length
}

/** What stands in where a batch has fewer samples than there are processes. It does not count. */
function blankSample({ clipLength, size: [height, width] }: DiffSalConfig): TrainingSample {
  return {
    ...{ video: '', frame: 0, audio: silence },
    frames: { dtype: 'uint8', shape: [clipLength, height, width, 3], data: new Uint8Array(clipLength * height * width * 3) },
    target: { dtype: 'float32', shape: [1, height, width], data: new Float32Array(height * width) },
    fixations: { dtype: 'uint8', shape: [1, height, width], data: new Uint8Array(height * width) },
  }
}

type Events<E extends TrainingEvent> = AsyncGenerator<E, void, undefined>

/** One call of `Trainer.fit`. */
export class Fit {
  readonly #trainer: Trained
  readonly #hands: FitHands
  readonly #dataset: Dataset<TrainingSample>
  readonly #plan: FitPlan
  readonly #state: FitState
  readonly #folder: CheckpointFolder | undefined
  /** The last checkpoint: with its step, whether another one is due. */
  #saved: { readonly path: string; readonly step: number } | undefined
  /** The step whose checkpoint is known to be one to go on from. */
  #settled: number | undefined
  /** The best model's weights that lay beside the checkpoint that was resumed. */
  #stored: BestWeights | undefined
  /** Whether the early stop has ended it. */
  #stopped = false
  #epochBegin = performance.now()
  /** Whether these weights may be other processes' no more, so that they are none to go on from. */
  #doubtful = false
  /** Seconds that an index into the dataset takes, a running mean; and of these, samples that were trained on. */
  #pace: { readonly seconds: number; readonly samples: number } | undefined

  private constructor(
    trainer: Trained,
    hands: FitHands,
    dataset: Dataset<TrainingSample>,
    plan: FitPlan,
    state: FitState,
    folder: CheckpointFolder | undefined,
    saved: Resumed | undefined,
    stored: BestWeights | undefined,
  ) {
    this.#trainer = trainer
    this.#hands = hands
    this.#dataset = dataset
    this.#plan = plan
    this.#state = state
    this.#folder = folder
    this.#saved = saved
    this.#stored = stored
  }

  /** Checks all that can be checked before the first step. */
  static async begin(trainer: Trained, hands: FitHands, resumed: Resumed | undefined, dataset: Dataset<TrainingSample>, options: FitOptions): Promise<Fit> {
    const { hands: group } = hands
    const plan = checkFit(trainer, dataset, options, group?.worldSize)
    plan.signal?.throwIfAborted()
    const { length } = dataset
    await group?.agree('All processes must fit alike', { length, ...sameInAll(plan), position: resumed?.state?.position ?? null }, plan.signal)
    const { checkpointDir, keep, validate } = plan
    const beside = resumed && validate && (await bestBeside(resumed.path))
    // A later one is of steps that are done again.
    const stored = beside && beside.step <= resumed.step ? beside : undefined
    const state = resumed?.state ? resumedState({ ...resumed, state: resumed.state }, stored, length, plan) : freshState(length, plan)
    // One process writes for all.
    const writes = checkpointDir !== undefined && (group?.rank ?? 0) === 0
    const folder = !writes ? undefined : await CheckpointFolder.open(checkpointDir, keep, resumed)
    if (validate && folder && state.best && !(folder.continues ? beside : stored)) {
      log(
        'warn',
        `The best weights of before are not beside the checkpoint '${resumed!.path}' any more, so the next validation begins the search for the best anew.`,
      )
      state.best = null
    }
    if ((group?.rank ?? 0) === 0) warnOfIdleSteps(trainer, plan, state)
    const saved = resumed?.step === trainer.steps && (folder?.continues ?? true)
    return new Fit(trainer, hands, dataset, plan, state, folder, saved ? resumed : undefined, stored)
  }

  /** Where another fit goes on after this one, which went on from `resumed`. */
  place(resumed: Resumed): Resumed {
    const { path, step } = this.#saved ?? resumed
    return { path, step, state: this.#state }
  }

  async *run(): Events<TrainingEvent> {
    const { tensorboard } = this.#plan
    // In a group, one process writes for all.
    if (tensorboard === undefined || (this.#hands.hands?.rank ?? 0) > 0) return yield* this.#train()
    await using board = await TensorBoard.open(tensorboard, this.#trainer.steps)
    for await (const event of this.#train()) {
      await board.write(event)
      yield event
    }
  }

  async *#train(): Events<TrainingEvent> {
    const { epochs, batch, seed, dropLast, workers, every, signal } = this.#plan
    const { config } = this.#trainer.model
    const state = this.#state
    const { hands: group } = this.#hands
    // Stops the reading, whichever way this function is left.
    const leaving = new AbortController()
    const stop = anySignal(signal, leaving.signal)
    const plan = {
      ...{ batch, seed, dropLast, epochs, position: state.position, mel: melShape(config), signal: stop },
      ...(workers !== undefined && { workers }),
    }
    const batches = loadShare(checkedSamples(this.#dataset, config, true), plan, group && { hands: group, blank: blankSample(config) })
    // One, so that a batch is put together while the one before is stepped on.
    const results = startAhead(batches, async (loaded) => loaded, { most: 1, leaving })
    let reading = false
    try {
      if (state.position.epoch > state.ended) yield* this.#endEpoch()
      while (!this.#stopped) {
        const begin = performance.now()
        reading = true
        const { done, value: loaded } = await results.next()
        reading = false
        const waited = performance.now() - begin
        // An epoch's last samples may have been none, so that its end shows by what comes after.
        if (state.ended < (done ? epochs : loaded.epoch)) {
          state.position = { epoch: state.ended + 1, offset: 0 }
          yield* this.#endEpoch()
        }
        if (done || this.#stopped) break
        if (sizeOf(loaded) % this.#trainer.options.accumulate === 0) {
          const resumedAt = performance.now()
          const step = await this.#step(loaded)
          const seconds = (waited + performance.now() - resumedAt) / 1000
          await this.#settle()
          if (group && step.step % lookEvery === 0) await this.#look()
          yield this.#stepped(step, loaded, seconds, waited / 1000)
        } else {
          this.#passOver(loaded)
        }
        if (state.position.epoch > state.ended) yield* this.#endEpoch()
        else if (every !== undefined && this.#trainer.steps % every === 0) yield* this.#checkpoint()
      }
      await this.#settle()
    } catch (error) {
      await group?.fail(error)
      // What was done since the last checkpoint is kept, unless the fault is in the training itself.
      if ((reading || signal?.aborted || isPeerError(error)) && !this.#doubtful && !this.#trainer.disposed) yield* this.#checkpoint()
      throw error
    } finally {
      await results.return()
      await batches.return()
    }
  }

  /** Ends the fit where the processes' weights are not the same any more. */
  async #look(): Promise<void> {
    const differing = await this.#hands.differing()
    if (differing === undefined) return
    this.#doubtful = true
    throw differing
  }

  async #step({ batch, samples, share }: LoadedShare): Promise<TrainingStep> {
    const { model, options } = this.#trainer
    const { signal } = this.#plan
    const { target, fixations } = batch
    try {
      return await this.#hands.step({ ...clipsOf(batch, model.config), target, ...(options.terms.nss !== 0 && fixations && { fixations }) }, signal, share)
    } catch (error) {
      if (!(error instanceof DiffSalError) || error === signal?.reason) throw error
      const { code, message, argument, expected, received } = error
      const names = samples.map(({ video, frame }) => `frame ${frame} of '${video}'`).join(', ')
      const more =
        code === 'ERR_DIFFSAL_DIVERGED'
          ? ` It holds ${names}. ${await this.#wayOn()}`
          : code === 'ERR_DIFFSAL_INVALID_ARGUMENT'
            ? ` The batch holds ${names}.`
            : undefined
      if (more === undefined) throw error
      throw new DiffSalError(code, message + more, {
        cause: error,
        ...(argument && { argument }),
        ...(expected && { expected }),
        ...(received && { received }),
      })
    }
  }

  /** Leaves out an epoch's last batch, of a size that it has because samples were none. */
  #passOver(loaded: LoadedShare): void {
    const { epoch, position } = loaded
    const { accumulate } = this.#trainer.options
    const why = `the last batch of epoch ${epoch} has ${sizeOf(loaded)}, because samples were passed over, which 'accumulate' = ${accumulate} does not divide`
    if (this.#state.loss.samples === 0) {
      const message = `The dataset has too few samples that are not passed over: ${why}, and the epoch has no other.`
      throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', message, { argument: 'dataset' })
    }
    log('warn', `${sizeOf(loaded)} samples are left out: ${why}.`)
    this.#state.position = position
  }

  /** After a step, or at the end: from the last checkpoint the training goes on. */
  async #settle(): Promise<void> {
    if (this.#saved === undefined || this.#settled === this.#saved.step) return
    await this.#folder?.settle(this.#saved.step)
    this.#settled = this.#saved.step
  }

  /** What there is to go on from: the last checkpoint, unless the step that fails is the first after it. */
  async #wayOn(): Promise<string> {
    const last = this.#saved
    if (last === undefined) return 'No checkpoint was written.'
    if (this.#trainer.steps > last.step) return `The last checkpoint, after step ${last.step}, is '${last.path}': DiffSal.resume goes on from it.`
    const fails = `the step after the last checkpoint, '${last.path}', is the one that fails`
    const before = await this.#folder?.before(last.step)
    if (before === undefined) return `There is no checkpoint to go on from: ${fails}.`
    return `The checkpoint to go on from with DiffSal.resume, after step ${before.step}, is '${before.path}': ${fails}. Remove that one first, or give another 'checkpointDir'.`
  }

  #stepped({ step, loss, gradNorm, lr }: TrainingStep, loaded: LoadedShare, seconds: number, waited: number): StepEvent {
    const { epoch, position } = loaded
    const samples = sizeOf(loaded)
    const state = this.#state
    const { length } = this.#dataset
    const index = ({ epoch, offset }: FitState['position']) => epoch * length + offset
    const indices = index(position) - index(state.position)
    const before = this.#pace
    const mean = (now: number, then = now) => paceKept * then + (1 - paceKept) * now
    this.#pace = { seconds: mean(seconds / indices, before?.seconds), samples: mean(samples / indices, before?.samples) }
    state.position = position
    state.loss.sum += loss * samples
    state.loss.samples += samples
    const remaining = (this.#plan.epochs * length - index(position)) * this.#pace.seconds
    const rate = this.#pace.samples / this.#pace.seconds
    return { type: 'step', step, epoch, loss, gradNorm, lr, samples, seconds, waited, rate, remaining }
  }

  /** What follows an epoch's last step. Its checkpoint comes first: whoever resumes from it does the rest again. */
  async *#endEpoch(): Events<CheckpointEvent | EpochEvent | ValidationEvent | StopEvent> {
    const state = this.#state
    const { epochs, validate } = this.#plan
    if (this.#hands.hands) await this.#look()
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

  async *#validate(epoch: number): Events<ValidationEvent | CheckpointEvent | StopEvent> {
    const { by, epochs, earlyStop } = this.#plan
    const begin = performance.now()
    const scores = await this.#scores()
    const seconds = (performance.now() - begin) / 1000
    const score = scores.mean[by]
    if (Number.isNaN(score)) log('warn', `The score '${by}' is undefined for every frame of the validation, so no best model is chosen by it.`)
    const step = this.#trainer.steps
    const best = this.#bestBefore(step)
    const better = !Number.isNaN(score) && (best === null || isBetter(by, score, best.score))
    if (better && this.#folder) await this.#hands.saveWeights(this.#folder.best, bestMetadata({ by, score }, step), this.#plan.signal)
    this.#state.best = better ? { by, score } : best
    yield { type: 'validation', step, epoch, scores, best: better, seconds }
    if (better && this.#folder) yield { type: 'checkpoint', step, path: this.#folder.best, best: true }
    if (earlyStop === undefined) return
    const standstill = afterValidation(earlyStop, this.#state.standstill, scores.mean[earlyStop.by])
    this.#state.standstill = standstill
    this.#stopped = standstill.validations >= earlyStop.patience && epoch + 1 < epochs
    if (this.#stopped) yield { type: 'stop', step, epoch, ...standstill }
  }

  /** The best score of the validations before that of this step. The last one of a fit that is trained on may have come after its checkpoint. */
  #bestBefore(step: number): BestScore | null {
    const { best } = this.#state
    const { by } = this.#plan
    const stored = this.#stored
    if (stored?.by !== by || stored.step >= step) return best
    if (best && !isBetter(by, stored.score, best.score)) return best
    return { by, score: stored.score }
  }

  /** Of the model, or of the average of its weights where one is kept. */
  async #scores(): Promise<Scores> {
    const { validate, signal } = this.#plan
    const { dataset, options } = validate!
    const plan = { ...options, ...(signal && { signal }) }
    const { hands: group } = this.#hands
    if (this.#trainer.options.ema === null) return evaluateShare(this.#trainer.model, dataset, plan, group)
    await using average = await this.#hands.average(signal)
    return await evaluateShare(average, dataset, plan, group)
  }

  async *#checkpoint(): Events<CheckpointEvent> {
    const { steps } = this.#trainer
    if (this.#folder === undefined || steps === 0 || this.#saved?.step === steps) return
    await this.#checkWeights()
    const path = await this.#folder.save(steps, (path) => this.#hands.save(path, this.#state))
    // Now that the folder holds a checkpoint that is resumed in it.
    if (this.#saved === undefined && this.#stored && !this.#folder.continues) await this.#folder.copyBest(this.#stored)
    this.#saved = { path, step: steps }
    yield { type: 'checkpoint', step: steps, path, best: false }
  }

  /** Refuses to keep weights that the last step's update has spoilt, which its loss does not show yet. */
  async #checkWeights(): Promise<void> {
    const name = await this.#hands.spoilt()
    if (name === '') return
    const message = `After step ${this.#trainer.steps} the weights '${name}' are not finite, so no checkpoint of them is written. Lower the learning rate. ${await this.#wayOn()}`
    throw new DiffSalError('ERR_DIFFSAL_DIVERGED', message, { argument: name, expected: 'finite', received: 'NaN or infinity' })
  }
}
