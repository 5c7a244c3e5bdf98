import type { Packets } from './packets.ts'
import { rationalValue, type Rational } from './rational.ts'

/** How long to wait for a complaint of ffmpeg that explains a gap, in milliseconds, and how often in vain. */
const grace = 100
const mostInVain = 5

/**
 * Tells which frames are missing between two that follow each other. Only where ffmpeg complained: a gap alone may be how the video is.
 */
export class Gaps {
  readonly #packets: Packets
  readonly #interval: number
  readonly #longest: number
  readonly #complained: () => boolean
  readonly #unseen: number[] = []
  #regular = true
  #inVain = 0

  /**
   * @param interval the usual one, in ticks
   * @param longest a longer gap than this, in ticks, is none of lost packets
   * @param complained whether ffmpeg has complained of the video by now
   */
  constructor(packets: Packets, interval: number, longest: number, complained: () => boolean) {
    this.#packets = packets
    this.#interval = interval
    this.#longest = longest
    this.#complained = complained
  }

  /** The times of frames whose packets were lost too. */
  get unseen(): readonly number[] {
    return this.#unseen
  }

  /** The times of the frames that are missing between two, all in ticks. */
  async between(before: number, after: number): Promise<number[]> {
    const gap = after - before
    if (gap <= 1.5 * this.#interval) {
      this.#regular &&= gap >= 0.5 * this.#interval
      return []
    }
    const lost = await this.#packets.lostBetween(before, after)
    const count = Math.round(gap / this.#interval) - 1
    const even = this.#regular && gap <= this.#longest ? Array.from({ length: count }, (_, i) => before + (gap * (i + 1)) / (count + 1)) : []
    if (lost.length > 0 || even.length > 0) await this.#complaint()
    if (!this.#complained()) {
      this.#regular = false
      return []
    }
    if (lost.length === 0) this.#unseen.push(...even)
    return lost.length > 0 ? lost : even
  }

  /** Waits for it: it comes by another pipe than the frames. */
  async #complaint(): Promise<void> {
    if (this.#complained() || this.#inVain === mostInVain) return
    await new Promise((resolve) => setTimeout(resolve, grace))
    if (!this.#complained()) this.#inVain += 1
  }
}

/** Words for frames that were lost: `1 frame at 1.20 s, 27 before 1.08 s`. */
export function lostText(lost: readonly number[], first: number, timeBase: Rational, rate: Rational): string {
  const [tick, interval] = [rationalValue(timeBase), rationalValue(rate)]
  const parts: string[] = []
  const early = lost.filter((ticks) => ticks < first).length
  if (early > 0) parts.push(`${frames(early)} before ${(first * tick).toFixed(2)} s`)
  const later = lost.filter((ticks) => ticks > first)
  for (let from = 0; from < later.length; ) {
    let to = from
    while (to + 1 < later.length && (later[to + 1]! - later[to]!) * tick * interval < 12) to += 1
    const [begin, end] = [(later[from]! * tick).toFixed(2), (later[to]! * tick).toFixed(2)]
    parts.push(`${frames(to - from + 1)} ${begin === end ? `at ${begin} s` : `from ${begin} to ${end} s`}`)
    from = to + 1
  }
  return parts.length > 6 ? `${parts.slice(0, 5).join(', ')} and ${parts.length - 5} times more` : parts.join(', ')
}

function frames(count: number): string {
  return `${count} frame${count === 1 ? '' : 's'}`
}
