/**
 * Runs work in the order in which it was asked for, at most `limit` pieces at a time. When `stopped` is aborted no more begins: what still waits
 * rejects with the signal's reason.
 */
export function inTurns(limit: number, stopped: AbortSignal): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: { begin: () => void; refuse: (reason: unknown) => void }[] = []
  let running = 0
  const admit = (): void => {
    for (; !stopped.aborted && running < limit && waiting.length > 0; running += 1) waiting.shift()!.begin()
  }
  stopped.addEventListener('abort', () => waiting.splice(0).forEach(({ refuse }) => refuse(stopped.reason)), { once: true })
  return async (work) => {
    stopped.throwIfAborted()
    await new Promise<void>((begin, refuse) => {
      waiting.push({ begin, refuse })
      admit()
    })
    try {
      // Aborted after its turn had come, and before it could begin.
      stopped.throwIfAborted()
      return await work()
    } finally {
      running -= 1
      admit()
    }
  }
}
