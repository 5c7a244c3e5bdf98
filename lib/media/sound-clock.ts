/** Times that are less than this away from where the sound stands are taken for the same: containers round them. In seconds. */
const jitter = 0.008

/** So much silence is given at once, in samples. */
const silence = 1 << 16

/**
 * Puts pieces of sound where their times say: silence fills what is missing, also before the first, and what comes twice is left out.
 * Sample 0 is at time 0.
 */
export class SoundClock {
  readonly #rate: number
  #at = 0

  /** @param rate samples a second */
  constructor(rate: number) {
    this.#rate = rate
  }

  /** The sample that comes next. */
  get position(): number {
    return this.#at
  }

  /**
   * Gives a piece and the silence before it.
   *
   * @param start the sample that it begins with by its time; NaN where it follows what was before
   */
  *place(piece: Float32Array, start: number): Generator<Float32Array, void, undefined> {
    const gap = Number.isNaN(start) ? 0 : start - this.#at
    const moved = this.#at === 0 || Math.abs(gap) > jitter * this.#rate ? gap : 0
    for (let left = moved; left > 0; left -= silence) yield this.#give(new Float32Array(Math.min(left, silence)))
    const rest = moved < 0 ? piece.subarray(Math.min(-moved, piece.length)) : piece
    if (rest.length > 0) yield this.#give(rest)
  }

  #give(samples: Float32Array): Float32Array {
    this.#at += samples.length
    return samples
  }
}
