import type { FfmpegProcess } from './ffmpeg-process.ts'
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
  async lostBetween(before: number, after: number): Promise<number[]> {
    if (this.#newest < after) await this.#arrival()
    return this.#missing((ticks) => ticks > before && ticks < after)
  }

  /** The times, in order, of all packets that have given no frame. */
  lost(): number[] {
    return this.#missing(() => true)
  }

  #missing(where: (ticks: number) => boolean): number[] {
    if (this.#useless) return []
    return [...this.#unmatched]
      .filter(([ticks, count]) => count > 0 && where(ticks))
      .map(([ticks]) => ticks)
      .sort((a, b) => a - b)
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
