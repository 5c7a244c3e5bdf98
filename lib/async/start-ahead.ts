/**
 * Starts work on the items of a source as they come, at most `most` at once, and gives the results in order. It goes on while the reader
 * is busy: a piece of work counts until its result has been taken, and one item more is read. A failure, of the source or of the work, comes
 * in its turn. However the reader leaves, `leaving` is aborted, which is to end the source and the work; both are awaited.
 */
export async function* startAhead<Item, Result, Last>(
  source: AsyncGenerator<Item, Last, undefined>,
  start: (item: Item) => Promise<Result>,
  most: number,
  leaving: AbortController,
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
      while (started.length === 0 && !over) await changed.happened
      if (started.length === 0) return await reading
      const result = await started[0]!
      started.shift()
      change()
      yield result
    }
  } finally {
    leaving.abort()
    change()
    await reading.catch(() => undefined)
    await Promise.allSettled(started)
  }
}

function nextChange(): { happened: Promise<void>; happen: () => void } {
  let happen = (): void => undefined
  const happened = new Promise<void>((resolve) => (happen = resolve))
  return { happened, happen }
}
