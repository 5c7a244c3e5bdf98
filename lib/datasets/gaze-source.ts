import type { GazePoint } from '../gaze/points.ts'
import type { Rational } from '../media/rational.ts'
import type { SoundSource } from './sound-source.ts'
import type { Plane } from './view.ts'

/** A picture or video that a folder has, not opened yet: what is held out is decided by names, whatever is damaged. */
export interface FoundSource {
  /** Unique in the dataset. */
  readonly name: string
  /**
   * Opens it; undefined where it is left out.
   *
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_MEDIA where faults are errors; ERR_DIFFSAL_FFMPEG_MISSING
   */
  open(): Promise<GazeSource | undefined>
}

/** What people looked at, and where: a video, or a picture, which is a video of one frame. */
export interface GazeSource {
  /** Unique in the dataset. */
  readonly name: string
  /** How many frames it has; 1 of a picture. */
  readonly count: number
  /** Frames a second; undefined of a picture. */
  readonly rate: Rational | undefined
  /** Seconds of its sound at which frame 0 is shown; 0 of a picture. */
  readonly begin: number
  /** [height, width] of its pictures. */
  size(): Promise<readonly [number, number]>
  /**
   * Its pictures as RGB, one a frame asked for, scaled to `size`.
   *
   * @param frames in ascending order
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_MEDIA
   */
  read(frames: readonly number[], size: readonly [number, number]): Promise<readonly Plane[]>
  /** Where people looked at a frame; undefined where a map tells instead. */
  points(frame: number): readonly GazePoint[] | undefined
  /** The names of those who looked, sorted; none where a map tells instead. */
  viewers(): readonly string[]
  /** The density map of a frame, grey, of `size` or its own, where it comes ready-made. */
  map(frame: number, size?: readonly [number, number]): Promise<Plane> | undefined
  /** Its sound; undefined where it has none. */
  readonly sound: (() => Promise<SoundSource>) | undefined
}
