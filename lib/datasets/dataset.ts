import { invalidArgument, invalidArgumentText } from '../errors.ts'
import type { AudioExcerpt } from '../inputs.ts'
import type { GroundTruth, TruthSource } from '../metrics/score.ts'
import type { Tensor } from '../tensor.ts'

/** Samples by number. What trains takes any object of this form. */
export interface Dataset<Sample> {
  /** How many samples there are. */
  readonly length: number
  /** Sample `index`, from 0; null where there is nothing to learn from (its map is all zero), and the next one is taken. */
  get(index: number): Promise<Sample | null>
}

/** A clip, what is heard with it, and where people looked in its middle. */
export interface TrainingSample {
  /** RGB pictures (T, H, W, 3). */
  readonly frames: Tensor<'uint8'>
  /** The clip's sound; its middle is the clip's middle. Null for a clip of a set without sound. */
  readonly audio: AudioExcerpt | null
  /** The fixations' density (1, H, W), 0 to 1. */
  readonly target: Tensor<'float32'>
  /** The fixated pixels (1, H, W), 0 or 1: where the dataset was asked for them and has them. */
  readonly fixations?: Tensor<'uint8'>
  /** Which video: `DIEM/chilli_plasters`. */
  readonly video: string
  /** The frame whose map it is, from 0: the (T / 2 + 1)th of the clip. */
  readonly frame: number
}

/** A dataset whose frames can also be scored. */
export interface SaliencyDataset extends Dataset<TrainingSample>, TruthSource {
  /** The names of its videos. */
  readonly videos: readonly string[]
}

/**
 * Several datasets, one after the other, as one.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for no dataset, or two with a video of the same name.
 */
export function concatDatasets(datasets: readonly SaliencyDataset[]): SaliencyDataset {
  if (!Array.isArray(datasets) || datasets.length === 0) throw invalidArgument('datasets', 'an array of datasets', datasets)
  const owners = new Map<string, SaliencyDataset>()
  for (const dataset of datasets) {
    for (const video of dataset.videos) {
      if (owners.has(video)) throw invalidArgumentText('datasets', 'of different videos', `two with '${video}'`)
      owners.set(video, dataset)
    }
  }
  const length = datasets.reduce((sum, dataset) => sum + dataset.length, 0)
  return {
    length,
    videos: [...owners.keys()],
    async get(index) {
      let rest = checkIndex(index, length)
      for (const dataset of datasets) {
        if (rest < dataset.length) return dataset.get(rest)
        rest -= dataset.length
      }
      throw invalidArgument('index', `less than ${length}`, index)
    },
    async truth(video, frame): Promise<GroundTruth | undefined> {
      return owners.get(video)?.truth(video, frame)
    },
  }
}

/** Refuses what is no dataset, and one without samples. */
export function checkDataset<D extends Dataset<unknown>>(argument: string, dataset: D): D {
  if (typeof dataset?.get !== 'function' || !Number.isInteger(dataset.length)) {
    throw invalidArgument(argument, 'an object with length and get(index)', dataset)
  }
  if (dataset.length < 1) throw invalidArgumentText(argument, 'of at least one sample', `${dataset.length} samples`)
  return dataset
}

/** An index into `length` samples. */
export function checkIndex(index: unknown, length: number): number {
  if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= length) {
    throw invalidArgument('index', `an integer from 0 to ${length - 1}`, index)
  }
  return index as number
}
