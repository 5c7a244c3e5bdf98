import { invalidArgument } from '../errors.ts'
import { checkChoice, checkOptions, checkString } from '../checks/options.ts'
import { choice, readNested, text, type OptionTable } from '../checks/table.ts'
import { checkFixationOptions, fixationNames, type FixationOptions } from './find-fixations.ts'
import { timeUnits, type TimeUnit } from './heading.ts'
import { placeUnits, type PlaceUnit } from './places.ts'
import { checkPicture, checkScreen, type GazeScreen, type PictureSize } from './screen.ts'

/** Which columns of a table say what, by their names. Default: those that are known. */
export interface GazeColumns {
  /** Who looked. */
  viewer?: string | undefined
  /** Where, from left to right. */
  x?: string | undefined
  /** Where, from top to bottom. */
  y?: string | undefined
  /** When a sample was taken. */
  time?: string | undefined
  /** When a fixation began. */
  start?: string | undefined
  /** How long it lasted. */
  duration?: string | undefined
  /** When it was over. */
  end?: string | undefined
  /** Which frame of the video, from 0. */
  frame?: string | undefined
  /** Which video a row is about. */
  video?: string | undefined
}

/** What a file of an eye tracker does not tell itself. What it does tell need not be said; what contradicts it is refused. */
export interface TrackerOptions {
  /** What x and y are. Default: what the columns' names say (`x_px`, `Gaze point X [DACS px]`), else 'shares'. */
  places?: PlaceUnit | undefined
  /** What times are in. Default: what the columns' names say (`time_ms`, `Recording timestamp [μs]`); where they do not, the table is refused. */
  times?: TimeUnit | undefined
  /** The columns' names, where they are not among those that are known. Default: the known ones. */
  columns?: GazeColumns | undefined
  /** Who looked, where the file does not say. Default: the file's name. */
  viewer?: string | undefined
  /** Which of several videos the file is about counts: as its column has it, or in a message of EyeLink's. With or without extension. Default: the only one. */
  video?: string | undefined
  /** How large the video's pictures are. A dataset knows it. Default: not known. */
  picture?: PictureSize | undefined
  /** The screen. Default: what the file says of it. */
  screen?: GazeScreen | undefined
  /**
   * When the video began: a time on the file's clock, in its unit; or, in an EyeLink's `.asc`, a part of the message that was sent then. Default: 0;
   * in a `.asc` the message SYNCTIME; in Tobii's exports the first row of the video.
   */
  start?: number | string | undefined
  /** Of an EyeLink's recording of both eyes, which counts: 'both' is the mean of their samples. Default 'both'; where the file tells each eye's fixations, one is to be said. */
  eye?: 'left' | 'right' | 'both' | undefined
  /** What stands before the decimals of a number. Default '.'. */
  decimal?: '.' | ',' | undefined
  /** How letters are written. Default: as the byte-order mark says, else 'utf-8'. */
  encoding?: 'utf-8' | 'utf-16le' | 'latin1' | undefined
  /**
   * What becomes of samples: 'given', the fixations that the file tells; 'none', samples stay as they are; or how fixations are found in them.
   * Default: the fixations that the file tells, else samples as they are.
   */
  fixations?: 'given' | 'none' | FixationOptions | undefined
}

/** What there is to know of {@link GazeColumns}. */
export const columnTable = {
  viewer: text(),
  x: text(),
  y: text(),
  time: text(),
  start: text(),
  duration: text(),
  end: text(),
  frame: text(),
  video: text(),
} satisfies OptionTable<GazeColumns>

/** What there is to know of {@link TrackerOptions}. */
export const trackerTable = {
  places: choice(placeUnits),
  times: choice(Object.keys(timeUnits) as TimeUnit[]),
  columns: {
    check: (argument: string, value: unknown): GazeColumns => readNested<GazeColumns, typeof columnTable>(argument, value as GazeColumns, columnTable),
  },
  viewer: text(),
  video: text(),
  picture: { check: checkPicture },
  screen: { check: checkScreen },
  start: { check: checkStart },
  eye: choice(['left', 'right', 'both'] as const),
  decimal: choice(['.', ','] as const),
  encoding: choice(['utf-8', 'utf-16le', 'latin1'] as const),
  fixations: { check: checkFixations },
} satisfies OptionTable<TrackerOptions>

/** Reads what was given as `tracker`. */
export function checkTracker(given: unknown): TrackerOptions {
  return readNested<TrackerOptions, typeof trackerTable>('tracker', given as TrackerOptions, trackerTable)
}

function checkStart(argument: string, start: unknown): number | string {
  if (typeof start === 'string') return checkString(argument, start)
  if (!Number.isFinite(start)) throw invalidArgument(argument, 'a time, or the text of a message', start)
  return start as number
}

/** As they were given: what they leave open depends on the method, and is filled in where fixations are found. */
function checkFixations(argument: string, given: unknown): NonNullable<TrackerOptions['fixations']> {
  if (typeof given === 'string') return checkChoice(argument, given, ['given', 'none'] as const)
  const own = checkOptions<FixationOptions>(argument, given as FixationOptions, fixationNames)
  checkFixationOptions(argument, own)
  return own
}
