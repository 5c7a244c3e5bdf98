import { checkList, checkNumber, checkString, reading } from '../checks/options.ts'
import { invalidArgument } from '../errors.ts'
import { checkFinite, type GazePoint } from './points.ts'

/** A look at one place for a while. */
export interface GazeLook extends GazePoint {
  /** Milliseconds from when the video begins to play, with its picture or its sound. */
  readonly start: number
  /** Milliseconds; at `start + duration` it is over. */
  readonly duration: number
}

/**
 * Who looked where in a video, at any moment. It is made of looks: a fixation is one; a sample of a tracker is one until the next sample.
 * A viewer looks at one place at a time: a look ends, at the latest, where the same viewer's next one begins.
 */
export class GazeRecording {
  /** In order of their start; of those that begin together, as they were given. */
  readonly looks: readonly GazeLook[]
  /** The viewers' names, in the order in which they first look. */
  readonly viewers: readonly string[]
  /** When the last look ends, in milliseconds; 0 without looks. */
  readonly end: number
  /** By the middle of each part of `looks` that {@link at} halves: when the last look in that part ends. */
  readonly #ends: Float64Array

  /**
   * Makes one.
   *
   * @param looks in any order
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, naming the look
   */
  constructor(looks: Iterable<GazeLook>) {
    const iterable = reading('looks', 'a list of looks', () => typeof looks?.[Symbol.iterator] === 'function')
    if (!iterable) throw invalidArgument('looks', 'a list of looks', looks)
    this.looks = oneAtATime(Array.from(looks, checkLook).sort((a, b) => a.start - b.start))
    this.viewers = [...new Set(this.looks.map(({ viewer }) => viewer))]
    this.#ends = new Float64Array(this.looks.length)
    this.end = Math.max(0, this.#fillEnds(0, this.looks.length))
  }

  /** Where each viewer looks at a time in milliseconds, in the order in which they began to; those who look nowhere are left out. */
  at(time: number): GazePoint[] {
    const points: GazePoint[] = []
    this.#collect(0, this.looks.length, checkFinite('time', time), points)
    return points
  }

  /** Several recordings of one video as one. Viewers of two recordings are two, whatever their names: they become `1/name`, `2/name`. */
  static join(recordings: readonly GazeRecording[]): GazeRecording {
    const all = checkList('recordings', recordings, 'a list of recordings', 1).map((one, i) => {
      if (!(one instanceof GazeRecording)) throw invalidArgument(`recordings[${i}]`, 'a GazeRecording', one)
      return one
    })
    if (all.length === 1) return all[0]!
    return new GazeRecording(all.flatMap(({ looks }, i) => looks.map((look) => ({ ...look, viewer: `${i + 1}/${look.viewer}` }))))
  }

  #fillEnds(from: number, to: number): number {
    if (from >= to) return -Infinity
    const middle = (from + to) >>> 1
    const { start, duration } = this.looks[middle]!
    return (this.#ends[middle] = Math.max(start + duration, this.#fillEnds(from, middle), this.#fillEnds(middle + 1, to)))
  }

  /** Halves the looks and passes over every part that has ended or not begun: a long look among many short ones costs no more than another. */
  #collect(from: number, to: number, time: number, points: GazePoint[]): void {
    if (from >= to) return
    const middle = (from + to) >>> 1
    if (this.#ends[middle]! <= time) return
    this.#collect(from, middle, time, points)
    const { start, duration, viewer, x, y } = this.looks[middle]!
    if (start > time) return
    if (time < start + duration) points.push({ viewer, x, y })
    this.#collect(middle + 1, to, time, points)
  }
}

/** The same looks, in order of their start, each cut where its viewer's next one begins. */
function oneAtATime(looks: GazeLook[]): GazeLook[] {
  const next = new Map<string, number>()
  for (let i = looks.length - 1; i >= 0; i--) {
    const look = looks[i]!
    const most = (next.get(look.viewer) ?? Infinity) - look.start
    if (look.duration > most) looks[i] = { ...look, duration: most }
    next.set(look.viewer, look.start)
  }
  return looks
}

function checkLook(look: GazeLook, i: number): GazeLook {
  const argument = `looks[${i}]`
  return reading(argument, 'an object with viewer, x, y, start and duration', () => {
    const { viewer, x, y, start, duration } = look ?? {}
    return {
      viewer: checkString(`${argument}.viewer`, viewer),
      x: checkFinite(`${argument}.x`, x),
      y: checkFinite(`${argument}.y`, y),
      start: checkFinite(`${argument}.start`, start),
      duration: checkNumber(`${argument}.duration`, duration, 0, Number.MAX_VALUE),
    }
  })
}
