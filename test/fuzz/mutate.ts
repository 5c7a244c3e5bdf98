import type { Random } from './random.ts'

/** Integers at which lengths, counts and offsets go wrong. */
const odd = [0, 1, 2, 3, 4, 7, 8, 15, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]

/** Texts at which readers of texts go wrong. */
const oddTexts = [
  '',
  '\0',
  '\u001b[31m',
  '\u202e',
  '\ufeff',
  '\ud800',
  '-1',
  '1e309',
  'NaN',
  'null',
  '[]',
  '{}',
  '""',
  '../',
  '__proto__',
  'constructor',
  '9'.repeat(400),
  ' '.repeat(5000),
  '"'.repeat(99),
  '[['.repeat(999),
  ',',
  '\r',
  '\n\n',
  '0x10',
  '1_0',
  '٣',
]

/** Damages bytes in one to several ways, each of which a disk, a network or a malicious hand could. */
export function mutated(random: Random, given: Uint8Array): Buffer {
  let bytes: Buffer = Buffer.from(given)
  for (let times = 1 + random.below(random.chance(0.3) ? 12 : 3); times > 0; times--) bytes = random.one(ways)(random, bytes)
  return bytes
}

type Way = (random: Random, bytes: Buffer) => Buffer

const ways: readonly Way[] = [
  function flipBit(random, bytes) {
    if (bytes.length > 0) bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
    return bytes
  },
  function setByte(random, bytes) {
    if (bytes.length > 0) bytes[random.below(bytes.length)] = random.one(odd)
    return bytes
  },
  function setInteger(random, bytes) {
    const width = random.one([2, 4, 8])
    if (bytes.length < width) return bytes
    const at = random.chance(0.5) ? random.below(Math.min(bytes.length - width + 1, 256)) : random.below(bytes.length - width + 1)
    const value = BigInt(random.one(odd)) * (width === 8 && random.chance(0.3) ? 2n ** 31n : 1n)
    const number = Buffer.alloc(8)
    number.writeBigUInt64LE(BigInt.asUintN(64, random.chance(0.2) ? -value : value))
    if (random.chance(0.2)) number.subarray(0, width).reverse()
    number.copy(bytes, at, 0, width)
    return bytes
  },
  function addToInteger(random, bytes) {
    if (bytes.length < 4) return bytes
    const at = random.below(bytes.length - 3)
    bytes.writeInt32LE((bytes.readInt32LE(at) + random.below(33) - 16) | 0, at)
    return bytes
  },
  function cut(random, bytes) {
    return bytes.subarray(0, random.below(bytes.length + 1))
  },
  function remove(random, bytes) {
    const at = random.below(bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.below(64))])
  },
  function insert(random, bytes) {
    const at = random.below(bytes.length + 1)
    const extra = Buffer.from(Array.from({ length: random.below(32) }, () => random.below(256)))
    return Buffer.concat([bytes.subarray(0, at), extra, bytes.subarray(at)])
  },
  function insertText(random, bytes) {
    const at = random.below(bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(random.one(oddTexts)), bytes.subarray(at)])
  },
  function repeat(random, bytes) {
    const from = random.below(bytes.length + 1)
    const part = bytes.subarray(from, from + random.below(256))
    return Buffer.concat([bytes.subarray(0, from), ...Array<Buffer>(1 + random.below(40)).fill(part), bytes.subarray(from)])
  },
  function copyPart(random, bytes) {
    if (bytes.length === 0) return bytes
    bytes.copy(bytes, random.below(bytes.length), random.below(bytes.length), random.below(bytes.length + 1))
    return bytes
  },
  function fill(random, bytes) {
    const from = random.below(bytes.length + 1)
    return bytes.fill(random.one([0, 0xff, 0x20, 0x41]), from, Math.min(bytes.length, from + random.below(64)))
  },
  function digits(random, bytes) {
    const places = [...bytes.keys()].filter((at) => bytes[at]! >= 0x30 && bytes[at]! <= 0x39)
    if (places.length === 0 || bytes.length > 100_000) return bytes
    const at = random.one(places)
    return Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from(random.one(['-1', '0', '1e999', '4294967296', '9007199254740993', '0.5', '1e-320', String(random.below(1000))])),
      bytes.subarray(at + 1),
    ])
  },
]
