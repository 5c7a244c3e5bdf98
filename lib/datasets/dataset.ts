import { checkList, reading } from '../checks/options.ts'
import { DiffSalError, invalidArgument, invalidArgumentText } from '../errors.ts'
import type { AudioExcerpt } from '../inputs.ts'
import type { GroundTruth, TruthSource } from '../metrics/score.ts'
import type { Tensor } from '../tensor.ts'

/** Samples by number. What trains takes any object of this form. */
export interface Dataset<Sample> {
  /** How many samples there are. */
  readonly length: number
  /**
   * Sample `index`, from 0; null where there is nothing to learn from (its map is all zero), and the next one is taken.
   *
   * @param epoch Which pass over the data, from 0. A dataset that changes its samples at random changes them anew in each pass, and always
   * in the same way in the same pass. Default 0.
   */
  get(index: number, epoch?: number): Promise<Sample | null>
}

/** A clip, what is heard with it, and where people looked at the frame that it is of. */
export interface TrainingSample {
  /** RGB pictures (T, H, W, 3). */
  readonly frames: Tensor<'uint8'>
  /**
   * The clip's own sound, T / fps seconds, as `clipAt` cuts it: what is longer or shorter teaches another thing. Null for a clip of a set
   * without sound.
   */
  readonly audio: AudioExcerpt | null
  /** The fixations' density (1, H, W), 0 to 1. */
  readonly target: Tensor<'float32'>
  /**
   * The fixated pixels (1, H, W), 0 or how often, which is 1 in the sets of the paper: where the dataset was asked for them and has them.
   */
  readonly fixations?: Tensor<'uint8'> | undefined
  /** Which video: `DIEM/chilli_plasters`. */
  readonly video: string
  /** The frame whose map it is, from 0: the (T / 2 + 1)th of the clip; with `gazeDelay` that is the frame which eyes at this one answer to. */
  readonly frame: number
}

/** A dataset whose frames can also be scored. */
export interface SaliencyDataset extends Dataset<TrainingSample>, TruthSource {
  /** The names of its videos. */
  readonly videos: readonly string[]
  /** Where all names are alike but for a number, which saves listing millions. */
  readonly numbered?: NumberedVideos | undefined
}

/** Videos whose names are alike but for a number. */
export interface NumberedVideos {
  /** What all their names begin with. */
  readonly prefix: string
  /** How many there are, numbered from 0. */
  readonly count: number
}

/** How many names are compared. */
const mostVideos = 10_000_000

/** What {@link concatDatasets} joined. */
const partsOf = new WeakMap<SaliencyDataset, readonly SaliencyDataset[]>()

/**
 * Several datasets, one after the other, as one.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for no dataset, or two with a video of the same name.
 */
export function concatDatasets(given: readonly SaliencyDataset[]): SaliencyDataset {
  const datasets = checkList('datasets', given, 'an array of datasets', 1).map((dataset, i) => checkGettable(`datasets[${i}]`, dataset as SaliencyDataset))
  const ownerOf = owners(datasets)
  const length = datasets.reduce((sum, dataset) => sum + dataset.length, 0)
  const whole: SaliencyDataset = {
    length,
    get videos() {
      return datasets.flatMap((dataset) => dataset.videos)
    },
    async get(index, epoch) {
      let rest = checkIndex(index, length)
      for (const dataset of datasets) {
        if (rest < dataset.length) return dataset.get(rest, epoch)
        rest -= dataset.length
      }
      throw invalidArgument('index', `less than ${length}`, index)
    },
    async truth(video, frame): Promise<GroundTruth | undefined> {
      return ownerOf(video)?.truth(video, frame)
    },
  }
  partsOf.set(whole, datasets)
  return whole
}

/** Which dataset has a video; refuses two that have the same. Those whose videos are numbered are not listed. */
function owners(datasets: readonly SaliencyDataset[]): (video: string) => SaliencyDataset | undefined {
  const listed = new Map<string, { readonly owner: SaliencyDataset; readonly place: number }>()
  const numbered: { readonly owner: SaliencyDataset; readonly place: number; readonly prefix: string; readonly count: number }[] = []
  const find = (video: string) => listed.get(video) ?? numbered.find(({ prefix, count }) => isNumbered(video, prefix, count))
  // The listed ones first: a numbered one is then compared with names, or with another's prefix.
  const all = datasets.flatMap((dataset, place) => partsWithin(dataset).map((owner) => ({ owner, place })))
  for (const { owner, place } of all) {
    if (owner.numbered !== undefined) continue
    for (const video of checkList(`datasets[${place}].videos`, owner.videos, 'a list of names', 0, mostVideos) as string[]) {
      const other = listed.get(video)
      if (other !== undefined && other.place !== place) throw shared(video, other.place, place)
      listed.set(video, { owner, place })
    }
  }
  for (const { owner, place } of all) {
    if (owner.numbered === undefined) continue
    const { prefix, count } = owner.numbered
    for (const [video, { place: other }] of listed) if (isNumbered(video, prefix, count)) throw shared(video, other, place)
    const twin = numbered.find((one) => one.prefix === prefix)
    if (twin !== undefined) throw shared(`${prefix}0`, twin.place, place)
    numbered.push({ owner, place, prefix, count })
  }
  return (video) => find(video)?.owner
}

function partsWithin(dataset: SaliencyDataset): SaliencyDataset[] {
  return partsOf.get(dataset)?.flatMap(partsWithin) ?? [dataset]
}

function isNumbered(video: unknown, prefix: string, count: number): boolean {
  if (typeof video !== 'string' || !video.startsWith(prefix)) return false
  const number = video.slice(prefix.length)
  return /^(0|[1-9]\d*)$/.test(number) && Number(number) < count
}

function shared(video: string, one: number, other: number): DiffSalError {
  const [first, second] = one < other ? [one, other] : [other, one]
  const message = `'datasets[${second}]' must be of other videos than 'datasets[${first}]', but both have '${video}'.`
  return new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', message, {
    argument: `datasets[${second}]`,
    expected: `other videos than those of datasets[${first}]`,
    received: `'${video}'`,
  })
}

/** Refuses what is no dataset, and one without samples. */
export function checkDataset<D extends Dataset<unknown>>(argument: string, dataset: D): D {
  checkGettable(argument, dataset)
  if (dataset.length < 1) throw invalidArgumentText(argument, 'of at least one sample', `${dataset.length} samples`)
  return dataset
}

function checkGettable<D extends Dataset<unknown>>(argument: string, dataset: D): D {
  const expected = 'an object with length and get(index)'
  const fits = reading(argument, expected, () => typeof dataset?.get === 'function' && Number.isInteger(dataset.length))
  if (!fits) throw invalidArgument(argument, expected, dataset)
  return dataset
}

/** An index into `length` samples. */
export function checkIndex(index: unknown, length: number): number {
  if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= length) {
    throw invalidArgument('index', `an integer from 0 to ${length - 1}`, index)
  }
  return index as number
}
