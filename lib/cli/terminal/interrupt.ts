/** Ctrl-C, or a request to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** Milliseconds in which a signal is an echo of the one before: under npm, one Ctrl-C arrives from the terminal and from npm. */
const echo = 1000

/**
 * Runs work that Ctrl-C, Ctrl-\ or a request to end aborts: it has then the time to remove what it wrote. A second one, a second later or
 * more, ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let first = 0
  const interrupt = (): void => {
    if (!controller.signal.aborted) {
      first = performance.now()
      controller.abort(new Interrupted('Interrupted.'))
    } else if (performance.now() - first >= echo) {
      process.exit(130)
    }
  }
  for (const name of signals) process.on(name, interrupt)
  try {
    return await work(controller.signal)
  } finally {
    for (const name of signals) process.off(name, interrupt)
  }
}
