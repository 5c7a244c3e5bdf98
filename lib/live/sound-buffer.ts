/** Times that are less than this away from where the sound stands are the same: those of live recordings tremble. In seconds. */
const trembling = 0.1

interface Piece {
  readonly start: number
  readonly samples: Float32Array
}

/** The last sound of a stream, put where its times say; there is silence where none came. Sample 0 is at time 0. */
export class SoundBuffer {
  readonly #rate: number
  readonly #pieces: Piece[] = []
  #end = 0

  /** @param rate samples a second */
  constructor(rate: number) {
    this.#rate = rate
  }

  /** The sample after the last. */
  get end(): number {
    return this.#end
  }

  /** How many samples are held. */
  get held(): number {
    return this.#pieces.reduce((sum, { samples }) => sum + samples.length, 0)
  }

  /** The sample that a piece of such a time would begin with. */
  startOf(time: number | undefined): number {
    if (time === undefined) return this.#end
    const start = Math.round(time * this.#rate)
    return Math.abs(start - this.#end) <= trembling * this.#rate && this.#end > 0 ? this.#end : start
  }

  /** Takes a piece, which is the buffer's from now on. What comes twice is left out. */
  push(samples: Float32Array, start: number): void {
    const known = Math.max(0, this.#end - start)
    const rest = this.#pieces.length === 0 && this.#end === 0 ? samples : samples.subarray(known)
    if (rest.length === 0) return
    const from = start + samples.length - rest.length
    this.#pieces.push({ start: from, samples: rest })
    this.#end = from + rest.length
  }

  /** Samples `from` … `to` − 1, silence where there are none. */
  excerpt(from: number, to: number): Float32Array {
    const excerpt = new Float32Array(to - from)
    for (const { start, samples } of this.#pieces) {
      const [begin, end] = [Math.max(from, start), Math.min(to, start + samples.length)]
      if (begin < end) excerpt.set(samples.subarray(begin - start, end - start), begin - from)
    }
    return excerpt
  }

  /** Forgets what ends before a sample. */
  forget(before: number): void {
    const first = this.#pieces.findIndex(({ start, samples }) => start + samples.length > before)
    this.#pieces.splice(0, first < 0 ? this.#pieces.length : first)
  }
}
