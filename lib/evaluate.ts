import { anySignal, unlessAborted } from './async/abort.ts'
import { reading } from './checks/options.ts'
import { priorityOption } from './checks/priority.ts'
import { callback, integer, later, readOptions, signal, yes, type OptionTable } from './checks/table.ts'
import type { DiffSalConfig } from './config.ts'
import { checkDataset, type Dataset, type SaliencyDataset, type TrainingSample } from './datasets/dataset.ts'
import { checkedSamples, clipsOf, melShape } from './datasets/model-batches.ts'
import { startAhead } from './async/start-ahead.ts'
import { loadBatches, type LoadedBatch } from './datasets/prefetch.ts'
import { handsOf, type Group, type GroupHands } from './distributed/group.ts'
import { DiffSalError, invalidArgument } from './errors.ts'
import type { ClipInput } from './inputs.ts'
import { scoreTogether, type FramePrediction, type ScoredFrame, type ScoreOptions, type Scores } from './metrics/score.ts'
import { checkParts, mirrorOption, samplingTable, type PredictOptions } from './predict.ts'
import { seedOption } from './random/seed.ts'
import type { Tensor } from './tensor.ts'

/** What scoring asks of a model; `DiffSal` has it. */
export interface ScoredModel {
  /** The complete configuration. */
  readonly config: Readonly<DiffSalConfig>
  /** Predicts the maps of a batch of clips: float32 (B, 1, H, W), values 0 to 1. */
  predict(input: ClipInput, options: Pick<PredictOptions, 'steps' | 'eta' | 'seed' | 'mirror' | 'priority' | 'signal'>): Promise<Tensor<'float32'>>
}

/** How to score a model on a dataset. */
export interface EvaluateOptions extends ScoreOptions {
  /** Denoising steps, as of `predict`. Default: the model's. */
  steps?: number | undefined
  /** Randomness of the sampling, 0 to 1, as of `predict`. Default 0. */
  eta?: number | undefined
  /** Decides the noise, 0 to 2^32 - 1, the same for every sample, so that a score can be had again. Default 1. */
  seed?: number | undefined
  /** Whether each clip is predicted mirrored, too, as of `predict`. Takes twice as long. Default false. */
  mirror?: boolean | undefined
  /** When the turn of its batches comes among the calls that wait for the model, as of `predict`. Default `normal`. */
  priority?: 'high' | 'normal' | 'low' | undefined
  /** Samples that are predicted together. Default 1. */
  batch?: number | undefined
  /** Samples that are read at the same time, as of `loadBatches`. Default the machine's cores, at most 8. */
  workers?: number | undefined
  /** Score only so many samples, evenly spaced over the dataset. Default: all. */
  limit?: number | undefined
  /**
   * Processes that score together: each predicts its part of the samples, and all get the scores of the whole. All give the same dataset and options. Default: none,
   * this process scores all.
   */
  group?: Group | undefined
  /** Rejects with the signal's reason when aborted; reading and predicting stop. */
  signal?: AbortSignal | undefined
  /** Called with the samples that are done, and how many there are in all; in a group, of this process's part. What it throws rejects the evaluation. */
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** What there is to know of {@link EvaluateOptions}. */
export const evaluateTable = (timesteps?: number) =>
  ({
    ...samplingTable(timesteps),
    seed: seedOption({ usual: 1, help: 'decides the noise, the same for every frame' }),
    mirror: mirrorOption,
    priority: priorityOption,
    batch: integer(1, 65_536, { usual: 1, help: 'frames that are predicted together' }),
    workers: integer(1, 1024, { help: 'samples that are read at the same time' }),
    limit: integer(1, undefined, { help: 'score so many frames of each dataset only, evenly spaced' }),
    // `evaluate` checks it.
    group: later<Group>(),
    signal,
    onProgress: callback(),
    others: callback(),
    baseline: callback(),
    blur: yes(),
    resize: yes(),
  }) satisfies OptionTable<EvaluateOptions>

/** Refuses options that are none; `argument` is what the caller calls the dataset. */
export function checkEvaluation({ config }: ScoredModel, argument: string, dataset: SaliencyDataset, given: EvaluateOptions | undefined) {
  const options = readOptions('options', given, evaluateTable(config.timesteps))
  checkDataset(argument, dataset)
  if (!reading(argument, 'a dataset', () => typeof dataset.truth === 'function'))
    throw invalidArgument(argument, 'a dataset with truth(video, frame), to score against', dataset)
  checkParts({ mirror: options.mirror }, config)
  return options
}

/** `DiffSal.evaluate`. */
export async function evaluate(model: ScoredModel, dataset: SaliencyDataset, given?: EvaluateOptions): Promise<Scores> {
  const { group, ...options } = checkEvaluation(model, 'dataset', dataset, given)
  return evaluateShare(model, dataset, options, group === undefined ? undefined : handsOf(group))
}

/** As {@link evaluate}, for one of several processes. */
export async function evaluateShare(
  model: ScoredModel,
  dataset: SaliencyDataset,
  given: Omit<EvaluateOptions, 'group'>,
  hands: GroupHands | undefined,
): Promise<Scores> {
  if (hands === undefined) return evaluateSamples(model, dataset, given, undefined)
  try {
    return await evaluateSamples(model, dataset, given, hands)
  } catch (error) {
    // The others wait for this process's part.
    await hands.fail(error)
    throw error
  }
}

async function evaluateSamples(
  model: ScoredModel,
  dataset: SaliencyDataset,
  given: Omit<EvaluateOptions, 'group'>,
  hands: GroupHands | undefined,
): Promise<Scores> {
  const { limit, signal: stop, others, baseline, blur, resize, ...options } = checkEvaluation(model, 'dataset', dataset, given)
  const wanted = limit === undefined || limit >= dataset.length ? dataset : spaced(dataset, limit)
  const samples = hands ? partOf(wanted, hands) : wanted
  stop?.throwIfAborted()
  const truth = async (video: string, frame: number) => dataset.truth(video, frame)
  const together = hands && ((own: readonly ScoredFrame[]) => framesOfAll(own, hands, stop))
  const maps = predictions(model, samples, options, stop, hands !== undefined)
  const scores = await scoreTogether(maps, { truth: (...of) => unlessAborted(truth(...of), stop) }, { others, baseline, blur, resize }, together)
  if (scores.frames > 0) return scores
  const message = `The dataset has no ground truth for any of its ${wanted.length} samples to score against.`
  throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', message, { argument: 'dataset' })
}

/** So many samples of a dataset, the same way apart. */
function spaced(dataset: Dataset<TrainingSample>, count: number): Dataset<TrainingSample> {
  return { length: count, get: (index) => dataset.get(Math.floor((index * dataset.length) / count)) }
}

/** A process's part of a dataset: as many neighbours as any other has. */
function partOf(dataset: Dataset<TrainingSample>, { rank, worldSize }: GroupHands): Dataset<TrainingSample> {
  const begin = Math.floor((dataset.length * rank) / worldSize)
  const end = Math.floor((dataset.length * (rank + 1)) / worldSize)
  return { length: end - begin, get: (index) => dataset.get(begin + index) }
}

/** The scored frames of all processes, in the dataset's order. JSON holds no NaN and no infinity, so these go as words. */
async function framesOfAll(own: readonly ScoredFrame[], hands: GroupHands, stop: AbortSignal | undefined): Promise<ScoredFrame[]> {
  const words = own.map(({ video, values }) => ({
    video,
    values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number.isFinite(value) ? value : String(value)])),
  }))
  const all = (await hands.exchange('scores', words, stop)).flat()
  return all.map(({ video, values }) => ({ video, values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)])) }))
}

/** The maps of all samples in order. The next batch is predicted while one is scored. */
async function* predictions(
  model: ScoredModel,
  samples: Dataset<TrainingSample>,
  {
    steps,
    eta,
    seed,
    mirror,
    priority,
    batch,
    workers,
    onProgress,
  }: Omit<ReturnType<typeof checkEvaluation>, 'limit' | 'signal' | 'others' | 'baseline' | 'group'>,
  ending: AbortSignal | undefined,
  mayBeNone: boolean,
): AsyncGenerator<FramePrediction, void, undefined> {
  const { config } = model
  const total = samples.length
  if (mayBeNone && total === 0) return
  let found = false
  // Ends reading and predicting, whichever way this function is left.
  const leaving = new AbortController()
  const stop = anySignal(ending, leaving.signal)
  const predict = async ({ batch, samples: names, position }: LoadedBatch): Promise<{ maps: FramePrediction[]; done: number }> => {
    const clips = clipsOf(batch, config)
    const { data } = await model.predict(clips, { steps, eta, seed, mirror, priority, signal: stop })
    const pixels = config.size[0] * config.size[1]
    const maps: FramePrediction[] = names.map((name, i) => ({
      ...name,
      tensor: { dtype: 'float32', shape: [1, 1, ...config.size], data: data.slice(i * pixels, (i + 1) * pixels) },
    }))
    return { maps, done: position.epoch > 0 ? total : position.offset }
  }
  const checked = checkedSamples(samples, config)
  const seen: Dataset<TrainingSample> = {
    length: total,
    async get(index, epoch) {
      const sample = await checked.get(index, epoch)
      found ||= sample !== null
      return sample
    },
  }
  const loaded = loadBatches(seen, {
    ...{ batch, seed: 0, shuffle: false, epochs: 1, mel: melShape(config), signal: stop, workers },
  })
  // Two, so that the model has the next while one is scored.
  const results = startAhead(loaded, predict, { most: 2, leaving })
  let told = 0
  try {
    for await (const { maps, done } of results) {
      yield* maps
      onProgress?.(done, total)
      told = done
    }
    // The last samples may have been none.
    if (told < total) onProgress?.(total, total)
  } catch (error) {
    // All samples of a part may be none, though those of the whole are not.
    const empty = mayBeNone && !found && error instanceof DiffSalError && error.argument === 'dataset'
    if (!empty) throw error
  } finally {
    await loaded.return()
  }
}
