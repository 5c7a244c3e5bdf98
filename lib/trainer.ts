import { abortable, abortableWhole } from './addon/cancel.ts'
import { native, type BatchShare, type NativeModel, type NativeTrainer } from './addon/native.ts'
import { fixed } from './checks/fixed.ts'
import { checkString } from './checks/options.ts'
import { later, readOptions, signal as signalOption, type OptionTable } from './checks/table.ts'
import type { Dataset, TrainingSample } from './datasets/dataset.ts'
import { peerError, type GroupHands } from './distributed/group.ts'
import { DiffSalError, invalidArgument, invalidArgumentText, madeBy } from './errors.ts'
import type { ScoredModel } from './evaluate.ts'
import { checkReplaceable, writingPlan } from './files/output-place.ts'
import { predict } from './predict.ts'
import type { Tensor } from './tensor.ts'
import { checkBatch, isStill, shareOf, type TrainingBatch } from './training/batch.ts'
import { isFolder, newestOf } from './training/checkpoint-folder.ts'
import { readTrainingHeader, trainingHeader, trainingPrefix, weightsHeader, type TrainingCheckpoint, type TrainingMetadata } from './training/checkpoint.ts'
import type { TrainingEvent, TrainingStep } from './training/events.ts'
import { checkExtra } from './training/extra.ts'
import type { FitOptions } from './training/fit-options.ts'
import { fitStateOf, type Resumed } from './training/fit-state.ts'
import { Fit, type FitHands } from './training/fit.ts'
import { checkPatterns, isMeant, membersOf } from './training/groups.ts'
import { lrOption, type ResolvedTrainerOptions, type SharedTraining } from './training/options.ts'
import type { TrainedModel } from './training/trained.ts'

const ours = Symbol('trainer')

/** How a trainer does something that can be stopped. */
export interface StepOptions {
  /** Rejects with the signal's reason when aborted. */
  signal?: AbortSignal | undefined
}

/** How to save a training. */
export interface SaveTrainingOptions extends StepOptions {
  /** Anything that JSON holds unchanged, to be found again in `Trainer.extra`; the position in the data, say. Default: nothing. */
  extra?: unknown
}

/** Which gradients. */
export interface GradientOptions extends StepOptions {
  /** Of which parameters: beginnings of names, or, with `*` for any text, whole names. Default: all that are trained. */
  names?: readonly string[] | undefined
}

const stepTable = { signal: signalOption } satisfies OptionTable<StepOptions>
const saveTable = { ...stepTable, extra: later<unknown>() } satisfies OptionTable<SaveTrainingOptions>
const gradientTable = { ...stepTable, names: later<readonly string[]>() } satisfies OptionTable<GradientOptions>

/** A trainer of a model; `live` gives the model's handle, or throws when it was disposed. */
export let makeTrainer: <Model extends TrainedModel>(
  model: Model,
  live: () => NativeModel,
  options: ResolvedTrainerOptions,
  sharing: SharedTraining | undefined,
) => Trainer<Model>

/** Puts a trainer of a checkpoint's model and options where the checkpoint was written. */
let restore: (trainer: Trainer, path: string, stored: TrainingCheckpoint, passedOver: readonly number[], signal: AbortSignal | undefined) => Promise<void>

/**
 * Trains a model in place, a batch a step, and holds what that takes beside the weights: Adam's state, the weights' running average,
 * the random state. Made by `DiffSal.trainer` and `DiffSal.resume`. Calls may overlap; they run one after the other. The model
 * may predict between steps.
 */
export class Trainer<Model extends TrainedModel = TrainedModel> {
  /** The model that is trained. */
  readonly model: Model
  /** The complete options. */
  readonly options: Readonly<ResolvedTrainerOptions>
  readonly #native: NativeTrainer
  readonly #live: () => NativeModel
  readonly #hands: GroupHands | undefined
  /** That all processes begin with the same, which comes before the first shared step. */
  #begun: Promise<void> | undefined
  /** Names of the parameters that are trained. */
  readonly #trained: readonly string[]
  #steps = 0
  #lr: number
  #extra: unknown
  /** Where the next fit goes on, if it does not begin anew. */
  #resumed: Resumed | undefined
  #fitting = false
  #closing: Promise<void> | undefined

  private constructor(key: symbol, model: Model, live: () => NativeModel, options: ResolvedTrainerOptions, sharing: SharedTraining | undefined) {
    if (key !== ours) throw madeBy('Trainer', 'DiffSal.trainer or DiffSal.resume')
    if (sharing?.hands.backend === 'nccl' && model.device === 'cpu') {
      throw invalidArgumentText('group', "one with the backend 'gloo' for a model on the CPU", "one with the backend 'nccl'")
    }
    this.model = model
    this.options = options
    fixed(this, 'model', 'options')
    this.#live = live
    this.#hands = sharing?.hands
    this.#lr = options.lr
    const names = live()
      .parameters()
      .flatMap(({ name, buffer }) => (buffer ? [] : [name]))
    const members = membersOf(options, names)
    this.#trained = names.filter((name) => !members.frozen.includes(name))
    const own = { ...options, ...members, clip: options.clip ?? Infinity }
    this.#native = sharing ? new (native().Trainer)(live(), own, sharing.hands.native, sharing.synchronise) : new (native().Trainer)(live(), own)
  }

  /** Steps done. */
  get steps(): number {
    return this.#steps
  }

  /**
   * The full learning rate, at first the option `lr`. Another one, 0 to 1000, counts for the steps that are asked for from then on. A schedule goes on: what it
   * multiplies, by its warm-up, milestones or cosine, is the new rate, and so do the groups' `lrScale`s. It may be set while a fit runs, between two
   * events. A checkpoint holds the rate as it is when it is written, and {@link DiffSal.resume} goes on with it.
   *
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED
   */
  get lr(): number {
    return this.#lr
  }

  /** The full learning rate of the steps that are asked for from then on, 0 to 1000. */
  set lr(rate: number) {
    this.#checkAlive()
    this.#lr = lrOption.check('lr', rate)
  }

  /** What {@link save} was given as `extra` in the checkpoint that this trainer was resumed from. */
  get extra(): unknown {
    return this.#extra
  }

  /** Whether {@link dispose} was called, of the trainer or its model. */
  get disposed(): boolean {
    return this.#closing !== undefined || this.model.disposed
  }

  /**
   * Trains on a dataset, epoch after epoch, and tells of each step, epoch, validation and checkpoint as it happens. Samples are read
   * while the steps run. Leaving the loop stops it.
   *
   * With `checkpointDir` a checkpoint is written at each epoch's end, and every so many steps: `step-00000120.safetensors`, of which the last
   * few are kept, and `best.safetensors`, the weights that validated best, for `DiffSal.load`. A process that is killed is
   * gone on from by `(await DiffSal.resume(checkpointDir)).fit(dataset, options)` with the same dataset and options: what follows is bit for bit what
   * would have followed. An epoch's checkpoint comes before its `epoch` and `validation` events, which a resume from it tells again.
   * A fit of a resumed trainer that fails or is left does not lose the place: the next one goes on after its last whole step.
   *
   * @param dataset - any object with `length` and `get(i)`; `datasets.openDataset` and `datasets.concatDatasets` give some. Samples fit
   * the model: frames of its clip length, or all of one frame ({@link TrainingBatch}); targets of its size
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for options, samples (named) and folders that do not fit; ERR_DIFFSAL_DIVERGED with the step
   * and the checkpoint to go on from; ERR_DIFFSAL_NO_SPACE and ERR_DIFFSAL_FILE where a checkpoint cannot be written, the older ones stay; what the
   * dataset throws, after a checkpoint of the last whole step; ERR_DIFFSAL_DISPOSED, ERR_DIFFSAL_OUT_OF_MEMORY
   */
  async *fit(dataset: Dataset<TrainingSample>, options: FitOptions): AsyncGenerator<TrainingEvent, void, undefined> {
    this.#checkAlive()
    this.#checkIdle('Another fit')
    this.#fitting = true
    let left = true
    try {
      await this.#begin(undefined)
      const resumed = this.#resumed
      const fit = await Fit.begin(this, this.#fitHands(), resumed, dataset, options)
      let ended = false
      try {
        yield* fit.run()
        ended = true
        left = false
      } finally {
        this.#resumed = resumed && !ended ? fit.place(resumed) : undefined
      }
    } catch (error) {
      left = false
      await this.#hands?.fail(error)
      throw error
    } finally {
      this.#fitting = false
      if (left) await this.#hands?.fail(new Error('it has left its fit.'))
    }
  }

  /**
   * One step: noises the targets, denoises them under their clips, and moves the weights down the loss's gradient. It is done whole or
   * not at all: where it rejects, weights, running statistics and random state are as before. So an aborted one rejects when its
   * work has stopped, and resolves where the abort came too late. While a fit runs only that takes steps.
   *
   * @param batch - clips and their maps, of a size that the option `accumulate` divides
   * @param options - `signal`: rejects with its reason when aborted
   * @throws DiffSalError ERR_DIFFSAL_DIVERGED where loss or gradient are not finite, ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED,
   * ERR_DIFFSAL_OUT_OF_MEMORY
   */
  async step(batch: TrainingBatch, options?: StepOptions): Promise<TrainingStep> {
    const { signal } = readOptions('options', options, stepTable)
    this.#checkIdle('A step of your own')
    return this.#step(batch, signal)
  }

  /**
   * The gradients of the last step that was asked for before, by the parameters' names: of the whole batch, also where `accumulate` cuts it, and before
   * they were clipped. Needs the option `keepGradients`. Zeros where the loss does not depend on a parameter; what is frozen has none. A step of
   * `lr` 0 gives them without moving the weights.
   *
   * @returns for each parameter, in the model's order, float32 of its shape
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, also where this trainer has not taken a step yet; ERR_DIFFSAL_DISPOSED, ERR_DIFFSAL_OUT_OF_MEMORY
   */
  async gradients(options?: GradientOptions): Promise<Map<string, Tensor<'float32'>>> {
    const { names, signal } = readOptions('options', options, gradientTable)
    this.#checkAlive()
    if (!this.options.keepGradients) throw invalidArgument('keepGradients', 'true in the options of a trainer whose gradients are asked for', false)
    const patterns = names === undefined ? [''] : checkPatterns('names', names, this.#trained)
    const wanted = this.#trained.filter((name) => patterns.some((pattern) => isMeant(pattern, name)))
    const gradients = await abortable(signal, (cancel) => this.#native.gradients(wanted, cancel))
    return new Map(gradients.map(({ name, tensor }) => [name, tensor]))
  }

  /**
   * The Euclidean norm of each gradient of the last step that was asked for before, by the parameters' names, before they were clipped: which part of
   * the network learns, and which does not. The root of the sum of their squares is the step's `gradNorm`. 0 where the loss does not depend on
   * a parameter; what is frozen has none.
   *
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where this trainer has not taken a step yet; ERR_DIFFSAL_DISPOSED
   */
  async gradientNorms(): Promise<Map<string, number>> {
    this.#checkAlive()
    return new Map((await this.#native.gradientNorms()).map(({ name, norm }) => [name, norm]))
  }

  async #step(batch: TrainingBatch, signal: AbortSignal | undefined, fitted?: BatchShare): Promise<TrainingStep> {
    this.#checkAlive()
    let checked = checkBatch(this.model.config, this.options, batch, fitted)
    const hands = this.#hands
    try {
      if (hands && isStill(batch)) throw invalidArgumentText('frames', 'clips, where processes train together', 'stills of one frame')
      if (hands && fitted === undefined) {
        await this.#begin(signal)
        const sizes = await hands.exchange('step', checked.target.shape[0]!, signal)
        checked = { ...checked, share: shareOf(hands.rank, sizes, this.options.accumulate) }
      }
      const done = await abortableWhole(signal, (cancel) => this.#native.step(checked, this.#lr, cancel))
      this.#steps = done.step
      return done
    } catch (error) {
      // The others wait for this process's part of the step.
      await hands?.fail(error)
      throw error
    }
  }

  /** Sees to it that all processes of the group go on from the same, once: rank 0's weights and state. */
  #begin(signal: AbortSignal | undefined): Promise<void> {
    const hands = this.#hands
    if (hands === undefined) return Promise.resolve()
    this.#begun ??= (async () => {
      const { config } = this.model
      await hands.agree('All processes must train the same network in the same way', { config, options: this.options, steps: this.#steps }, signal)
      await abortable(signal, (cancel) => this.#native.beginSharing(cancel))
    })()
    return this.#begun
  }

  /** The error for weights that are not, bit for bit, the same in all processes; undefined where they are. */
  async #differing(hands: GroupHands): Promise<DiffSalError | undefined> {
    const all = await hands.exchange('weights', await this.#native.fingerprint())
    const others = all.flatMap((each, rank) => (each === all[0] ? [] : [rank]))
    if (others.length === 0) return undefined
    // Where most differ from rank 0, that is the odd one.
    const odd = others.length > all.length / 2 ? 0 : others[0]!
    const message = `After step ${this.#steps} the weights of rank ${odd} are not those of the others. Its memory or its device may be at fault; go on from the last checkpoint.`
    return peerError(odd, message)
  }

  /**
   * Writes all that `DiffSal.resume` needs to a safetensors file, beside `path` first and then renamed. `DiffSal.load` reads it too, for
   * its weights.
   *
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE, ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED
   */
  async save(path: string, options?: SaveTrainingOptions): Promise<void> {
    const { extra, signal } = readOptions<SaveTrainingOptions, typeof saveTable>('options', options, saveTable)
    this.#checkAlive()
    checkReplaceable(checkString('path', path))
    await this.#save(path, { extra: checkExtra(extra) }, signal)
  }

  async #save(path: string, more: Pick<TrainingMetadata, 'extra' | 'fit'>, signal?: AbortSignal): Promise<void> {
    this.#checkAlive()
    const lr = this.#lr === this.options.lr ? {} : { lr: this.#lr }
    const header = trainingHeader(this.#native.tensors(), this.model.config, { version: 1, options: this.options, ...lr, ...more })
    await abortable(signal, (cancel) => this.#native.save(writingPlan(path), header, cancel))
  }

  /**
   * Writes the running average of the weights (the option `ema`) as a weights file for `DiffSal.load`.
   *
   * @throws DiffSalError as {@link save} does, ERR_DIFFSAL_INVALID_ARGUMENT where no average is kept
   */
  async saveAverage(path: string, options?: StepOptions): Promise<void> {
    const { signal } = readOptions('options', options, stepTable)
    this.#checkAlive()
    checkReplaceable(checkString('path', path))
    if (this.options.ema === null) throw invalidArgument('ema', 'set in the options of a trainer whose average is saved', null)
    await this.#saveWeights(path, {}, signal)
  }

  /** Writes the weights, or their average where one is kept, for `DiffSal.load`. */
  async #saveWeights(path: string, metadata: Record<string, string>, signal: AbortSignal | undefined): Promise<void> {
    this.#checkAlive()
    const model = this.#live()
    const header = weightsHeader(model.parameters(), { diffsal: JSON.stringify(this.model.config), ...metadata })
    await abortable(signal, (cancel) =>
      this.options.ema === null ? model.save(writingPlan(path), header, 'float32', cancel) : this.#native.saveAverage(writingPlan(path), header, cancel),
    )
  }

  /** The average of the weights as a model of its own, on its own thread. It shares their memory, so that no step may be taken meanwhile. */
  async #average(signal: AbortSignal | undefined): Promise<ScoredModel & AsyncDisposable> {
    this.#checkAlive()
    const { config, device, threads } = this.model
    const average = new (native().Model)({ threads })
    try {
      await abortable(signal, (cancel) => this.#native.lendAverage(average, cancel))
      await abortable(signal, (cancel) => average.build(config, device, { lent: true }, cancel, 'float32'))
    } catch (error) {
      await average.close()
      throw error
    }
    return {
      config,
      predict: (input, options) => predict(average, config, input, options) as Promise<Tensor<'float32'>>,
      [Symbol.asyncDispose]: () => average.close(),
    }
  }

  /** Frees the state that training takes beside the weights, after the work that was asked for before. The model stays. */
  dispose(): Promise<void> {
    // A model that is disposed frees its trainers with it.
    this.#closing ??= this.model.disposed ? this.model.dispose() : this.#native.dispose()
    return this.#closing
  }

  /** {@link dispose}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  /** What a fit does with this trainer that nobody else may meanwhile. */
  #fitHands(): FitHands {
    const hands = this.#hands
    return {
      hands,
      step: (batch, signal, share) => this.#step(batch, signal, share),
      differing: async () => hands && this.#differing(hands),
      save: (path, fit) => this.#save(path, { fit }),
      saveWeights: (path, metadata, signal) => this.#saveWeights(path, metadata, signal),
      average: (signal) => this.#average(signal),
      spoilt: () => this.#native.spoilt(),
    }
  }

  /** Refuses what would get into a fit's way. */
  #checkIdle(what: string): void {
    if (!this.#fitting) return
    const message = `A fit of this trainer is running. ${what} must wait until it has ended, or its loop was left.`
    throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', message, { argument: 'trainer', expected: 'one without a running fit' })
  }

  static {
    makeTrainer = (model, live, options, sharing) => new Trainer(ours, model, live, options, sharing)
    restore = async (trainer, path, { checkpoint, training }, passedOver, signal) => {
      const entries = [...checkpoint.tensors].filter(([name]) => name.startsWith(trainingPrefix)).map(([name, entry]) => ({ name, ...entry }))
      trainer.#steps = await abortable(signal, (cancel) => trainer.#native.restore(path, checkpoint.identity, entries, cancel)).catch(damagedState(path))
      trainer.#lr = training.lr === undefined ? trainer.options.lr : damagedOptions(path, () => lrOption.check('lr', training.lr))
      trainer.#extra = training.extra
      trainer.#resumed = { path, step: trainer.#steps, state: fitStateOf(path, training.fit), passedOver }
    }
  }

  #checkAlive(): void {
    if (this.#closing) throw new DiffSalError('ERR_DIFFSAL_DISPOSED', 'This trainer was disposed.', { argument: 'trainer' })
    this.#live()
  }
}

/**
 * `DiffSal.resume`: goes on with a training that a trainer saved.
 *
 * @param load - opens the model of a checkpoint
 * @param train - makes its trainer, with the options of the checkpoint
 */
export async function resumeTrainer<Model extends TrainedModel>(
  from: string,
  signal: AbortSignal | undefined,
  load: (path: string) => Promise<Model>,
  train: (model: Model, options: ResolvedTrainerOptions) => Trainer<Model>,
): Promise<Trainer<Model>> {
  const resumeFile = async (path: string, passedOver: readonly number[]): Promise<Trainer<Model>> => {
    const stored = await readTrainingHeader(path)
    const model = await load(path)
    try {
      const trainer = restoredOptions(path, stored.training.options, (options) => train(model, options))
      await restore(trainer, path, stored, passedOver, signal)
      return trainer
    } catch (error) {
      await model.dispose()
      throw error
    }
  }
  return (await isFolder(from)) ? newestOf(from, resumeFile) : resumeFile(from, [])
}

/** Makes a trainer with a checkpoint's options, which must be complete: a default, or a seed that is drawn, would change the training. */
function restoredOptions<T extends Trainer>(path: string, stored: ResolvedTrainerOptions, make: (options: ResolvedTrainerOptions) => T): T {
  return damagedOptions(path, () => {
    const trainer = make(stored)
    const missing = Object.keys(trainer.options).find((name) => !Object.hasOwn(stored, name))
    if (missing !== undefined) throw invalidArgumentText(`options.${missing}`, 'in the file', 'nothing')
    return trainer
  })
}

/** What a checkpoint's options give; where they are refused, the file is damaged. */
function damagedOptions<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new DiffSalError('ERR_DIFFSAL_CHECKPOINT', `'${path}' cannot be resumed: its training options are damaged: ${(cause as Error).message}`, {
      argument: path,
      cause,
    })
  }
}

/** Only a damaged file is a state that libtorch refuses. */
function damagedState(path: string): (error: unknown) => never {
  return (cause) => {
    if (!(cause instanceof DiffSalError) || cause.code !== 'ERR_DIFFSAL_INTERNAL') throw cause
    throw new DiffSalError('ERR_DIFFSAL_CHECKPOINT', `'${path}' cannot be resumed: the state of its random numbers is damaged.`, { argument: path, cause })
  }
}
