import { isUtf8 } from 'node:buffer'

/** Why a pickle cannot be used, for the caller, who knows the file, to make an error of. */
export class PickleError extends Error {
  override readonly name = 'PickleError'
  readonly what: string
  readonly expected: string
  readonly received: string

  constructor(what: string, expected: string, received: string) {
    super(`${what}: ${received} instead of ${expected}`)
    this.what = what
    this.expected = expected
    this.received = received
  }
}

/** The pickle goes on after the bytes that were given. */
export class PickleTruncated extends PickleError {
  constructor(position: number, length: number, size: number) {
    super('its pickle is truncated', `${length} more bytes at offset ${position} of it`, `${Math.max(0, size - position)}`)
  }
}

/** Integers longer than this are refused: no checkpoint has them, and they take quadratic time to make. */
const longestInteger = 256
const longestLine = 4096
const newline = 0x0a

/** The arguments of a pickle's opcodes, one after the other. */
export class PickleBytes {
  position: number
  readonly #bytes: Buffer

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.position = start
  }

  /** The offset of the next `length` bytes, which are there; the position moves behind them. */
  #advance(length: number): number {
    const start = this.position
    if (length > this.#bytes.length - start) throw new PickleTruncated(start, length, this.#bytes.length)
    this.position = start + length
    return start
  }

  uint8(): number {
    return this.#bytes[this.#advance(1)]!
  }

  uint16(): number {
    return this.#bytes.readUInt16LE(this.#advance(2))
  }

  int32(): number {
    return this.#bytes.readInt32LE(this.#advance(4))
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#advance(4))
  }

  /** Not exact above 2^53, where it is larger than any pickle. */
  uint64(): number {
    return Number(this.#bytes.readBigUInt64LE(this.#advance(8)))
  }

  /** Big-endian, the one number in a pickle that is. */
  float64(): number {
    return this.#bytes.readDoubleBE(this.#advance(8))
  }

  slice(length: number): Buffer {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  text(length: number): string {
    const text = this.textOrBytes(length)
    if (typeof text === 'string') return text
    throw new PickleError('its pickle has text that is not UTF-8', 'UTF-8', `${length} bytes that are none`)
  }

  /** Python 2's string: text where it can be, else bytes. */
  textOrBytes(length: number): string | Uint8Array {
    const bytes = this.slice(length)
    return isUtf8(bytes) ? bytes.toString('utf8') : bytes
  }

  /** A line, without its end. */
  line(): string {
    const end = this.#bytes.indexOf(newline, this.position)
    const length = end < 0 ? this.#bytes.length - this.position : end - this.position
    if (length > longestLine) throw new PickleError('its pickle has an endless line', `at most ${longestLine} bytes`, 'more')
    if (end < 0) throw new PickleTruncated(this.#bytes.length, 1, this.#bytes.length)
    const line = this.text(length)
    this.position = end + 1
    return line
  }

  /** Two's complement of `length` bytes. */
  integer(length: number): number | bigint {
    if (length > longestInteger) throw new PickleError('its pickle has a huge integer', `at most ${longestInteger} bytes`, `${length}`)
    let value = 0n
    for (const byte of this.slice(length).toReversed()) value = (value << 8n) | BigInt(byte)
    return narrow(BigInt.asIntN(8 * length, value))
  }

  /** An integer in decimal digits, with or without Python 2's final L. */
  decimal(): number | bigint {
    const line = this.line()
    if (!/^-?\d{1,600}L?$/.test(line)) throw new PickleError('its pickle has a bad number', 'decimal digits', `'${line.slice(0, 40)}'`)
    return narrow(BigInt(line.replace('L', '')))
  }
}

/** A number where that is exact. */
function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
