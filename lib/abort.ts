import { invalidArgument } from './errors.ts'
import { native, type NativeCancelToken } from './native.ts'

const { get: isAborted } = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')!

/** undefined or an AbortSignal, nothing else: nothing that merely has its prototype, nor a proxy. */
export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined
  try {
    Reflect.apply(isAborted!, signal, [])
    return signal as AbortSignal
  } catch {
    throw invalidArgument('signal', 'an AbortSignal', signal)
  }
}

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

/**
 * Runs a native job under a signal. An abort rejects at once with the signal's reason, also while the job waits for its
 * turn; the job itself stops at its next block.
 */
export function abortable<T>(signal: AbortSignal | undefined, start: (cancel: NativeCancelToken | undefined) => Promise<T>): Promise<T> {
  return unlessAborted(cancellable(signal, start), signal)
}

/**
 * As {@link abortable}, for a job that changes something: an abort rejects only once the job has ended, and not at all where it
 * came too late to stop it.
 */
export async function abortableWhole<T>(
  signal: AbortSignal | undefined,
  start: (cancel: NativeCancelToken | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await cancellable(signal, start)
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

/** Starts a job, unless the signal is aborted already, and tells it to stop when it is. */
async function cancellable<T>(
  signal: AbortSignal | undefined,
  start: (cancel: NativeCancelToken | undefined) => Promise<T>,
): Promise<T> {
  if (signal === undefined) return start(undefined)
  signal.throwIfAborted()
  const cancel = new (native().CancelToken)()
  const abort = (): void => cancel.cancel()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await start(cancel)
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
