import { open, type FileHandle } from 'node:fs/promises'
import { fileError } from '../errors.ts'
import { OutputPlace } from '../files/output-place.ts'
import type { MapWriter } from './map-writer.ts'

/** Long enough for any shape; the header is padded to it, so that it can be written again when the count is known. */
const headerBytes = 128

/**
 * Writes maps as one NumPy file, float32 (N, H, W), one map after the other as they come. Which frames they belong to is not in the
 * file.
 */
export class NpyWriter implements MapWriter {
  readonly #place: OutputPlace
  readonly #file: FileHandle
  readonly #size: readonly [number, number]
  #count = 0
  #open = true

  private constructor(place: OutputPlace, file: FileHandle, size: readonly [number, number]) {
    this.#place = place
    this.#file = file
    this.#size = size
  }

  /**
   * @param size [height, width] of every map.
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE.
   */
  static async create(path: string, size: readonly [number, number]): Promise<NpyWriter> {
    const place = await OutputPlace.beside(path)
    try {
      const file = await open(place.temporary, 'wx')
      const writer = new NpyWriter(place, file, size)
      await writer.#put(npyHeader([0, ...size]), 0)
      return writer
    } catch (cause) {
      await place.discard()
      throw cause instanceof Error && 'syscall' in cause ? fileError('write', path, cause) : cause
    }
  }

  async write(_frame: number, map: Float32Array): Promise<void> {
    const bytes = new Uint8Array(map.buffer, map.byteOffset, map.byteLength)
    await this.#put(bytes, headerBytes + this.#count * bytes.length)
    this.#count += 1
  }

  async finish(): Promise<void> {
    await this.#put(npyHeader([this.#count, ...this.#size]), 0)
    await this.#place.sync()
    await this.#close()
  }

  commit(): Promise<void> {
    return this.#place.commit({ keep: true })
  }

  revert(): Promise<void> {
    return this.#place.revert()
  }

  async discard(): Promise<void> {
    await this.#close().catch(() => undefined)
    await this.#place.discard()
  }

  async #put(bytes: Uint8Array, at: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, at + done)
        done += bytesWritten
      }
    } catch (cause) {
      throw fileError('write', this.#place.target, cause)
    }
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#file.close()
  }
}

/** The header of a version 1.0 file of little-endian float32 in C order. */
function npyHeader(shape: readonly number[]): Uint8Array {
  const header = Buffer.alloc(headerBytes, ' ')
  header.write('\x93NUMPY\x01\x00', 0, 'latin1')
  header.writeUInt16LE(headerBytes - 10, 8)
  header.write(`{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`, 10, 'latin1')
  header.write('\n', headerBytes - 1, 'latin1')
  return header
}
