import { types } from 'node:util'
import { describe, DiffSalError, invalidArgument } from '../errors.ts'

/** Bytes that come piece by piece, and only when they are asked for. */
export interface ByteSource {
  /** The next piece; undefined at the end. */
  next(): Promise<Uint8Array | undefined>
  /** Ends it early: whoever sends is told that nobody reads on. It does not wait for a piece that is on its way. */
  stop(): void
}

/** Bytes that are there already. */
export function bytesOf(bytes: Uint8Array): ByteSource {
  let left: Uint8Array | undefined = bytes
  return {
    async next() {
      const piece = left
      left = undefined
      return piece
    },
    stop: () => (left = undefined),
  }
}

/** What a web stream gives. Nobody else may read it. */
export function bytesOfWebStream(stream: ReadableStream<unknown>): ByteSource {
  const reader = ReadableStream.prototype.getReader.call(stream) as ReadableStreamDefaultReader<unknown>
  return {
    async next() {
      const { done, value } = await reader.read()
      return done ? undefined : checkPiece(value)
    },
    stop: () => void reader.cancel().catch(() => undefined),
  }
}

/**
 * What a stream of Node's, or anything else that is iterated over, gives. A stream of Node's is destroyed where it is stopped: `return` of its
 * iterator would wait for the next piece, which may never come.
 */
export function bytesOfIterable(iterable: AsyncIterable<unknown>): ByteSource {
  const iterator = iterable[Symbol.asyncIterator]()
  return {
    async next() {
      const { done, value } = await iterator.next()
      return done ? undefined : checkPiece(value)
    },
    stop() {
      const { destroy } = iterable as { destroy?: () => unknown }
      const left: unknown = typeof destroy === 'function' ? destroy.call(iterable) : iterator.return?.()
      Promise.resolve(left).catch(() => undefined)
    },
  }
}

/** Streams of text, or of objects, are none of bytes. */
function checkPiece(value: unknown): Uint8Array {
  if (types.isUint8Array(value)) return value
  throw invalidArgument('input', 'a stream of bytes (without an encoding, and not of objects)', value)
}

/** Words for what a stream failed with. */
export function streamError(name: string, cause: unknown): DiffSalError {
  if (cause instanceof DiffSalError) return cause
  const { code, message } = (cause ?? {}) as NodeJS.ErrnoException
  const why =
    code === 'ERR_STREAM_PREMATURE_CLOSE'
      ? 'it was closed before its end'
      : typeof message === 'string' && message !== ''
        ? message.replace(/\.$/, '')
        : describe(cause)
  return new DiffSalError('ERR_DIFFSAL_FILE', `Cannot read '${name}': ${why}.`, { argument: name, cause })
}
