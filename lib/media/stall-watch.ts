import { stat } from 'node:fs/promises'

/** Seconds without a sign of life from ffmpeg after which it is given up, where nothing else is said. */
export const defaultStallLimit = 60

/** Messages beyond these, without anything else coming, are no sign of life. */
const mostWords = 1 << 20

/**
 * Tells when a process shows no sign of life for too long while it is waited for. A process that nobody reads from is held back, which is
 * no stall.
 */
export class StallWatch {
  readonly #limit: number
  readonly #stalled: () => void
  readonly #grows: string | undefined
  #timer: NodeJS.Timeout | undefined
  #waiting = 0
  #words = 0
  #last = ''

  /**
   * @param limit Seconds; Infinity for none.
   * @param stalled Called once.
   * @param grows A file whose growing is a sign of life too.
   */
  constructor(limit: number, stalled: () => void, grows?: string) {
    this.#limit = limit
    this.#stalled = stalled
    this.#grows = grows
  }

  /** A byte came. */
  alive(): void {
    this.#words = 0
    this.#timer?.refresh()
  }

  /** A message of so many bytes came. A flood of them alone is no life. */
  spoke(bytes: number): void {
    this.#words += bytes
    if (this.#words <= mostWords) this.#timer?.refresh()
  }

  /** Waits for work of the process. */
  async wait<T>(work: Promise<T>): Promise<T> {
    this.#waiting += 1
    this.#start()
    try {
      return await work
    } finally {
      this.#waiting -= 1
      if (this.#waiting === 0) {
        clearTimeout(this.#timer)
        this.#timer = undefined
      }
    }
  }

  #start(): void {
    if (this.#limit === Number.POSITIVE_INFINITY || this.#timer !== undefined) return
    const timer = setTimeout(() => {
      void this.#grew().then((grew) => {
        // The wait may be over, and another begun.
        if (this.#timer !== timer) return
        this.#timer = undefined
        if (grew) this.#start()
        else this.#stalled()
      })
    }, this.#limit * 1000)
    this.#timer = timer
  }

  async #grew(): Promise<boolean> {
    if (this.#grows === undefined) return false
    const now = await stat(this.#grows).then(
      ({ size, mtimeMs }) => `${size} ${mtimeMs}`,
      () => '',
    )
    const grew = now !== this.#last
    this.#last = now
    return grew
  }
}
