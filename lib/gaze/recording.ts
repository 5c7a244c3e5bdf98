import type { GazePoint } from './points.ts'

/** A look at one place for a while. */
export interface Look extends GazePoint {
  /** Milliseconds from the video's first frame. */
  readonly start: number
  /** Milliseconds; at `start + duration` it is over. */
  readonly duration: number
}

/**
 * Who looked where in a video, at any moment. It is made of looks: a fixation is one; a sample of a tracker is one until the next sample.
 */
export class GazeRecording {
  /** In order of their start. */
  readonly looks: readonly Look[]
  /** The viewers' names, in the order in which they first look. */
  readonly viewers: readonly string[]
  /** When the last look ends, in milliseconds. */
  readonly end: number
  /** The longest look, which bounds how far back one that still lasts can have begun. */
  readonly #longest: number

  constructor(looks: Iterable<Look>) {
    this.looks = [...looks].sort((a, b) => a.start - b.start)
    this.viewers = [...new Set(this.looks.map(({ viewer }) => viewer))]
    this.end = this.looks.reduce((end, { start, duration }) => Math.max(end, start + duration), 0)
    this.#longest = this.looks.reduce((longest, { duration }) => Math.max(longest, duration), 0)
  }

  /** Where each viewer looks at a time in milliseconds; those who look nowhere are left out. */
  at(time: number): GazePoint[] {
    const points: GazePoint[] = []
    for (let i = this.#firstAfter(time) - 1; i >= 0; i--) {
      const look = this.looks[i]!
      if (look.start < time - this.#longest) break
      if (time < look.start + look.duration) points.push(look)
    }
    return points.reverse()
  }

  /** Several recordings of one video as one. Viewers of two recordings are two, whatever their names. */
  static join(recordings: readonly GazeRecording[]): GazeRecording {
    if (recordings.length === 1) return recordings[0]!
    return new GazeRecording(recordings.flatMap(({ looks }, i) => looks.map((look) => ({ ...look, viewer: `${i + 1}/${look.viewer}` }))))
  }

  /** The number of looks that begin at `time` or before. */
  #firstAfter(time: number): number {
    let [low, high] = [0, this.looks.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.looks[middle]!.start <= time) low = middle + 1
      else high = middle
    }
    return low
  }
}
