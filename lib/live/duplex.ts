import { Duplex } from 'node:stream'
import { checkOptions } from '../checks/options.ts'
import { invalidArgument } from '../errors.ts'
import type { Tensor } from '../tensor.ts'

/** What a stream's writing side does. */
interface Pushes {
  pushFrame(frame: Tensor<'uint8'>, time?: number): Promise<void>
  pushAudio(samples: Float32Array, time?: number): Promise<void>
  end(): void
}

interface Chunk {
  frame?: Tensor<'uint8'> | undefined
  samples?: Float32Array | undefined
  time?: number | undefined
}

/** Pushes what is written, and gives the maps to be read: one ahead of its reader, so that back-pressure reaches the writer. */
export function duplexOf<T>(pushes: Pushes, maps: AsyncGenerator<T, void, undefined>): Duplex {
  return new Duplex({
    objectMode: true,
    readableHighWaterMark: 1,
    writableHighWaterMark: 1,
    write(chunk: Chunk, _encoding, done: (error?: Error) => void) {
      push(pushes, chunk).then(() => done(), done)
    },
    final(done) {
      pushes.end()
      done()
    },
    read() {
      maps.next().then(
        ({ done, value }) => void this.push(done ? null : value),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, done) {
      maps.return().then(() => done(error), done)
    },
  })
}

async function push(pushes: Pushes, chunk: Chunk): Promise<void> {
  const { frame, samples, time } = checkOptions<Chunk>('chunk', chunk, ['frame', 'samples', 'time'])
  if ((frame === undefined) === (samples === undefined)) throw invalidArgument('chunk', "an object with 'frame' or 'samples', and perhaps 'time'", chunk)
  if (frame !== undefined) await pushes.pushFrame(frame, time)
  else await pushes.pushAudio(samples!, time)
}
