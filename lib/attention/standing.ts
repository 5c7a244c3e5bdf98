import type { FrameMark } from '../media/clip-windows.ts'

/** The seconds for which a map stands. */
export interface Standing {
  readonly from: number
  readonly to: number
}

interface Waiting<T> {
  readonly map: T
  /** Of its own frame. */
  readonly time: number
  readonly shot: number
  readonly from: number
}

/**
 * Gives each map of a video the time that it stands for: each frame is shown until the next one, and goes to the map that is nearest in time, of
 * its own shot where that has one. So the times of all maps make up the whole, without gap or overlap.
 */
export class Standings<T> {
  #waiting: Waiting<T> | undefined

  /**
   * Takes the next map, and gives the one before with its time.
   *
   * @param times of all frames after the map before, up to this one's
   * @param marks likewise, where shots are looked for
   */
  next(map: T, times: readonly number[], marks: readonly FrameMark[] | undefined): (Standing & { readonly map: T }) | undefined {
    const time = times.at(-1)!
    const shot = marks?.at(-1)?.shot ?? 0
    const last = this.#waiting
    const from = last === undefined ? times[0]! : boundary(last, times, marks)
    this.#waiting = { map, time, shot, from }
    return last && { map: last.map, from: last.from, to: from }
  }

  /** Gives the last map, which stands until the end. */
  end(end: number): (Standing & { readonly map: T }) | undefined {
    const last = this.#waiting
    return last && { map: last.map, from: last.from, to: Math.max(end, last.time) }
  }
}

/** When the first frame begins that is no longer the former map's: the last of them is the next map's own. */
function boundary({ time: before, shot }: Waiting<unknown>, times: readonly number[], marks: readonly FrameMark[] | undefined): number {
  const next = times.at(-1)!
  const [first, end] =
    marks === undefined ? [0, times.length - 1] : [countWhile(marks, (mark) => mark.shot === shot), marks.findIndex((mark) => mark.shot === marks.at(-1)!.shot)]
  const found = times.findIndex((time) => time - before > next - time)
  const nearer = found < 0 ? times.length - 1 : found
  // Of one shot, the middle; of two, within what lies between them.
  const at = first >= times.length ? nearer : Math.min(Math.max(nearer, first), end)
  return times[at]!
}

function countWhile<T>(list: readonly T[], holds: (one: T) => boolean): number {
  const end = list.findIndex((one) => !holds(one))
  return end < 0 ? list.length : end
}
