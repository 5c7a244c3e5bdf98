/** Times that are less than this away from where the sound stands are the same: containers round them. In seconds. */
const rounding = 0.008

/** A piece further away than this is moved at once. In seconds. */
const plain = 0.1

/** A piece that is less far away is moved if all that follow for so long are away to the same side. In seconds. */
const lookAhead = 0.5

/** So much silence is given at once, in samples. */
const silence = 1 << 16

interface Piece {
  readonly samples: Float32Array
  /** The sample that it begins with by its time; NaN where it has none. */
  readonly start: number
}

/**
 * Puts pieces of sound where their times say: silence fills what is missing, also before the first, and what comes twice is left out.
 * Sample 0 is at time 0. Times that only tremble (of live recordings, or interpolated by a demuxer) leave the sound whole.
 */
export class SoundClock {
  readonly #rate: number
  readonly #ahead: Piece[] = []
  #held = 0
  #at = 0

  /** @param rate samples a second */
  constructor(rate: number) {
    this.#rate = rate
  }

  /** How many samples were given. */
  get position(): number {
    return this.#at
  }

  /** Takes a piece, and gives what is sure by now. */
  *push(piece: Piece): Generator<Float32Array, void, undefined> {
    this.#ahead.push(piece)
    this.#held += piece.samples.length
    while (this.#ahead.length > 0 && this.#held - this.#ahead[0]!.samples.length >= lookAhead * this.#rate) yield* this.#placeFirst()
  }

  /** Gives the rest. */
  *end(): Generator<Float32Array, void, undefined> {
    while (this.#ahead.length > 0) yield* this.#placeFirst()
  }

  *#placeFirst(): Generator<Float32Array, void, undefined> {
    const moved = this.#move()
    const { samples } = this.#ahead.shift()!
    this.#held -= samples.length
    for (let left = moved; left > 0; left -= silence) yield this.#give(new Float32Array(Math.min(left, silence)))
    const rest = moved < 0 ? samples.subarray(Math.min(-moved, samples.length)) : samples
    if (rest.length > 0) yield this.#give(rest)
  }

  /** By how many samples the first piece must be moved from where the sound stands. */
  #move(): number {
    const gap = this.#ahead[0]!.start - this.#at
    if (Number.isNaN(gap)) return 0
    if (this.#at === 0 || Math.abs(gap) > plain * this.#rate) return gap
    // Near the end too little follows to tell.
    if (this.#held < lookAhead * this.#rate) return 0
    let least = gap
    let end = this.#at
    for (const { samples, start } of this.#ahead) {
      const next = start - end
      end += samples.length
      if (Number.isNaN(next)) continue
      if (next * gap <= 0 || Math.abs(next) <= rounding * this.#rate) return 0
      if (Math.abs(next) < Math.abs(least)) least = next
    }
    return least
  }

  #give(samples: Float32Array): Float32Array {
    this.#at += samples.length
    return samples
  }
}
