import type { Heading } from './heading.ts'
import type { PlaceUnit } from './places.ts'

/** How a table tells when its rows are. */
export type Timing = 'fixations' | 'samples' | 'frames'

/** A column of times. */
export interface TimeColumn {
  readonly heading: Heading
  /** Milliseconds in one. */
  readonly scale: number
}

/** What the columns of a table say. */
export interface Layout {
  readonly timing: Timing
  /** Undefined where the file is of one viewer. */
  readonly viewer: Heading | undefined
  /** x and y; where each eye has its own, the mean of those that are there. */
  readonly eyes: readonly { readonly x: Heading; readonly y: Heading }[]
  readonly places: PlaceUnit
  /** When the row is; of a fixation, when it begins. */
  readonly time: TimeColumn
  /** Is taken away from `time`: when the trial began. */
  readonly zero?: TimeColumn | undefined
  /** Whether a viewer's first row of the video is its beginning. */
  readonly fromFirst?: boolean
  readonly duration?: TimeColumn | undefined
  /** In place of the duration. */
  readonly end?: TimeColumn | undefined
  /** Which video a row is about. */
  readonly video?: Heading | undefined
  /** Rows of one viewer and video with different ones of these are of several showings, which is refused. */
  readonly trial?: Heading | undefined
  /** Only rows in which this column is as `value` are of the tracker. */
  readonly only?: { readonly heading: Heading; readonly value: RegExp } | undefined
  /** Rows in which one of these is so have no place: the eye is shut. */
  readonly shut?: readonly { readonly heading: Heading; readonly value: RegExp }[]
  /** Rows that follow one another with the same number here are one fixation. */
  readonly fixation?: Heading | undefined
  /** What stands for a place that was not recorded. Where there is none, such a row is a fault. */
  readonly missing?: RegExp
  /** What the file tells of the screen and of the video on it, in the row's own columns. */
  readonly told?: Told | undefined
}

/** Columns with sizes in pixels. */
export interface Told {
  readonly screen?: readonly [width: Heading, height: Heading] | undefined
  readonly area?: readonly [left: Heading, top: Heading, width: Heading, height: Heading] | undefined
  readonly picture?: readonly [width: Heading, height: Heading] | undefined
}
