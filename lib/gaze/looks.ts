import { reportFault, type Faults } from '../files/faults.ts'
import type { LeftOut } from './left-out.ts'
import { notGaze } from './not-gaze.ts'
import { isInside } from './points.ts'
import type { GazeLook } from './recording.ts'
import { mostRows, type RowBudget } from './row-budget.ts'

/** For how long a viewer is taken to go on looking where a sample was, in milliseconds, when no other follows: a blink or a loss of track. */
const held = 50

/** The most viewers of a file, of whom each may look at every frame. */
const mostViewers = 10_000

/** A look that may still last. */
type OpenLook = { -readonly [K in keyof GazeLook]: GazeLook[K] }

/** What a file says of one moment. Times are milliseconds of the video. */
export interface Moment {
  readonly viewer: string
  readonly time: number
  /** Of a fixation or a frame; a sample lasts until the next. */
  readonly duration?: number | undefined
  /** In shares of the video; undefined where the eye was shut or lost. */
  readonly place: { readonly x: number; readonly y: number } | undefined
  /** Samples that follow one another with the same one are one look. */
  readonly fixation?: string | undefined
}

/** Makes looks of what a file says, a viewer's moments in order of time. */
export class Looks {
  readonly list: OpenLook[] = []
  readonly #path: string
  readonly #leftOut: LeftOut
  readonly #budget: RowBudget
  /** Each viewer's last time, and the look that still lasts. */
  readonly #last = new Map<string, { time: number; look: OpenLook | undefined; fixation: string | undefined }>()

  constructor(path: string, leftOut: LeftOut, budget: RowBudget) {
    this.#path = path
    this.#leftOut = leftOut
    this.#budget = budget
  }

  /**
   * Takes one.
   *
   * @param place what it is called in messages
   * @param text what stands there; asked for once a kind of problem
   * @throws DiffSalError ERR_DIFFSAL_FILE for more rows or viewers than may be
   */
  add({ viewer, time, duration, place, fixation }: Moment, where: string, text: () => string): void {
    if (!this.#budget.take()) throw notGaze(this.#path, `with it, there are more than ${mostRows} rows; thin it out`)
    const last = this.#last.get(viewer) ?? { time: -Infinity, look: undefined, fixation: undefined }
    if (last.time === -Infinity && this.#last.size === mostViewers) throw notGaze(this.#path, `it has more than ${mostViewers} viewers`)
    if (time < last.time) return this.#leftOut.add('goes back in time', where, text)
    // A row without a place ends the look before it too: the eye was shut, or elsewhere.
    if (duration === undefined && last.look) last.look.duration = last.look.duration - held + Math.min(held, time - last.time)
    const now: typeof last = { time, look: undefined, fixation }
    this.#last.set(viewer, now)
    if (place === undefined) return
    if (!isInside(place)) return this.#leftOut.add('lies outside the picture', where, text)
    if (fixation !== undefined && last.look && fixation === last.fixation && time - last.time <= held) {
      last.look.duration += held
      now.look = last.look
      return
    }
    now.look = { viewer, ...place, start: time, duration: duration ?? held }
    this.list.push(now.look)
  }

  /** Reports the viewers of whom nothing can be used. */
  reportIdle(path: string, plan: Faults): void {
    const seen = new Set(this.list.map(({ viewer }) => viewer))
    const idle = [...this.#last.keys()].filter((viewer) => !seen.has(viewer))
    if (idle.length === 0 || seen.size === 0) return
    const names = idle
      .slice(0, 8)
      .map((viewer) => `'${viewer.slice(0, 100)}'`)
      .join(', ')
    reportFault(
      plan,
      `'${path}' has no place of ${idle.length === 1 ? 'the viewer' : `${idle.length} viewers,`} ${names} that can be used`,
      'they do not count',
      path,
    )
  }
}
