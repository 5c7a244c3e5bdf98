import { close, createReadStream, open, read } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import yauzl, { type ZipFile } from 'yauzl'

/**
 * Opens a zip for yauzl's promises; close it afterwards. yauzl's own reader lets offsets that no file has through to Node, which throws
 * them out of a callback, and that ends the process; here they are errors like any other damage.
 */
export async function openZip(path: string): Promise<ZipFile> {
  const { size } = await stat(path)
  const file = await promisify(open)(path, 'r')
  try {
    return await yauzl.fromRandomAccessReaderPromise(new FileReader(file, size), size, { autoClose: false })
  } catch (error) {
    await promisify(close)(file)
    throw error
  }
}

/** A stream's file, which others read from too: a destroyed stream closes its own even where `autoClose` is false. */
const shared = { open, read, close: (_: number, callback: (error?: Error | null) => void) => callback() }

class FileReader extends yauzl.RandomAccessReader {
  readonly #file: number
  readonly #size: number

  constructor(file: number, size: number) {
    super()
    this.#file = file
    this.#size = size
  }

  override read(buffer: Buffer, offset: number, length: number, position: number, callback: (error: Error | null, bytesRead?: number) => void): void {
    if (this.#holds(position, position + length)) read(this.#file, buffer, offset, length, position, callback)
    else process.nextTick(callback, outside())
  }

  override _readStreamForRange(start: number, end: number): Readable {
    if (this.#holds(start, end)) return createReadStream('', { fd: this.#file, start, end: end - 1, fs: shared })
    return new Readable({
      read() {
        this.destroy(outside())
      },
    })
  }

  override close(callback: (error: Error | null) => void): void {
    close(this.#file, callback)
  }

  #holds(start: number, end: number): boolean {
    return start >= 0 && start <= end && end <= this.#size
  }
}

function outside(): Error {
  return new Error('an offset in it is outside of the file')
}
