import { checkBoolean, checkChoice, checkInteger, checkList, checkNumber, checkOptions, checkString } from '../checks/options.ts'
import type { Faults } from '../files/faults.ts'

/** The parts of a dataset. */
export type Split = 'train' | 'validation' | 'test'

/** What every dataset's `open` takes. */
export interface DatasetOptions {
  /** Which part. Default 'train'. */
  split?: Split | undefined
  /** Clips: 'train' as the paper trains, 'test' one for every frame. Default: 'train' for the split 'train', else 'test'. */
  windows?: 'train' | 'test' | undefined
  /** Of the windows 'test', only those of every stride-th frame. Default 1. */
  stride?: number | undefined
  /** [height, width] of the clips and maps. Default [224, 384]. */
  size?: readonly [number, number] | undefined
  /** Frames in a clip. Default 16. */
  clipLength?: number | undefined
  /** Whether samples carry the fixations too. Default false. */
  fixations?: boolean | undefined
  /**
   * Makes the density maps of the fixations where there are none: the standard deviation, in pixels of the fixation maps, of the
   * Gaussian on each; about one degree of visual angle. Default: the maps are needed.
   */
  densitySigma?: number | undefined
  /**
   * What becomes of a sample with a file missing or damaged: 'skip' leaves it out and logs a warning, 'error' throws. Default 'skip'.
   */
  faults?: 'skip' | 'error' | undefined
}

/** {@link DatasetOptions}' names, for those who take more. */
export const datasetOptionNames = ['split', 'windows', 'stride', 'size', 'clipLength', 'fixations', 'densitySigma', 'faults'] as const

/** {@link DatasetOptions} with nothing left open. */
export interface DatasetPlan extends Faults {
  readonly split: Split
  readonly windows: 'train' | 'test'
  readonly stride: number
  readonly size: readonly [number, number]
  readonly clipLength: number
  readonly fixations: boolean
  readonly densitySigma: number | undefined
}

/** Checks the options that all datasets share, and fills in the rest. */
export function checkDatasetOptions(options: DatasetOptions, splits: readonly Split[]): DatasetPlan {
  const { split = 'train', size = [224, 384], clipLength = 16, stride = 1, fixations = false, densitySigma, faults = 'skip' } = options
  checkChoice('split', split, splits)
  const { windows = split === 'train' ? 'train' : 'test' } = options
  return {
    split,
    windows: checkChoice('windows', windows, ['train', 'test']),
    stride: checkInteger('stride', stride, 1),
    size: checkSize(size),
    clipLength: checkInteger('clipLength', clipLength, 2, 1024),
    fixations: checkBoolean('fixations', fixations),
    densitySigma: densitySigma === undefined ? undefined : checkNumber('densitySigma', densitySigma, 0.1, 10_000),
    faults: checkChoice('faults', faults, ['skip', 'error']),
  }
}

/** [height, width] of clips or maps. */
export function checkSize(size: unknown): readonly [number, number] {
  const [height, width] = checkList('size', size, '[height, width]', 2, 2)
  return [checkInteger('size[0]', height, 1, 4096), checkInteger('size[1]', width, 1, 4096)]
}

/** Checks what `open` was given, as far as it is common to the datasets. */
export function checkOpen<T extends DatasetOptions>(root: unknown, options: T | undefined, more: readonly (keyof T & string)[] = []): T {
  checkString('root', root)
  return checkOptions('options', options, [...datasetOptionNames, ...more] as (keyof T & string)[])
}
