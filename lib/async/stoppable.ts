/**
 * A generator that ends at once when its reader leaves: `return` and `throw` of a bare generator would wait for the running step
 * first, which may be seconds of prediction or of decoding.
 *
 * @param left called when the reader leaves, also where the generator was never asked for anything
 */
export function stoppable<T, R>(
  start: (stop: AbortSignal) => AsyncGenerator<T, R, undefined>,
  left: () => void = () => undefined,
): AsyncGenerator<T, R | void, undefined> {
  const leaving = new AbortController()
  const inner = start(leaving.signal)
  const generator: AsyncGenerator<T, R | void, undefined> = {
    async next() {
      try {
        return await inner.next()
      } catch (error) {
        if (leaving.signal.aborted && error === leaving.signal.reason) return { done: true, value: undefined }
        throw error
      }
    },
    async return(value) {
      leaving.abort()
      left()
      await inner.return(undefined as R)
      return { done: true, value: await value }
    },
    async throw(error) {
      leaving.abort()
      left()
      await inner.return(undefined as R)
      throw error
    },
    [Symbol.asyncIterator]: () => generator,
    async [Symbol.asyncDispose]() {
      await generator.return()
    },
  }
  return generator
}
