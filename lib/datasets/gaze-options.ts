import { checkBoolean, checkChoice, checkNumber, checkOptions, checkStrings, isPlain, orUsual } from '../checks/options.ts'
import type { GazePoint } from '../gaze/points.ts'
import type { TrackerOptions } from '../gaze/tracker-options.ts'
import type { GroundTruth } from '../metrics/score.ts'
import { checkSeed } from '../random/seed.ts'
import { checkDatasetOptions, type DatasetOptions, type DatasetPlan } from './dataset-options.ts'
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

const soundChoices = ['right', 'silence', 'other'] as const

/** The names of {@link GazeOptions}. */
export const gazeOptionNames = [
  ...(['split', 'windows', 'stride', 'size', 'clipLength', 'fixations', 'faults'] as const),
  ...(['heldOut', 'recordings', 'sigma', 'tracker', 'augment', 'camera', 'sound', 'sounds', 'soundShare', 'seed'] as const),
] as const

/** {@link GazeOptions} with nothing left open. */
export interface GazePlan extends DatasetPlan {
  readonly sigma: number | VisualAngle
  readonly augment: boolean
  readonly camera: number
  readonly sound: (typeof soundChoices)[number]
  readonly sounds: readonly string[]
  readonly soundShare: number
  readonly seed: number
}

/** How far apart the clips of a video are where `stride` does not say. */
const strides = { train: 16, test: 1 } as const

/** Checks how a folder is opened. */
export function checkGazePlan(given: GazeOptions): GazePlan {
  const windows = orUsual(given.windows, orUsual(given.split, 'train') === 'train' ? 'train' : 'test')
  const shared = checkDatasetOptions({ ...given, windows, stride: orUsual(given.stride, strides[windows === 'train' ? 'train' : 'test']) }, ['train', 'validation', 'test'])
  return {
    ...shared,
    sigma: checkSigma(orUsual(given.sigma, 1 / 40)),
    augment: checkBoolean('augment', orUsual(given.augment, false)),
    camera: checkNumber('camera', orUsual(given.camera, 0.5), 0, 1),
    sound: checkChoice('sound', orUsual(given.sound, 'right'), soundChoices),
    sounds: checkStrings('sounds', orUsual(given.sounds, [])),
    soundShare: checkNumber('soundShare', orUsual(given.soundShare, 0.3), 0, 1),
    seed: checkSeed('seed', orUsual(given.seed, 0)),
  }
}

function checkSigma(sigma: unknown): GazePlan['sigma'] {
  if (!isPlain(sigma)) return checkNumber('sigma', sigma, 1e-4, 10)
  return { degrees: checkNumber('sigma.degrees', checkOptions('sigma', sigma as VisualAngle, ['degrees']).degrees, 1e-3, 45) }
}
