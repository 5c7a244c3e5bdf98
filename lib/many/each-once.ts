import { setTimeout as sleep } from 'node:timers/promises'

/** What is to be done for an item. */
export interface Hands<Item, Result> {
  /** What was made of it before; undefined where it is not finished. */
  readonly finished: (item: Item) => Promise<Result | undefined>
  /** Takes it for this process; undefined where another one has it. */
  readonly claim: (item: Item) => Promise<{ release(): Promise<void> } | undefined>
  readonly work: (item: Item, signal: AbortSignal) => Promise<Result>
  /** Whether a failure is none of the item's own, and ends all. */
  readonly ends: (error: unknown) => boolean
  /** Called when nothing is left but items that other processes have. */
  readonly waits: (items: readonly Item[]) => void
}

/** How it ended with an item. */
export type Outcome<Item, Result> =
  | { readonly item: Item; readonly status: 'done' | 'skipped'; readonly result: Result }
  | { readonly item: Item; readonly status: 'failed'; readonly error: unknown }

/** Milliseconds until an item that another process has is asked for again. */
const patience = 1000

/**
 * Does the work for each item that is not finished, `jobs` at a time, and tells how each ended as it does. An item that fails is told and the others
 * go on. One that another process has comes last: it is finished then, or its process is gone. Leaving the loop, and the signal, end the work at
 * hand, which is awaited.
 */
export async function* eachOnce<Item, Result>(
  items: readonly Item[],
  hands: Hands<Item, Result>,
  { jobs, signal }: { jobs: number; signal: AbortSignal },
): AsyncGenerator<Outcome<Item, Result>, void, undefined> {
  const leaving = new AbortController()
  const inner = AbortSignal.any([signal, leaving.signal])
  const running = new Map<Item, Promise<Outcome<Item, Result> | { readonly item: Item; readonly status: 'held' }>>()
  let queue = [...items]
  let held: Item[] = []
  try {
    for (;;) {
      signal.throwIfAborted()
      while (running.size < jobs && queue.length > 0) {
        const item = queue.shift()!
        running.set(item, doOne(item, hands, inner))
      }
      if (running.size === 0) {
        if (held.length === 0) return
        hands.waits([...held])
        await sleep(patience, undefined, { signal: inner }).catch(() => undefined)
        ;[queue, held] = [held, []]
        continue
      }
      const outcome = await Promise.race(running.values())
      running.delete(outcome.item)
      if (outcome.status === 'held') held.push(outcome.item)
      else if (outcome.status === 'failed' && (signal.aborted || hands.ends(outcome.error))) throw signal.aborted ? signal.reason : outcome.error
      else yield outcome
    }
  } finally {
    leaving.abort()
    await Promise.all(running.values())
  }
}

/** Never rejects. */
async function doOne<Item, Result>(
  item: Item,
  { finished, claim, work }: Hands<Item, Result>,
  signal: AbortSignal,
): Promise<Outcome<Item, Result> | { item: Item; status: 'held' }> {
  try {
    const before = await finished(item)
    if (before !== undefined) return { item, status: 'skipped', result: before }
    signal.throwIfAborted()
    const claimed = await claim(item)
    if (claimed === undefined) return { item, status: 'held' }
    try {
      // Another process may have finished it since.
      const meanwhile = await finished(item)
      if (meanwhile !== undefined) return { item, status: 'skipped', result: meanwhile }
      return { item, status: 'done', result: await work(item, signal) }
    } finally {
      await claimed.release()
    }
  } catch (error) {
    return { item, status: 'failed', error }
  }
}
