import { bytesAt, withRegularFile } from '../files/regular-file.ts'
import { mediaError } from '../media/local-file.ts'

/** How a number is stored: bits, and whether it is a float. */
type Format = 'u8' | 's16' | 's24' | 's32' | 'f32' | 'f64'

/** By the codes for the kind and the bits. */
const formats: Record<string, Format> = { '1/8': 'u8', '1/16': 's16', '1/24': 's24', '1/32': 's32', '3/32': 'f32', '3/64': 'f64' }

/** A `.wav` has a few; of one with more before its data, the header is not read. */
const mostChunks = 4096

const bytesOf: Record<Format, number> = { u8: 1, s16: 2, s24: 3, s32: 4, f32: 4, f64: 8 }

const readers: Record<Format, (view: DataView, at: number) => number> = {
  u8: (view, at) => (view.getUint8(at) - 128) / 128,
  s16: (view, at) => view.getInt16(at, true) / 2 ** 15,
  s24: (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 2 ** 23,
  s32: (view, at) => view.getInt32(at, true) / 2 ** 31,
  f32: (view, at) => view.getFloat32(at, true),
  f64: (view, at) => view.getFloat64(at, true),
}

/**
 * A `.wav` of plain numbers (8 to 32 bits, or floats), of which any part is read without the rest: training hears two thirds of a
 * second here and there of files of minutes, for which starting an ffmpeg each would take longer than the pictures do.
 */
export class WavFile {
  readonly path: string
  /** Samples a second. */
  readonly sampleRate: number
  readonly channels: number
  /** How many samples each channel has. */
  readonly length: number
  readonly #format: Format
  /** Where the first sample is. */
  readonly #begin: number

  private constructor(path: string, sampleRate: number, channels: number, length: number, format: Format, begin: number) {
    this.path = path
    this.sampleRate = sampleRate
    this.channels = channels
    this.length = length
    this.#format = format
    this.#begin = begin
  }

  /**
   * Reads the header. undefined for what is no `.wav`, or one of another coding.
   *
   * @throws DiffSalError ERR_DIFFSAL_FILE when it cannot be read.
   */
  static async open(path: string): Promise<WavFile | undefined> {
    return withRegularFile(path, async (file) => {
      const { size } = await file.stat()
      const head = await bytesAt(file, 0, 12)
      if (head.length < 12 || head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WAVE') return undefined
      let layout: { format: Format; channels: number; sampleRate: number } | undefined
      // A file of empty chunks would be walked through for hours.
      for (let at = 12, chunks = 0; at + 8 <= size && chunks < mostChunks; chunks++) {
        const chunk = await bytesAt(file, at, 8)
        const name = chunk.toString('latin1', 0, 4)
        const bytes = chunk.readUInt32LE(4)
        if (name === 'fmt ') layout = readLayout(await bytesAt(file, at + 8, Math.min(bytes, 40)))
        if (name === 'data') {
          if (layout === undefined) return undefined
          const { format, channels, sampleRate } = layout
          // A recorder that was stopped, or a pipe, leaves a length of 0 or of all ones; a copy that broke off, one past the end.
          const there = size - at - 8
          const used = bytes === 0 ? there : Math.min(bytes, there)
          return new WavFile(path, sampleRate, channels, Math.floor(used / (bytesOf[format] * channels)), format, at + 8)
        }
        at += 8 + bytes + (bytes % 2)
      }
      return undefined
    })
  }

  /**
   * Samples `from` … `to` − 1, the mean of the channels; zero before the start and after the end.
   *
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_MEDIA when the file got shorter.
   */
  async read(from: number, to: number): Promise<Float32Array> {
    const samples = new Float32Array(to - from)
    const [first, last] = [Math.max(from, 0), Math.min(to, this.length)]
    if (first >= last) return samples
    const stride = bytesOf[this.#format] * this.channels
    const bytes = await withRegularFile(this.path, (file) => bytesAt(file, this.#begin + first * stride, (last - first) * stride))
    if (bytes.length < (last - first) * stride) throw mediaError(this.path, 'became shorter while it was read')
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const read = readers[this.#format]
    const width = bytesOf[this.#format]
    for (let i = 0; i < last - first; i++) {
      let sum = 0
      for (let c = 0; c < this.channels; c++) sum += read(view, i * stride + c * width)
      if (!Number.isFinite(sum)) throw mediaError(this.path, `has no finite number for sample ${first + i}`)
      samples[first - from + i] = sum / this.channels
    }
    return samples
  }
}

/** The `fmt ` chunk. undefined for a coding that is not plain numbers. */
function readLayout(chunk: Buffer): { format: Format; channels: number; sampleRate: number } | undefined {
  if (chunk.length < 16) return undefined
  const coding = chunk.readUInt16LE(0)
  const kind = coding === 0xfffe && chunk.length >= 26 ? chunk.readUInt16LE(24) : coding
  const bits = chunk.readUInt16LE(14)
  const channels = chunk.readUInt16LE(2)
  const sampleRate = chunk.readUInt32LE(4)
  const format = formats[`${kind}/${bits}`]
  if (format === undefined || channels === 0 || chunk.readUInt16LE(12) !== bytesOf[format] * channels) return undefined
  return { format, channels, sampleRate }
}
