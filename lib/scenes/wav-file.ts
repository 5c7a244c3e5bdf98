import { open, type FileHandle } from 'node:fs/promises'
import { fileError } from '../errors.ts'

/** Writes mono 16-bit sound as a .wav, part by part. */
export class WavWriter {
  readonly #file: FileHandle
  readonly #target: string

  private constructor(file: FileHandle, target: string) {
    this.#file = file
    this.#target = target
  }

  /**
   * @param samples How many there will be.
   * @param target What errors say cannot be written: the file that the sound is a part of.
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE.
   */
  static async create(path: string, samples: number, sampleRate: number, target = path): Promise<WavWriter> {
    const header = Buffer.alloc(44)
    header.write('RIFF', 0)
    header.writeUInt32LE(36 + 2 * samples, 4)
    header.write('WAVEfmt ', 8)
    header.writeUInt32LE(16, 16)
    header.writeUInt16LE(1, 20)
    header.writeUInt16LE(1, 22)
    header.writeUInt32LE(sampleRate, 24)
    header.writeUInt32LE(2 * sampleRate, 28)
    header.writeUInt16LE(2, 32)
    header.writeUInt16LE(16, 34)
    header.write('data', 36)
    header.writeUInt32LE(2 * samples, 40)
    const file = await open(path, 'wx').catch((cause: unknown) => {
      throw fileError('write', target, cause)
    })
    const writer = new WavWriter(file, target)
    await writer.#append(header)
    return writer
  }

  /** Samples from -1 to 1. */
  async write(samples: Float32Array): Promise<void> {
    const bytes = Buffer.alloc(2 * samples.length)
    samples.forEach((value, i) => bytes.writeInt16LE(Math.round(Math.min(Math.max(value, -1), 1) * 32_767), 2 * i))
    await this.#append(bytes)
  }

  /** Harmless when it is closed already. */
  async close(): Promise<void> {
    await this.#file.close()
  }

  async #append(bytes: Buffer): Promise<void> {
    try {
      await this.#file.writeFile(bytes)
    } catch (cause) {
      await this.#file.close()
      throw fileError('write', this.#target, cause)
    }
  }
}
