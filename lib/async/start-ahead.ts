import { unlessAborted } from './abort.ts'

/** How far and how long {@link startAhead} goes on. */
export interface AheadOptions {
  /** Pieces of work that may be started and not yet taken. */
  readonly most: number
  /** Aborted however the reader leaves, which is to end the source and the work. */
  readonly leaving: AbortController
  /** Ends the reader's wait for a result, with its reason; the work itself may never end. */
  readonly signal?: AbortSignal | undefined
  /** For how long work that nobody wants any more is waited for, in milliseconds. Default: until it ends. */
  readonly patience?: number
}

/**
 * Starts work on the items of a source as they come, and gives the results in order. It goes on while the reader is busy: a piece of work counts
 * until its result has been taken, and one item more is read. A failure, of the source or of the work, comes in its turn.
 */
export async function* startAhead<Item, Result, Last>(
  source: { next(): IteratorResult<Item, Last> | Promise<IteratorResult<Item, Last>> },
  start: (item: Item) => Promise<Result>,
  { most, leaving, signal, patience }: AheadOptions,
): AsyncGenerator<Result, Last, undefined> {
  const started: Promise<Result>[] = []
  let changed = nextChange()
  const change = (): void => {
    changed.happen()
    changed = nextChange()
  }
  const reading = (async () => {
    for (;;) {
      const next = await source.next()
      if (next.done) return next.value
      while (started.length >= most && !leaving.signal.aborted) await changed.happened
      leaving.signal.throwIfAborted()
      const result = start(next.value)
      // What it rejects with is met when it is its turn, if ever; so is the end of the reading.
      result.catch(() => undefined)
      started.push(result)
      change()
    }
  })()
  let over = false
  const end = (): void => {
    over = true
    change()
  }
  reading.then(end, end)
  try {
    for (;;) {
      while (started.length === 0 && !over) await unlessAborted(changed.happened, signal)
      if (started.length === 0) return await reading
      const result = await unlessAborted(started[0]!, signal)
      started.shift()
      change()
      yield result
    }
  } finally {
    leaving.abort()
    change()
    await within(patience, Promise.allSettled([reading, ...started]))
  }
}

function nextChange(): { happened: Promise<void>; happen: () => void } {
  let happen = (): void => undefined
  const happened = new Promise<void>((resolve) => (happen = resolve))
  return { happened, happen }
}

/** Resolves when `work` has, or so many milliseconds later. */
async function within(milliseconds: number | undefined, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => milliseconds !== undefined && (timer = setTimeout(resolve, milliseconds)))
  await Promise.race([work, late])
  clearTimeout(timer)
}
