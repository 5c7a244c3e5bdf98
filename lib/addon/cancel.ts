import { unlessAborted } from '../async/abort.ts'
import { native, type NativeCancelToken } from './native.ts'

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
export async function abortableWhole<T>(signal: AbortSignal | undefined, start: (cancel: NativeCancelToken | undefined) => Promise<T>): Promise<T> {
  try {
    return await cancellable(signal, start)
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

/** Starts a job, unless the signal is aborted already, and tells it to stop when it is. */
async function cancellable<T>(signal: AbortSignal | undefined, start: (cancel: NativeCancelToken | undefined) => Promise<T>): Promise<T> {
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
