/** The last of a text that comes in parts: memory and time stay bounded however much comes. */
export class LastText {
  readonly #keep: number
  readonly #parts: string[] = []
  #length = 0

  /** @param keep how many characters are kept, at least */
  constructor(keep: number) {
    this.#keep = keep
  }

  /** Adds a part. */
  add(part: string): void {
    this.#parts.push(part)
    this.#length += part.length
    while (this.#length - this.#parts[0]!.length >= this.#keep) this.#length -= this.#parts.shift()!.length
  }

  toString(): string {
    return this.#parts.join('').slice(-this.#keep)
  }
}
