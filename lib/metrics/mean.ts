/** A mean that values are added to; NaN before the first. */
export class Mean {
  #sum = 0
  #count = 0

  add(value: number): void {
    this.#sum += value
    this.#count += 1
  }

  get value(): number {
    return this.#sum / this.#count
  }
}
