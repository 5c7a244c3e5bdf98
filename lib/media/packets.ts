import type { FfmpegProcess } from './ffmpeg-process.ts'
import { rationalValue, type Rational } from './rational.ts'
import { readStamp } from './stamps.ts'

/** More packets than this without their frames, and frames are of other times than packets: nothing can be told from them. */
const mostUnmatched = 20_000

/** How long to wait for a packet that must have come before its frame, in milliseconds. */
const grace = 100

/**
 * The packets of a file as they pass on the way to the decoder: which of the video's packets have given no frame, and where the last packet
 * of any stream ends.
 */
export class Packets {
  readonly #unmatched = new Map<number, number>()
  readonly #bases: number[] = []
  readonly #waiting = new Set<() => void>()
  #newest = Number.NEGATIVE_INFINITY
  #end = 0
  #useless: boolean
  #fruitless = 0

  /** @param codec the video's; of some, packets need not give frames */
  constructor(child: FfmpegProcess, pipe: number, codec: string) {
    this.#useless = codec === 'vp8'
    child.lines(pipe, (line) => this.#take(line))
  }

  /** Seconds at which the last packet of any stream ends. */
  get end(): number {
    return this.#end
  }

  /** A frame has come. */
  decoded(ticks: number): void {
    this.#count(ticks, -1)
  }

  /** The times, in order, of packets between two frames that have given none. Waits a moment for what is on its way. */
  async lostBetween(before: number, after: number, complained: () => boolean): Promise<number[]> {
    if (this.#newest < after) await this.#arrival()
    const lost = this.#missing((ticks) => ticks > before && ticks < after)
    if (lost.length > 0 && !complained() && this.#fruitless < 5) {
      this.#fruitless += 1
      await new Promise((resolve) => setTimeout(resolve, grace))
    }
    return complained() ? lost : []
  }

  /** Takes out the times of all packets up to a time that have given no frame. */
  takeLost(upTo: number): number[] {
    const lost = this.#missing((ticks) => ticks <= upTo)
    for (const ticks of this.#unmatched.keys()) if (ticks <= upTo) this.#unmatched.delete(ticks)
    return lost
  }

  #missing(where: (ticks: number) => boolean): number[] {
    if (this.#useless) return []
    return [...this.#unmatched].filter(([ticks, count]) => count > 0 && where(ticks)).map(([ticks]) => ticks).sort((a, b) => a - b)
  }

  #take(line: string): void {
    const base = /^#tb (\d+): (\d+)\/(\d+)/.exec(line)
    if (base) this.#bases[Number(base[1])] = Number(base[2]) / Number(base[3])
    const stamp = readStamp(line)
    if (stamp === undefined || Number.isNaN(stamp.ticks)) return
    this.#end = Math.max(this.#end, (stamp.ticks + stamp.duration) * (this.#bases[stamp.stream] ?? 0))
    if (stamp.stream !== 0) return
    this.#newest = Math.max(this.#newest, stamp.ticks)
    this.#count(stamp.ticks, 1)
    for (const wake of this.#waiting) wake()
  }

  #count(ticks: number, change: 1 | -1): void {
    if (this.#useless) return
    const count = (this.#unmatched.get(ticks) ?? 0) + change
    if (count === 0) this.#unmatched.delete(ticks)
    else this.#unmatched.set(ticks, count)
    if (this.#unmatched.size <= mostUnmatched) return
    this.#useless = true
    this.#unmatched.clear()
  }

  async #arrival(): Promise<void> {
    let wake = (): void => undefined
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, grace)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#waiting.add(wake)
    })
    this.#waiting.delete(wake)
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
