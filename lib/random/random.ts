/** Random numbers that seed and stream decide, the same on every machine and in every release. */
export class Random {
  readonly #word: () => number

  /** @param stream Which of the seed's sequences; any integer up to 2^53 − 1. */
  constructor(seed: number, stream: number) {
    this.#word = randomWords(seed, stream)
  }

  /** A number from 0 to below 1. */
  next(): number {
    return this.#word() / 2 ** 32
  }

  /** A number from `least` to below `most`. */
  uniform(least: number, most: number): number {
    return least + (most - least) * this.next()
  }

  /** An integer from 0 to `count` − 1, each as likely as any other. */
  below(count: number): number {
    return below(count, this.#word)
  }

  /** True in so large a share of all cases. */
  chance(share: number): boolean {
    return this.next() < share
  }
}

/** A number below `count`, each as likely as any other: words past the last whole multiple are drawn again. */
export function below(count: number, word: () => number): number {
  const whole = 2 ** 32 - (2 ** 32 % count)
  for (;;) {
    const drawn = word()
    if (drawn < whole) return drawn % count
  }
}

/** Random 32-bit words: xoshiro128**, its state filled by splitmix64 from seed and stream. */
export function randomWords(seed: number, stream: number): () => number {
  const mask = 2n ** 64n - 1n
  const mix = (value: bigint): bigint => {
    let z = value & mask
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask
    return z ^ (z >> 31n)
  }
  const golden = 0x9e3779b97f4a7c15n
  const base = mix(BigInt(seed) + golden) ^ BigInt(stream)
  const [low, high] = [mix(base + golden), mix(base + 2n * golden)]
  let [a, b, c, d] = [low, low >> 32n, high, high >> 32n].map((part) => Number(part & 0xffffffffn)) as [number, number, number, number]
  return () => {
    const scrambled = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotated(d, 11)
    return scrambled
  }
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
