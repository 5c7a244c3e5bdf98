/** Numbers that a seed determines, on every machine. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to 1 (mulberry32). */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** An integer from 0 up to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.unit() * count)
  }

  one<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  chance(share: number): boolean {
    return this.unit() < share
  }
}

/** The seed of a case: another for each target and number. */
export function caseSeed(seed: number, target: string, index: number): number {
  let hash = (seed ^ 0x811c9dc5) >>> 0
  for (const character of `${target} ${index}`) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193) >>> 0
  return hash
}
