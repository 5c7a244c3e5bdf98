import { rationalValue, type Rational } from './rational.ts'

/**
 * Raw pictures with times of their own, as ffmpeg reads them from a pipe: Matroska, whose elements are an ID, a length and a content
 * (RFC 8794, RFC 9559). Each picture is a cluster, so that its time is any number of microseconds.
 */
export class TimedPictures {
  readonly #header: Uint8Array
  #begun = false

  /**
   * @param pixelFormat `rgba`: four bytes a pixel; `gray`: one; `yuv420p`: three planes
   * @param rate pictures a second, on the average: how long the last one lasts
   */
  constructor(pixelFormat: keyof typeof fourcc, [height, width]: readonly [number, number], rate: Rational) {
    const video = element(0xe0, [unsigned(0xb0, width), unsigned(0xba, height), element(0x2eb524, [Buffer.from(fourcc[pixelFormat])])])
    const track = [
      unsigned(0xd7, 1),
      unsigned(0x73c5, 1),
      unsigned(0x83, 1),
      text(0x86, 'V_UNCOMPRESSED'),
      unsigned(0x23e383, Math.round(1e9 / rationalValue(rate))),
      video,
    ]
    this.#header = Buffer.concat([
      element(0x1a45dfa3, [text(0x4282, 'matroska'), unsigned(0x4287, 4), unsigned(0x4285, 2)]),
      // A segment of unknown length, whose times are in microseconds (1000 ns).
      Buffer.from([0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
      element(0x1549a966, [unsigned(0x2ad7b1, 1000)]),
      element(0x1654ae6b, [element(0xae, track)]),
    ])
  }

  /** The bytes for the next picture. `time` is in seconds, not negative. */
  picture(pixels: Uint8Array, time: number): Uint8Array {
    // Track 1, no time after the cluster's, a key frame.
    const block = element(0xa3, [Buffer.from([0x81, 0, 0, 0x80]), pixels])
    const cluster = element(0x1f43b675, [unsigned(0xe7, Math.round(time * 1e6)), block])
    if (this.#begun) return cluster
    this.#begun = true
    return Buffer.concat([this.#header, cluster])
  }
}

/** How ffmpeg is told of the pictures at standard input, which it need not look at to know them. */
export const timedPicturesInput: readonly string[] = ['-f', 'matroska', '-analyzeduration', '0', '-fpsprobesize', '0', '-i', 'pipe:0']

const fourcc = { rgba: 'RGBA', gray: 'Y800', yuv420p: 'I420' } as const

function element(id: number, parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE(BigInt(length) | (1n << 56n))
  return Buffer.concat([bytesOf(id), size, ...parts])
}

function unsigned(id: number, value: number): Buffer {
  return element(id, [bytesOf(value)])
}

function text(id: number, value: string): Buffer {
  return element(id, [Buffer.from(value)])
}

/** A number's bytes, the highest first, none of them in vain. */
function bytesOf(value: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(value, 0, 6)
  const first = bytes.findIndex((byte) => byte !== 0)
  return bytes.subarray(first < 0 ? 5 : first)
}
