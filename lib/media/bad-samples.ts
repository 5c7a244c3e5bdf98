/** Louder than this is no sound: even numbers of 32 bits that were taken for fractions are below. */
const loudest = 2 ** 32

/** How far a resampler smears a sample, in samples of its output: what is nearer to a bad one is spoilt too. */
const smear = 64

/**
 * Takes samples that are no sound (NaN, infinite, enormous) out of one, and what a resampler made of their neighbours: there is silence
 * instead. It holds some samples back until it knows what follows them.
 */
export class SampleCleaner {
  #held = new Float32Array(0)
  /** Up to which sample, from the start of what is held, all is spoilt. */
  #spoilt = 0
  #given = 0
  #first: number | undefined

  /** The number of the first bad sample, if there was one. */
  get first(): number | undefined {
    return this.#first
  }

  /** Takes samples and gives those that are sure. */
  push(samples: Float32Array): Float32Array {
    const all = new Float32Array(this.#held.length + samples.length)
    all.set(this.#held)
    all.set(samples, this.#held.length)
    const bad: number[] = []
    // NaN is not within anything.
    for (let i = this.#held.length; i < all.length; i++) if (!(Math.abs(all[i]!) <= loudest)) bad.push(i)
    all.fill(0, 0, Math.min(this.#spoilt, all.length))
    for (const i of bad) {
      this.#spoilt = i + 1 + smear
      all.fill(0, Math.max(0, i - smear), Math.min(this.#spoilt, all.length))
    }
    if (bad.length > 0) this.#first ??= this.#given + bad[0]!
    const sure = Math.max(0, all.length - smear)
    this.#held = all.slice(sure)
    this.#spoilt = Math.max(0, this.#spoilt - sure)
    this.#given += sure
    return all.subarray(0, sure)
  }

  /** The last samples. */
  end(): Float32Array {
    return this.#held
  }
}
