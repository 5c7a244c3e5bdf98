import { unlessAborted } from './async/abort.ts'
import { checkBoolean, checkInteger, checkNumber, checkOptions, reading } from './checks/options.ts'
import { checkSignal } from './checks/signal.ts'
import type { DiffSalConfig } from './config.ts'
import { checkDataset, type Dataset, type SaliencyDataset, type TrainingSample } from './datasets/dataset.ts'
import { meanWithMirrored, mirroredClips } from './datasets/mirror.ts'
import { checkedSamples, clipsOf, melShape } from './datasets/model-batches.ts'
import { loadBatches, type LoadedBatch } from './datasets/prefetch.ts'
import { DiffSalError, invalidArgument } from './errors.ts'
import type { ClipInput } from './inputs.ts'
import { score, type FramePrediction, type ScoreOptions, type Scores } from './metrics/score.ts'
import type { PredictOptions } from './predict.ts'
import { checkSeed } from './random/seed.ts'
import type { Tensor } from './tensor.ts'

/** What scoring asks of a model; `DiffSal` has it. */
export interface ScoredModel {
  /** The complete configuration. */
  readonly config: Readonly<DiffSalConfig>
  /** Predicts the maps of a batch of clips: float32 (B, 1, H, W), values 0 to 1. */
  predict(input: ClipInput, options: Pick<PredictOptions, 'steps' | 'eta' | 'seed' | 'signal'>): Promise<Tensor<'float32'>>
}

/** How to score a model on a dataset. */
export interface EvaluateOptions extends ScoreOptions {
  /** Denoising steps, as of `predict`. Default: the model's. */
  steps?: number | undefined
  /** Randomness of the sampling, 0 to 1, as of `predict`. Default 0. */
  eta?: number | undefined
  /** Decides the noise, 0 to 2^32 - 1, the same for every sample, so that a score can be had again. Default 1. */
  seed?: number | undefined
  /**
   * Whether each clip is predicted twice, as it is and mirrored left to right: its map is the mean of the first map and the second one
   * mirrored back. Takes twice as long. Default false.
   */
  mirror?: boolean | undefined
  /** Samples that are predicted together. Default 1. */
  batch?: number | undefined
  /** Samples that are read at the same time, as of `loadBatches`. Default the machine's cores, at most 8. */
  workers?: number | undefined
  /** Score only so many samples, evenly spaced over the dataset. Default: all. */
  limit?: number | undefined
  /** Rejects with the signal's reason when aborted; reading and predicting stop. */
  signal?: AbortSignal | undefined
  /** Called with the samples that are done, and how many there are in all. What it throws rejects the evaluation. */
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** The names of {@link EvaluateOptions}. */
export const evaluateNames = ['steps', 'eta', 'seed', 'mirror', 'batch', 'workers', 'limit', 'signal', 'onProgress', 'others', 'baseline'] as const

/** Refuses options that are none; `argument` is what the caller calls the dataset. */
export function checkEvaluation(model: ScoredModel, argument: string, dataset: SaliencyDataset, given: EvaluateOptions | undefined): EvaluateOptions {
  const options = checkOptions<EvaluateOptions>('options', given, evaluateNames)
  const { steps, eta, seed, mirror, batch, workers, limit, signal, onProgress } = options
  checkDataset(argument, dataset)
  if (!reading(argument, 'a dataset', () => typeof dataset.truth === 'function')) throw invalidArgument(argument, 'a dataset with truth(video, frame), to score against', dataset)
  if (steps !== undefined) checkInteger('steps', steps, 1, model.config.timesteps)
  if (eta !== undefined) checkNumber('eta', eta, 0, 1)
  if (seed !== undefined) checkSeed('seed', seed)
  if (mirror !== undefined) checkBoolean('mirror', mirror)
  if (batch !== undefined) checkInteger('batch', batch, 1, 65_536)
  if (workers !== undefined) checkInteger('workers', workers, 1, 1024)
  if (limit !== undefined) checkInteger('limit', limit, 1)
  checkSignal(signal)
  if (onProgress !== undefined && typeof onProgress !== 'function') throw invalidArgument('onProgress', 'a function', onProgress)
  return options
}

/** `DiffSal.evaluate`. */
export async function evaluate(model: ScoredModel, dataset: SaliencyDataset, given?: EvaluateOptions): Promise<Scores> {
  const { limit, signal, others, baseline, ...options } = checkEvaluation(model, 'dataset', dataset, given)
  const samples = limit === undefined || limit >= dataset.length ? dataset : spaced(dataset, limit)
  signal?.throwIfAborted()
  const truth = async (video: string, frame: number) => dataset.truth(video, frame)
  const scores = await score(predictions(model, samples, options, signal), { truth: (...of) => unlessAborted(truth(...of), signal) }, { others, baseline })
  if (scores.frames > 0) return scores
  const message = `The dataset has no ground truth for any of its ${samples.length} samples to score against.`
  throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', message, { argument: 'dataset' })
}

/** So many samples of a dataset, the same way apart. */
function spaced(dataset: Dataset<TrainingSample>, count: number): Dataset<TrainingSample> {
  return { length: count, get: (index) => dataset.get(Math.floor((index * dataset.length) / count)) }
}

/** The maps of all samples in order. The next batch is predicted while one is scored. */
async function* predictions(
  model: ScoredModel,
  samples: Dataset<TrainingSample>,
  { steps, eta, seed = 1, mirror = false, batch = 1, workers, onProgress }: EvaluateOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<FramePrediction, void, undefined> {
  const { config } = model
  const total = samples.length
  // Ends reading and predicting, whichever way this function is left.
  const leaving = new AbortController()
  const stop = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal])
  const predict = async ({ batch, samples: names }: LoadedBatch): Promise<FramePrediction[]> => {
    const clips = clipsOf(batch, config)
    const sampling = { ...(steps !== undefined && { steps }), ...(eta !== undefined && { eta }), seed, signal: stop }
    const maps = await model.predict(clips, sampling)
    const { data } = mirror ? meanWithMirrored(maps, await model.predict(mirroredClips(clips), sampling)) : maps
    const pixels = config.size[0] * config.size[1]
    return names.map((name, i) => ({ ...name, tensor: { dtype: 'float32', shape: [1, 1, ...config.size], data: data.slice(i * pixels, (i + 1) * pixels) } }))
  }
  const loaded = loadBatches(checkedSamples(samples, config), {
    ...{ batch, seed: 0, shuffle: false, epochs: 1, mel: melShape(config), signal: stop },
    ...(workers !== undefined && { workers }),
  })
  let ahead: { readonly maps: Promise<FramePrediction[]>; readonly done: number } | undefined
  try {
    for await (const one of loaded) {
      const before = ahead
      ahead = { maps: predict(one), done: one.position.epoch > 0 ? total : one.position.offset }
      // What it rejects with is met when it is awaited, a batch later.
      ahead.maps.catch(() => undefined)
      if (before === undefined) continue
      yield* await before.maps
      onProgress?.(before.done, total)
    }
    if (ahead === undefined) return
    yield* await ahead.maps
    onProgress?.(total, total)
  } finally {
    leaving.abort()
    await ahead?.maps.catch(() => undefined)
  }
}
