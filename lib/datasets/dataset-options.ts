import { checkInteger, checkList, checkString } from '../checks/options.ts'
import { choice, integer, number, readOptions, yes, type Option, type OptionTable, type Read } from '../checks/table.ts'
import type { Faults } from '../files/faults.ts'
import { gazeDelayOption } from '../gaze-delay.ts'

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
  /**
   * The model's `config.gazeDelay`: the clip of a frame is that of the frame so many seconds, 0 to 1, before, as a constant rate has it, or of the first. A
   * video whose rate is not told is taken to have 25 frames a second. Default 0, which is not that of `DiffSal.load()`.
   */
  gazeDelay?: number | undefined
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

/** [height, width] of maps. */
export const mapSize = { check: (_: string, value: unknown) => checkSize(value) } satisfies Option<readonly [number, number]>

/** Each of {@link DatasetOptions}, of a dataset that has these splits. */
export function datasetTable<S extends Split>(splits: readonly S[]) {
  return {
    split: choice(splits, { usual: 'train' as S }),
    windows: choice(['train', 'test'] as const),
    stride: integer(1, undefined, { usual: 1 }),
    size: { ...mapSize, usual: [224, 384] as readonly [number, number] },
    clipLength: integer(2, 1024, { usual: 16 }),
    gazeDelay: gazeDelayOption,
    fixations: yes({ usual: false }),
    densitySigma: number(0.1, 10_000),
    faults: choice(['skip', 'error'] as const, { usual: 'skip' }),
  } satisfies OptionTable<DatasetOptions>
}

/** {@link DatasetOptions} with nothing left open. */
export interface DatasetPlan extends Faults {
  readonly split: Split
  readonly windows: 'train' | 'test'
  readonly stride: number
  readonly size: readonly [number, number]
  readonly clipLength: number
  readonly gazeDelay: number
  readonly fixations: boolean
  readonly densitySigma: number | undefined
}

type DatasetTable = ReturnType<typeof datasetTable<Split>>

/** What was read by a table that has {@link datasetTable}'s, with nothing left open. */
export function datasetPlan<T extends Read<DatasetOptions, DatasetTable>>(read: T): T & DatasetPlan {
  const { windows = read.split === 'train' ? 'train' : 'test', densitySigma } = read
  return { ...read, windows, densitySigma }
}

/** [height, width] of clips or maps. */
export function checkSize(size: unknown): readonly [number, number] {
  const [height, width] = checkList('size', size, '[height, width]', 2, 2)
  return [checkInteger('size[0]', height, 1, 4096), checkInteger('size[1]', width, 1, 4096)]
}

/** Reads what `open` was given. */
export function readOpen(root: unknown, options: DatasetOptions | undefined, splits: readonly Split[]): DatasetPlan {
  checkString('root', root)
  return datasetPlan(readOptions<DatasetOptions, DatasetTable>('options', options, datasetTable(splits)))
}
