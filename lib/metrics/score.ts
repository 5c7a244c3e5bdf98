import { native } from '../addon/native.ts'
import { checkInteger, checkIterable, checkString, reading } from '../checks/options.ts'
import { callback, readOptions, yes, type OptionTable } from '../checks/table.ts'
import { describe, invalidArgument, invalidArgumentText, shortened } from '../errors.ts'
import { checkTensor, type Tensor } from '../tensor.ts'
import { Mean } from './mean.ts'
import { aucJudd, cc, checkMapTensor, checkMaps, informationGain, kl, nss, shuffledAuc, sim, type FixationTensor, type MapTensor } from './metrics.ts'

/** A predicted map of one frame of one video. */
export interface FramePrediction {
  /** Which video, in the dataset's words. */
  readonly video: string
  /** Which of its frames, from 0. */
  readonly frame: number
  /** The map, (h, w), (1, h, w) or (1, 1, h, w), of any size: as `predict` and `predictVideo` give it, or the bytes of a grey picture. */
  readonly tensor: MapTensor
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

/** Scores that are had where {@link ScoreOptions} say against what: shuffled AUC, and information gain in bits. */
export type ExtraScoreName = 'shuffledAuc' | 'informationGain'

/** A number for each score; the extra ones where they were asked for. */
export type ScoreValues = Record<ScoreName, number> & Partial<Record<ExtraScoreName, number>>

/** How maps are scored, and what the extra scores are measured against. Both are asked for the size [height, width] of the frame's truth. */
export interface ScoreOptions {
  /** Whether maps are smoothed first, as those of published scores are. Leave it out for maps that are smooth already. Default true. */
  blur?: boolean | undefined
  /** Whether maps are resized to the truth. With false, one of another size is refused. Default true. */
  resize?: boolean | undefined
  /** Pixels that were fixated in other videos, the negatives of `shuffledAuc`; undefined where there are none. Default: that score is left out. */
  others?: ((video: string, frame: number, size: readonly [number, number]) => FixationTensor | undefined | Promise<FixationTensor | undefined>) | undefined
  /** The map that `informationGain` is counted from, as `centreBias` gives one. Default: that score is left out. */
  baseline?: ((video: string, frame: number, size: readonly [number, number]) => MapTensor | Promise<MapTensor>) | undefined
}

/** What there is to know of {@link ScoreOptions}. */
export const scoreTable = {
  blur: yes({ usual: true }),
  resize: yes({ usual: true }),
  others: callback(),
  baseline: callback(),
} satisfies OptionTable<ScoreOptions>

/** The scores of a set of videos. */
export interface Scores {
  /** Means over the videos; NaN where no video has a defined value. */
  readonly mean: Readonly<ScoreValues>
  /** Means over the frames of each video. */
  readonly videos: Readonly<Record<string, Readonly<ScoreValues>>>
  /** Frames that were scored. */
  readonly frames: number
  /** Frames for which a score was undefined, and dropped from its mean. */
  readonly undefinedCount: Readonly<ScoreValues>
}

/**
 * Scores predictions as published results are: each map is divided by its maximum, scaled to 0…1, smoothed (Gaussian, σ 2,
 * 13×13, mirrored edges) and resized (bicubic) to the ground truth's size; undefined frames are dropped; a score is the mean
 * over a video's frames, then over the videos. One frame is in memory at a time.
 *
 * @param predictions - maps in any order; those of frames without truth are passed over
 * @param dataset - one that `datasets.openDataset` gives, or any object with `truth(video, frame)`
 * @param options - what is left out of this, and what the extra scores are measured against. Default: nothing is left out, and there are no extra scores
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, and what predictions, dataset and options throw
 */
export async function score(
  predictions: AsyncIterable<FramePrediction> | Iterable<FramePrediction>,
  dataset: TruthSource,
  options?: ScoreOptions,
): Promise<Scores> {
  return scoreTogether(predictions, dataset, options, undefined)
}

/** A frame's scores; NaN where one is undefined. */
export interface ScoredFrame {
  readonly video: string
  readonly values: Readonly<Partial<Record<ScoreName | ExtraScoreName, number>>>
}

/**
 * As {@link score}, of predictions that several processes have a part of each.
 *
 * @param together - gives the frames of all processes, in order, for those of this one; undefined where there is no other
 */
export async function scoreTogether(
  predictions: AsyncIterable<FramePrediction> | Iterable<FramePrediction>,
  dataset: TruthSource,
  options: ScoreOptions | undefined,
  together: ((own: readonly ScoredFrame[]) => Promise<readonly ScoredFrame[]>) | undefined,
): Promise<Scores> {
  const hasTruth = reading('dataset', 'an object with truth(video, frame)', () => typeof dataset?.truth === 'function')
  if (!hasTruth) throw invalidArgument('dataset', 'an object with truth(video, frame)', dataset)
  const { others, baseline, ...chain } = readOptions<ScoreOptions, typeof scoreTable>('options', options, scoreTable)
  const names = [...scored, ...(others ? ['shuffledAuc' as const] : []), ...(baseline ? ['informationGain' as const] : [])]
  const videos = new Map<string, Each<Mean>>()
  const undefinedCount = each(names, () => 0)
  let frames = 0
  const own: ScoredFrame[] = []
  const tally = ({ video, values }: ScoredFrame): void => {
    frames += 1
    const means = videos.get(video) ?? each(names, () => new Mean())
    videos.set(video, means)
    for (const name of names) {
      const value = values[name] ?? Number.NaN
      if (Number.isNaN(value)) undefinedCount[name]! += 1
      else means[name]!.add(value)
    }
  }
  for await (const prediction of checkIterable('predictions', predictions)) {
    const { video, frame, tensor } = readPrediction(prediction)
    const truth = await dataset.truth(video, frame)
    if (truth === undefined) continue
    if (typeof truth !== 'object' || truth === null) {
      throw invalidArgument(`dataset.truth('${shortened(video)}', ${describe(frame)})`, "an object with 'density' or 'fixations', or undefined for none", truth)
    }
    const { density, fixations } = readTruth(truth)
    const values: Partial<Record<AnyScoreName, number>> = await scoreFrame(tensor, { density, fixations }, chain)
    if (fixations !== undefined && (others ?? baseline) !== undefined) {
      Object.assign(values, await extraScores(tensor, fixations, video, frame, { others, baseline }, chain))
    }
    if (together) own.push({ video, values })
    else tally({ video, values })
  }
  if (together) for (const frame of await together(own)) tally(frame)
  const overall = each(names, () => new Mean())
  for (const means of videos.values()) {
    for (const name of names) if (!Number.isNaN(means[name]!.value)) overall[name]!.add(means[name]!.value)
  }
  return {
    mean: each(names, (name) => overall[name]!.value),
    videos: Object.fromEntries([...videos].map(([video, means]) => [video, each(names, (name) => means[name]!.value)])),
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
    return { video: checkString('predictions.video', video), frame: checkInteger('predictions.frame', frame, 0), tensor }
  })
}

/** What is true of a frame, read once and checked. */
function readTruth(truth: GroundTruth): GroundTruth {
  const given = reading('truth', "an object with 'density' or 'fixations'", () => ({
    density: truth.density ?? undefined,
    fixations: truth.fixations ?? undefined,
  }))
  const density = given.density === undefined ? undefined : checkMapTensor('density', given.density)
  return { density, fixations: given.fixations === undefined ? undefined : checkTensor('fixations', given.fixations, ['uint8']) }
}

/** The scores of one map, as {@link score} has them of a frame; NaN where one is undefined. */
export async function scoreFrame(tensor: MapTensor, truth: GroundTruth, chain: Chain = published): Promise<Record<ScoreName, number>> {
  const { density, fixations } = readTruth(truth)
  const target = density ?? fixations
  if (target === undefined) {
    checkOneMap(tensor)
    return each(scored, () => Number.NaN)
  }
  const saliency = await chained(tensor, checkMaps(density ? 'density' : 'fixations', target), chain)
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

async function extraScores(
  tensor: MapTensor,
  fixations: FixationTensor,
  video: string,
  frame: number,
  { others, baseline }: ScoreOptions,
  chain: Chain,
): Promise<Partial<Record<ExtraScoreName, number>>> {
  const { height, width } = checkMaps('fixations', fixations)
  const saliency = await chained(tensor, { height, width }, chain)
  const negatives = await others?.(video, frame, [height, width])
  const from = await baseline?.(video, frame, [height, width])
  // Bicubic resizing can fall a little below 0, where a probability cannot be.
  const chances = { ...saliency, data: saliency.data.map((one) => Math.max(0, one)) }
  return {
    ...(negatives && { shuffledAuc: (await shuffledAuc(saliency, fixations, negatives)).mean }),
    ...(from && { informationGain: (await informationGain(chances, fixations, from)).mean }),
  }
}

/** What is done to a map before it is scored. */
interface Chain {
  readonly blur: boolean
  readonly resize: boolean
}

const published: Chain = { blur: true, resize: true }

/** A map after the chain, of the truth's size. */
async function chained(tensor: MapTensor, { height, width }: { height: number; width: number }, { blur, resize }: Chain) {
  const map = checkOneMap(tensor)
  if (!resize && (map.shape[0] !== height || map.shape[1] !== width)) {
    throw invalidArgumentText('predictions.tensor.shape', `as large as the truth, ${height} × ${width}, without resizing`, map.shape.join(' × '))
  }
  return native().scoringChain(map, height, width, blur)
}

/** A prediction as (h, w). */
function checkOneMap(tensor: MapTensor): Tensor<'float32' | 'float64'> {
  const predicted = checkMapTensor('predictions.tensor', tensor)
  const map = checkMaps('predictions.tensor', predicted)
  if (map.batch !== 1) throw invalidArgument('predictions.tensor.shape', 'of one map', predicted.shape)
  return { ...predicted, shape: [map.height, map.width] } as Tensor<'float32' | 'float64'>
}

type AnyScoreName = ScoreName | ExtraScoreName
type Each<T> = Record<ScoreName, T> & Partial<Record<ExtraScoreName, T>>

function each<T>(names: readonly AnyScoreName[], make: (name: AnyScoreName) => T): Each<T> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Each<T>
}
