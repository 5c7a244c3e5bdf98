/** How many rows may be in memory together. A look takes some 150 bytes. */
export const mostRows = 5_000_000

/** The rows that files read together may have: packed ones are a thousandth of what they become. */
export class RowBudget {
  #left = mostRows

  /** Takes one; false where none is left. */
  take(): boolean {
    return (this.#left -= 1) >= 0
  }
}
