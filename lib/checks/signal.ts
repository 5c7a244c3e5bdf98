import { invalidArgument } from '../errors.ts'

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
