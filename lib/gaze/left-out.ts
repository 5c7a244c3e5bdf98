import { reportFault, type Faults } from '../files/faults.ts'

/** What a file holds that cannot be used: told once a kind of problem, by the first of them and how many there are, or refused at once. */
export class LeftOut {
  readonly #path: string
  readonly #plan: Faults
  readonly #kinds = new Map<string, { readonly what: string; readonly text: string; count: number }>()

  constructor(path: string, plan: Faults) {
    this.#path = path
    this.#plan = plan
  }

  /**
   * Takes note of one.
   *
   * @param problem the rest of a sentence: `goes back in time`
   * @param what which part of the file: `Row 17`
   * @param text what stands there; asked for once a kind of problem
   * @throws DiffSalError ERR_DIFFSAL_FILE, where faults are errors
   */
  add(problem: string, what: string, text: () => string): void {
    const kind = this.#kinds.get(problem) ?? { what, text: text().slice(0, 100), count: 0 }
    this.#kinds.set(problem, kind)
    kind.count += 1
    if (this.#plan.faults === 'error') this.report()
  }

  /** The first that was noted, in words: `Row 17 goes back in time ('a,5,0.1,0.1')`. */
  get first(): string | undefined {
    const [one] = this.#kinds
    return one && `${one[1].what} ${one[0]} ('${one[1].text}')`
  }

  /** Warns of what was noted. */
  report(): void {
    for (const [problem, { what, text, count }] of this.#kinds) {
      const others = count > 1 ? `, as do ${count - 1} more` : ''
      reportFault(this.#plan, `${what} of '${this.#path}' ${problem} ('${text}')${others}`, count > 1 ? 'they are left out' : 'it is left out', this.#path)
    }
  }
}
