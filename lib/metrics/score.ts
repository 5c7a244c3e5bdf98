import { describe, invalidArgument, shortened } from '../errors.ts'
import { native } from '../native.ts'
import { checkIterable, checkString, reading } from '../options.ts'
import { checkTensor, type Tensor } from '../tensor.ts'
import { Mean } from './mean.ts'
import { aucJudd, cc, checkMaps, kl, nss, sim, type FixationTensor, type MapTensor } from './metrics.ts'

/** A predicted map of one frame of one video. */
export interface FramePrediction {
  /** Which video, in the dataset's words. */
  readonly video: string
  /** Which of its frames, from 0. */
  readonly frame: number
  /** The map, (h, w), (1, h, w) or (1, 1, h, w), of any size: as `predict` and `predictVideo` give it. */
  readonly tensor: Tensor<'float32'>
}

/** What people looked at in one frame. */
export interface GroundTruth {
  /** The fixations' density (H, W); leave it out where there is none, and CC, SIM and KL are undefined for the frame. */
  readonly density?: MapTensor | undefined
  /** The fixated pixels (H, W), of the same size; NSS and AUC-J are undefined without. */
  readonly fixations?: FixationTensor | undefined
}

/** Where the ground truth comes from. */
export interface TruthSource {
  /** The truth of a frame; undefined where the frame has none and is not scored. */
  truth(video: string, frame: number): GroundTruth | undefined | Promise<GroundTruth | undefined>
}

/** The names of the scores: correlation, similarity, normalised scanpath saliency, Judd's AUC, Kullback–Leibler divergence. */
export type ScoreName = 'cc' | 'sim' | 'nss' | 'aucJudd' | 'kl'

/** Every score. */
export const scored = ['cc', 'sim', 'nss', 'aucJudd', 'kl'] as const satisfies readonly ScoreName[]

/** The scores of a set of videos. */
export interface Scores {
  /** Means over the videos; NaN where no video has a defined value. */
  readonly mean: Readonly<Record<ScoreName, number>>
  /** Means over the frames of each video. */
  readonly videos: Readonly<Record<string, Readonly<Record<ScoreName, number>>>>
  /** Frames that were scored. */
  readonly frames: number
  /** Frames for which a score was undefined, and dropped from its mean. */
  readonly undefinedCount: Readonly<Record<ScoreName, number>>
}

/**
 * Scores predictions as published results are: each map is divided by its maximum, scaled to 0…1, smoothed (Gaussian, σ 2,
 * 13×13, mirrored edges) and resized (bicubic) to the ground truth's size; undefined frames are dropped; a score is the mean
 * over a video's frames, then over the videos. One frame is in memory at a time.
 *
 * @param predictions - maps in any order; those of frames without truth are passed over
 * @param dataset - one that `datasets.openDataset` gives, or any object with `truth(video, frame)`
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, and what predictions and dataset throw
 */
export async function score(predictions: AsyncIterable<FramePrediction> | Iterable<FramePrediction>, dataset: TruthSource): Promise<Scores> {
  const hasTruth = reading('dataset', 'an object with truth(video, frame)', () => typeof dataset?.truth === 'function')
  if (!hasTruth) throw invalidArgument('dataset', 'an object with truth(video, frame)', dataset)
  const videos = new Map<string, Record<ScoreName, Mean>>()
  const undefinedCount = each(() => 0)
  let frames = 0
  for await (const prediction of checkIterable('predictions', predictions)) {
    const { video, frame, tensor } = readPrediction(prediction)
    const truth = await dataset.truth(video, frame)
    if (truth === undefined) continue
    if (typeof truth !== 'object' || truth === null) {
      throw invalidArgument(`dataset.truth('${shortened(video)}', ${describe(frame)})`, "an object with 'density' or 'fixations', or undefined for none", truth)
    }
    frames += 1
    const means = videos.get(video) ?? each(() => new Mean())
    videos.set(video, means)
    const values = await scoreFrame(tensor, truth)
    for (const name of scored) {
      if (Number.isNaN(values[name])) undefinedCount[name] += 1
      else means[name].add(values[name])
    }
  }
  const overall = each(() => new Mean())
  for (const means of videos.values()) {
    for (const name of scored) if (!Number.isNaN(means[name].value)) overall[name].add(means[name].value)
  }
  return {
    mean: each((name) => overall[name].value),
    videos: Object.fromEntries([...videos].map(([video, means]) => [video, each((name) => means[name].value)])),
    frames,
    undefinedCount,
  }
}

/** What is predicted of a frame, read once. */
function readPrediction(prediction: unknown): FramePrediction {
  const expected = 'objects with video, frame and tensor'
  return reading('predictions', expected, () => {
    if (typeof prediction !== 'object' || prediction === null) throw invalidArgument('predictions', expected, prediction)
    const { video, frame, tensor } = prediction as FramePrediction
    return { video: checkString('predictions.video', video), frame, tensor }
  })
}

/** The scores of one map, as {@link score} has them of a frame; NaN where one is undefined. */
export async function scoreFrame(tensor: Tensor<'float32'>, truth: GroundTruth): Promise<Record<ScoreName, number>> {
  const predicted = checkTensor('predictions.tensor', tensor, ['float32', 'float64'])
  const map = checkMaps('predictions.tensor', predicted)
  if (map.batch !== 1) throw invalidArgument('predictions.tensor.shape', 'of one map', predicted.shape)
  const given = reading('truth', "an object with 'density' or 'fixations'", () => ({ density: truth.density ?? undefined, fixations: truth.fixations ?? undefined }))
  const density = given.density === undefined ? undefined : (checkTensor<'float32' | 'float64'>('density', given.density, ['float32', 'float64']) as MapTensor)
  const fixations = given.fixations === undefined ? undefined : checkTensor('fixations', given.fixations, ['uint8'])
  const target = density ?? fixations
  if (target === undefined) return each(() => Number.NaN)
  const { height, width } = checkMaps(density ? 'density' : 'fixations', target)
  const saliency = await native().scoringChain({ ...predicted, shape: [map.height, map.width] }, height, width)
  const [byDensity, byFixations] = await Promise.all([
    density ? Promise.all([cc(saliency, density), sim(saliency, density), kl(saliency, density)]) : [],
    fixations ? Promise.all([nss(saliency, fixations), aucJudd(saliency, fixations)]) : [],
  ])
  const value = (result: { mean: number } | undefined) => result?.mean ?? Number.NaN
  return {
    cc: value(byDensity[0]),
    sim: value(byDensity[1]),
    kl: value(byDensity[2]),
    nss: value(byFixations[0]),
    aucJudd: value(byFixations[1]),
  }
}

function each<T>(make: (name: ScoreName) => T): Record<ScoreName, T> {
  return Object.fromEntries(scored.map((name) => [name, make(name)])) as Record<ScoreName, T>
}
