import { checkString } from '../checks/options.ts'
import { describe } from '../errors.ts'
import { findNameFault } from './json-names.ts'
import { hasMoreParts } from './json-parts.ts'
import { bytesOf, damaged, withWeightsFile, type WeightsFile } from './weights-file.ts'

/** Bytes of one element, by the format's name of its type. */
const dtypeBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
  C64: 8,
} as const

/** An element type as a safetensors file names it. */
export type SafetensorsDType = keyof typeof dtypeBytes

/** What a header says of one tensor, but for its place. */
export interface TensorKind {
  readonly dtype: SafetensorsDType
  readonly shape: readonly number[]
}

/** One tensor of a file. */
export interface TensorEntry extends TensorKind {
  /** Offset of its first byte, counted from the start of the file. */
  readonly begin: number
  /** Offset after its last byte, counted from the start of the file. */
  readonly end: number
}

/** All that a safetensors file says before its data. */
export interface SafetensorsHeader {
  /** Free words about the file; an object without a prototype. */
  readonly metadata: Readonly<Record<string, string>>
  /** By name, in the order of their data. */
  readonly tensors: ReadonlyMap<string, TensorEntry>
  /** Bytes of the whole file. */
  readonly fileSize: number
  /** Offset of the first byte of data. */
  readonly dataStart: number
}

/**
 * Longer headers are refused, so that a file cannot decide how much memory and time its header takes. The format's own reader allows
 * 100 MB, at which made-up JSON takes gigabytes and most of a minute to parse.
 */
export const maxHeaderBytes = 16 * 1024 * 1024

/** A header of more objects, arrays, items and names is refused, which is room for some 20 000 tensors: parsing those takes a tenth of a second. */
const maxHeaderParts = 250_000

/** The data of a file that {@link headerBytes} begins starts at a multiple of this: a cache line, for a memory-mapped file. */
const dataAlignment = 64

/**
 * Reads and checks the header of a safetensors file. The data is not read, but every tensor's place is known to be
 * inside the file, to fit its type and shape, and to touch the next one's: no overlap, no gap, nothing before or after.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE when the file cannot be opened or read, ERR_DIFFSAL_CHECKPOINT when it is damaged.
 */
export async function readHeader(path: string): Promise<SafetensorsHeader> {
  checkString('path', path)
  const { text, fileSize } = await withWeightsFile(path, readText)
  const dataStart = 8 + text.length
  const { metadata, entries } = parse(path, text)
  const tensors = entries
    .map(([name, entry]) => [name, checkEntry(path, name, entry, dataStart, fileSize)] as const)
    .sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)
  checkLayout(path, tensors, dataStart, fileSize)
  return { metadata, tensors: new Map(tensors), fileSize, dataStart }
}

/**
 * The bytes of a safetensors file up to its data, which must follow in the order of `tensors` without a gap. The header
 * is padded with spaces, as the format allows, so that the data starts at a multiple of 64 bytes.
 */
export function headerBytes(tensors: ReadonlyMap<string, TensorKind>, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : []
  let offset = 0
  for (const [name, { dtype, shape }] of tensors) {
    const end = offset + byteLength({ dtype, shape })
    entries.push([name, { dtype, shape, data_offsets: [offset, end] }])
    offset = end
  }
  const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
  const dataStart = Math.ceil((8 + text.length) / dataAlignment) * dataAlignment
  const bytes = Buffer.alloc(dataStart, ' ')
  bytes.writeBigUInt64LE(BigInt(dataStart - 8))
  text.copy(bytes, 8)
  return bytes
}

/** The bytes that a tensor's data takes; not a safe integer when that is more than any file holds. */
export function byteLength({ dtype, shape }: TensorKind): number {
  return shape.reduce((product, size) => product * size, dtypeBytes[dtype])
}

/** The header's text, still as bytes. */
async function readText({ path, size: fileSize, read }: WeightsFile): Promise<{ text: Uint8Array; fileSize: number }> {
  if (fileSize === 0) throw damaged(path, 'the file is empty', 'a safetensors file', '0 bytes')
  if (fileSize < 8) throw damaged(path, 'it ends inside the header length', 'at least 8 bytes', bytesOf(fileSize))
  const length = (await read(0, 8)).readBigUInt64LE()
  if (length > maxHeaderBytes) {
    const what = 'the header is too long (or this is not a safetensors file)'
    throw damaged(path, what, `a header of at most ${bytesOf(maxHeaderBytes)}`, bytesOf(length))
  }
  if (8 + Number(length) > fileSize) {
    throw damaged(path, "the header reaches past the file's end", `at most ${bytesOf(fileSize - 8)} of header`, bytesOf(length))
  }
  return { text: await read(8, Number(length)), fileSize }
}

/** The metadata, and the entries of the tensors as they stand. */
function parse(path: string, bytes: Uint8Array): { metadata: Record<string, string>; entries: [string, unknown][] } {
  const expected = 'a JSON object in UTF-8'
  if (hasMoreParts(bytes, maxHeaderParts)) {
    throw damaged(path, 'the header has too many entries (or this is not a safetensors file)', `at most ${maxHeaderParts} of them`, 'more')
  }
  let text: string
  let header: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw damaged(path, 'the header is not UTF-8 text', expected, `bytes that are none (is this a safetensors file?)`, error)
  }
  try {
    header = JSON.parse(text)
  } catch (error) {
    throw damaged(path, 'the header is not JSON', expected, describe(text.slice(0, 40)), error)
  }
  if (!isObject(header)) throw damaged(path, 'the header is not an object', expected, describe(header))
  const found = findNameFault(text)
  if (found !== undefined) {
    const what = found.fault === 'duplicate' ? `the name '${found.name}' stands twice in one object` : `the name '${found.name}' is reserved`
    throw damaged(path, what, found.fault === 'duplicate' ? 'each name once' : 'other names', `'${found.name}'`)
  }
  const { __metadata__: words = {}, ...tensors } = header
  if (!isObject(words)) throw damaged(path, "'__metadata__' is no object", 'an object of strings', describe(words))
  const metadata = Object.create(null) as Record<string, string>
  for (const [name, word] of Object.entries(words)) {
    if (typeof word !== 'string') throw damaged(path, `'__metadata__.${name}' is not text`, 'a string', describe(word))
    metadata[name] = word
  }
  return { metadata, entries: Object.entries(tensors) }
}

/** One tensor's entry, its offsets made absolute; they are inside the file and fit type and shape. */
function checkEntry(path: string, name: string, entry: unknown, dataStart: number, fileSize: number): TensorEntry {
  const fail = (what: string, expected: string, received: string) => damaged(path, `tensor '${name}' ${what}`, expected, received)
  if (!isObject(entry)) throw fail('has no proper entry', 'an object { dtype, shape, data_offsets }', describe(entry))
  const { dtype, shape, data_offsets: offsets } = entry
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypeBytes, dtype)) {
    throw fail('has an unknown dtype', `one of ${Object.keys(dtypeBytes).join(', ')}`, describe(dtype))
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) throw fail('has a bad shape', 'an array of non-negative integers', describe(shape))
  const kind = { dtype: dtype as SafetensorsDType, shape: shape as number[] }
  const length = byteLength(kind)
  // An empty tensor's other sizes must not overflow either: strides are made of them.
  if (!Number.isSafeInteger(byteLength({ ...kind, shape: kind.shape.filter((size) => size > 0) })))
    throw fail('has a shape too large for any file', 'fewer than 2^53 bytes', describe(shape))
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw fail('has bad data_offsets', 'two non-negative integers [begin, end]', describe(offsets))
  }
  const [begin, end] = offsets as [number, number]
  if (begin > end) throw fail('has its data_offsets reversed', 'begin at most end', describe(offsets))
  if (end - begin !== length) {
    throw fail('has data_offsets that do not fit its shape', `${bytesOf(length)} for ${dtype} ${describe(shape)}`, bytesOf(end - begin))
  }
  if (end > fileSize - dataStart) {
    const what = "has data_offsets past the file's end: the file is truncated, or the offsets are damaged"
    throw fail(what, `an end of at most ${fileSize - dataStart} in a file of ${bytesOf(fileSize)}`, `${end}`)
  }
  return { ...kind, begin: dataStart + begin, end: dataStart + end }
}

/** The tensors, in the order of their data, fill it exactly, each byte once. */
function checkLayout(path: string, tensors: readonly (readonly [string, TensorEntry])[], dataStart: number, fileSize: number): void {
  let before = 'the header'
  let offset = dataStart
  for (const [name, { begin, end }] of tensors) {
    if (begin !== offset) {
      const what = begin < offset ? 'overlaps' : 'leaves a gap after'
      throw damaged(path, `tensor '${name}' ${what} ${before}`, `a begin at offset ${offset - dataStart}`, `${begin - dataStart}`)
    }
    before = `tensor '${name}'`
    offset = end
  }
  if (offset !== fileSize) {
    throw damaged(path, `no tensor owns the last ${bytesOf(fileSize - offset)}, after ${before}`, `a file of ${bytesOf(offset)}`, bytesOf(fileSize))
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
