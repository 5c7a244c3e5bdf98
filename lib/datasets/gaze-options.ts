import { checkNumber, checkOptions, checkStrings, isPlain } from '../checks/options.ts'
import { choice, integer, later, number, readOptions, yes, type Option, type OptionTable } from '../checks/table.ts'
import type { GazePoint } from '../gaze/points.ts'
import type { TrackerOptions } from '../gaze/tracker-options.ts'
import type { GroundTruth } from '../metrics/score.ts'
import { seedOption } from '../random/seed.ts'
import { datasetPlan, datasetTable, mapSize, type DatasetOptions, type DatasetPlan, type Split } from './dataset-options.ts'
import type { SaliencyDataset } from './dataset.ts'

/** An angle of what a viewer sees. */
export interface VisualAngle {
  /** Up to 45. */
  readonly degrees: number
}

/** How to open a folder of eye tracking. */
export interface GazeOptions extends Omit<DatasetOptions, 'densitySigma'> {
  /**
   * Which pictures and videos are held out from training: with n, each nth in the order of their names; or their names without extension,
   * where `*` stands for anything. The split 'train' is the rest, 'validation' and 'test' are those. It may not be given for a folder that is
   * parted already, into folders `train` and `val`. Default: none are, and every split has all.
   */
  heldOut?: number | readonly string[] | undefined
  /** Which tables of videos count: '' for `NAME.csv`, 'second' for `NAME.second.csv`. Default: all, as the viewers of one. */
  recordings?: readonly string[] | undefined
  /**
   * Standard deviation of the Gaussian on each place that was looked at: a share of the width, or degrees of what a viewer sees, for which
   * `tracker.screen` says the screen's size and distance. Default 1 / 40.
   */
  sigma?: number | VisualAngle | undefined
  /** What the tables do not tell themselves: units, the screen, how fixations are found. Default: what a file `tracker.json` in the folder says, if there is one. */
  tracker?: TrackerOptions | undefined
  /**
   * Whether clips are changed at random, in each epoch anew: mirrored, cropped, in another light, between black bars; a video's frame is
   * any of its `stride`. Default false.
   */
  augment?: boolean | undefined
  /**
   * In how large a share of the clips of pictures a slow camera goes over the picture; in a fifth of that share there is a cut from another
   * picture, or to one. For `augment`. Default 0.5.
   */
  camera?: number | undefined
  /**
   * Whether samples are stills, of one frame (1, h, w, 3): pictures, and single frames of videos, for a `Trainer` of a model that takes such
   * (`TrainingBatch` says which). No camera goes over them. A batch has stills or clips, not both. Default false.
   */
  stills?: boolean | undefined
  /**
   * What is heard with clips of videos that have sound: 'right', their own; 'silence'; 'other', that of the next video with sound. It tells what
   * sound is worth to a model. Default 'right'.
   */
  sound?: (typeof soundChoices)[number] | undefined
  /** Files of sound, one of which is heard with clips that have none, in a share `soundShare`: a sound that says nothing. For `augment`. Default: none. */
  sounds?: readonly string[] | undefined
  /** See `sounds`. The other clips without sound are silent. Default 0.3. */
  soundShare?: number | undefined
  /** Decides what `augment` draws. Default 0. */
  seed?: number | undefined
}

/** A folder of eye tracking, opened: it tells who looked where. */
export interface GazeSet extends SaliencyDataset {
  /**
   * How many frames a video has; 1 of a picture.
   *
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for a video that is not in the set, as the methods below
   */
  frames(video: string): number
  /** [height, width] of its pictures. */
  size(video: string): Promise<readonly [number, number]>
  /** Its viewers' names, sorted; none where a map tells instead of their gaze. */
  viewers(video: string): readonly string[]
  /** Where its viewers look at a frame; undefined where a map tells instead. A viewer of a picture has a place for each fixation. */
  points(video: string, frame: number): readonly GazePoint[] | undefined
  /** The truth of a frame; with `viewers`, of these alone, and undefined where a map tells instead or none of them looks. */
  truth(video: string, frame: number, options?: GazeTruthOptions): Promise<GroundTruth | undefined>
}

/** Of whom {@link GazeSet.truth} tells. */
export interface GazeTruthOptions {
  /** Names as `viewers(video)` gives them. Default: all. */
  viewers?: readonly string[] | undefined
  /** [height, width] of the density and fixations. Default: the video's own. */
  size?: readonly [number, number] | undefined
}

/** What there is to know of {@link GazeTruthOptions}. */
export const truthTable = {
  viewers: { check: (argument: string, value: unknown): readonly string[] => checkStrings(argument, value) },
  size: mapSize,
} satisfies OptionTable<GazeTruthOptions>

const soundChoices = ['right', 'silence', 'other'] as const

const { densitySigma: _, ...shared } = datasetTable<Split>(['train', 'validation', 'test'])

/** Each of {@link GazeOptions}. */
export const gazeTable = {
  ...shared,
  stride: integer(1),
  heldOut: later<GazeOptions['heldOut']>(),
  recordings: { check: (argument, value) => checkStrings(argument, value, true) } as Option<readonly string[]>,
  sigma: { check: checkSigma, usual: (1 / 40) as number | VisualAngle },
  tracker: later<TrackerOptions | undefined>(),
  augment: yes({ usual: false }),
  camera: number(0, 1, { usual: 0.5 }),
  stills: yes({ usual: false }),
  sound: choice(soundChoices, { usual: 'right' }),
  sounds: { check: (argument: string, value: unknown): readonly string[] => checkStrings(argument, value), usual: [] as readonly string[] },
  soundShare: number(0, 1, { usual: 0.3 }),
  seed: seedOption({ usual: 0 }),
} satisfies OptionTable<GazeOptions>

/** {@link GazeOptions} with nothing left open. */
export interface GazePlan extends DatasetPlan {
  readonly heldOut?: GazeOptions['heldOut']
  readonly recordings?: readonly string[] | undefined
  readonly tracker?: TrackerOptions | undefined
  readonly sigma: number | VisualAngle
  readonly augment: boolean
  readonly camera: number
  readonly stills: boolean
  readonly sound: (typeof soundChoices)[number]
  readonly sounds: readonly string[]
  readonly soundShare: number
  readonly seed: number
}

/** How far apart the clips of a video are where `stride` does not say. */
const strides = { train: 16, test: 1 } as const

/** Reads how a folder is opened. */
export function readGazeOptions(options: GazeOptions | undefined): GazePlan {
  const read = readOptions<GazeOptions, typeof gazeTable>('options', options, gazeTable)
  const { windows = read.split === 'train' ? 'train' : 'test' } = read
  // Over a single frame no camera goes.
  const camera = read.stills ? 0 : read.camera
  return datasetPlan({ ...read, camera, windows, stride: read.stride ?? strides[windows], densitySigma: undefined })
}

function checkSigma(argument: string, sigma: unknown): number | VisualAngle {
  if (!isPlain(sigma)) return checkNumber(argument, sigma, 1e-4, 10)
  return { degrees: checkNumber('sigma.degrees', checkOptions('sigma', sigma as VisualAngle, ['degrees']).degrees, 1e-3, 45) }
}
