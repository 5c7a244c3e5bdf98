/** The values that were asked for last, each made once, even where it is asked for again while it is being made. */
export class LruCache<Key, Value> {
  readonly #capacity: number
  readonly #values = new Map<Key, Promise<Value>>()

  /** @param capacity How many values to keep; 0 keeps none. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** The value of `key`, by `make` where it is not kept. What could not be made is not kept. */
  get(key: Key, make: () => Promise<Value>): Promise<Value> {
    if (this.#capacity === 0) return make()
    const kept = this.#values.get(key)
    if (kept) {
      this.#values.delete(key)
      this.#values.set(key, kept)
      return kept
    }
    const made = make()
    this.#values.set(key, made)
    made.catch(() => this.#values.get(key) === made && this.#values.delete(key))
    if (this.#values.size > this.#capacity) this.#values.delete(this.#values.keys().next().value!)
    return made
  }
}
