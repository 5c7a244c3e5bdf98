/** The value, or the signal's reason as soon as it is aborted. The signal keeps nothing of it. */
export function unlessAborted<T>(value: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return value
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    value.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** A signal that is aborted as soon as one of these is; undefined where there is none. */
export function anySignal(...signals: readonly [...(AbortSignal | undefined)[], AbortSignal]): AbortSignal
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((each) => each !== undefined)
  return given.length > 1 ? AbortSignal.any(given) : given[0]
}
