import { promisify } from 'node:util'
import { crc32, inflateRaw } from 'node:zlib'
import { bytesOf, damaged, shown, unusable, type WeightsFile } from './weights-file.ts'

const inflate = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw)

/** One entry of a zip's directory. */
export interface ZipEntry {
  readonly name: string
  /** Of the general purpose bits. */
  readonly encrypted: boolean
  /** 0 stored, 8 deflated. */
  readonly method: number
  readonly crc: number
  readonly compressedSize: number
  readonly size: number
  /** Offset of its local header. */
  readonly header: number
}

/** Where the bytes of an entry are: from `begin` to `end` of the file, or of `inflated` where they were deflated. */
export interface ZipData {
  readonly begin: number
  readonly end: number
  readonly inflated?: Buffer
}

const signatures = { local: 0x04034b50, entry: 0x02014b50, end: 0x06054b50, locator64: 0x07064b50, end64: 0x06064b50 }
const longestComment = 0xffff
const maxDirectoryBytes = 16 * 1024 * 1024
/** torch.save deflates nothing. What another tool has packed again is unpacked in memory, up to this. */
const maxInflatedBytes = 64 * 1024 * 1024

/**
 * A zip file of which the places of its entries are wanted, to map them into memory, rather than their streams. Nothing is
 * ever written under an entry's name. (yauzl, which unpacks libtorch, has no such call that survives every hostile file.)
 */
export class ZipArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>
  readonly #file: WeightsFile
  readonly #directory: number
  #inflated = 0
  // Ranges that were handed out.
  readonly #used: { begin: number; end: number; name: string }[] = []

  private constructor(file: WeightsFile, entries: ReadonlyMap<string, ZipEntry>, directory: number) {
    this.#file = file
    this.entries = entries
    this.#directory = directory
  }

  /** Reads the directory. @throws DiffSalError ERR_DIFFSAL_CHECKPOINT when it is damaged or made to mislead */
  static async open(file: WeightsFile): Promise<ZipArchive> {
    const { offset, size, count } = await findDirectory(file)
    const entries = readEntries(file.path, await file.read(offset, size), count)
    return new ZipArchive(file, entries, offset)
  }

  /** Finds the bytes of an entry. @throws DiffSalError ERR_DIFFSAL_CHECKPOINT when they cannot be read */
  async locate(entry: ZipEntry): Promise<ZipData> {
    const { path } = this.#file
    const fail = (what: string, expected: string, received: string) => damaged(path, `its record '${shown(entry.name)}' ${what}`, expected, received)
    if (entry.encrypted) throw fail('is encrypted', 'a zip without a password', 'an encrypted one')
    if (entry.header + 30 > this.#directory) throw fail("has its header out of the file's records", `an offset below ${this.#directory}`, `${entry.header}`)
    const header = await this.#file.read(entry.header, 30)
    if (header.readUInt32LE() !== signatures.local) throw fail('has no header where the directory says', 'a local header', 'other bytes')
    const begin = entry.header + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
    const end = begin + entry.compressedSize
    if (end > this.#directory) throw fail('is truncated', bytesOf(entry.compressedSize), bytesOf(Math.max(0, this.#directory - begin)))
    this.#used.push({ begin, end, name: entry.name })
    if (entry.method === 0) {
      if (entry.size !== entry.compressedSize) throw fail('is stored in another size than it has', bytesOf(entry.size), bytesOf(entry.compressedSize))
      return { begin, end }
    }
    const inflated = await this.#inflate(entry, begin, fail)
    return { begin: 0, end: inflated.length, inflated }
  }

  /** Checks that no two entries that were located share bytes. @throws DiffSalError ERR_DIFFSAL_CHECKPOINT */
  checkOverlap(): void {
    const ranges = this.#used.filter(({ begin, end }) => begin < end).sort((a, b) => a.begin - b.begin)
    for (const [i, { begin, end, name }] of ranges.entries()) {
      const before = ranges[i - 1]
      if (before === undefined || before.end <= begin) continue
      const received = `offsets ${begin} to ${end}, after ${before.begin} to ${before.end}`
      throw damaged(this.#file.path, `its record '${shown(name)}' overlaps '${shown(before.name)}'`, 'records that each have their own bytes', received)
    }
  }

  /** Reads an entry of at most `limit` bytes. @throws DiffSalError ERR_DIFFSAL_CHECKPOINT */
  async read(entry: ZipEntry, limit: number): Promise<Buffer> {
    if (entry.size > limit) throw damaged(this.#file.path, `its record '${shown(entry.name)}' is too long`, `at most ${bytesOf(limit)}`, bytesOf(entry.size))
    const { begin, end, inflated } = await this.locate(entry)
    return inflated ?? this.#file.read(begin, end - begin)
  }

  async #inflate(entry: ZipEntry, begin: number, fail: (what: string, expected: string, received: string) => Error): Promise<Buffer> {
    if (entry.method !== 8) throw fail('is compressed in a way that is not read', 'a stored or deflated record', `method ${entry.method}`)
    this.#inflated += entry.size
    if (this.#inflated > maxInflatedBytes || entry.compressedSize > maxInflatedBytes) {
      throw unusable(
        this.#file.path,
        'its records are compressed, which torch.save does not do, and too large to unpack in memory',
        `at most ${bytesOf(maxInflatedBytes)} of compressed records`,
        `'${shown(entry.name)}', ${bytesOf(entry.size)}`,
        'Unpack it and zip it again without compression (zip -0).',
      )
    }
    const packed = await this.#file.read(begin, entry.compressedSize)
    let bytes: Buffer
    try {
      bytes = await inflate(packed, { maxOutputLength: Math.max(1, entry.size) })
    } catch (error) {
      throw fail('cannot be unpacked', bytesOf(entry.size), (error as Error).message)
    }
    if (bytes.length !== entry.size) throw fail('unpacks to another size than it claims', bytesOf(entry.size), bytesOf(bytes.length))
    if (crc32(bytes) !== entry.crc) throw fail('does not fit its checksum', 'the bytes it was made of', 'others')
    return bytes
  }
}

/** Where the central directory is, from the records at the file's end. */
async function findDirectory(file: WeightsFile): Promise<{ offset: number; size: number; count: number }> {
  const fail = (what: string, expected: string, received: string) => damaged(file.path, what, expected, received)
  const start = Math.max(0, file.size - longestComment - 22)
  const tail = await file.read(start, file.size - start)
  let at = tail.length - 22
  while (at >= 0 && !(tail.readUInt32LE(at) === signatures.end && at + 22 + tail.readUInt16LE(at + 20) === tail.length)) at--
  if (at < 0) throw fail('its directory is missing: the file is truncated', 'the directory of a zip at its end', 'none')
  const disks = tail.readUInt16LE(at + 4) + tail.readUInt16LE(at + 6)
  let end = start + at
  let [count, size, offset] = [tail.readUInt16LE(at + 10), tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)]
  // torch.save always writes the 64-bit records as well.
  const locator = end >= 20 ? await file.read(end - 20, 20) : undefined
  if (locator?.readUInt32LE() === signatures.locator64) {
    end = safe(locator, 8)
    const record = end + 56 <= start + at - 20 ? await file.read(end, 56) : undefined
    if (record?.readUInt32LE() !== signatures.end64) throw fail('its 64-bit directory is missing', 'a zip64 record', 'none')
    ;[count, size, offset] = [safe(record, 32), safe(record, 40), safe(record, 48)]
  }
  if (disks !== 0) throw fail('it is a part of a zip', 'one file', 'several')
  if (size > maxDirectoryBytes) throw fail('its directory is too long', `at most ${bytesOf(maxDirectoryBytes)}`, bytesOf(size))
  if (offset + size > end) throw fail('its directory reaches past its end', `an end of at most ${end}`, `${offset + size}`)
  return { offset, size, count }
}

/** The entries by name. Names that are given twice, or are those of files elsewhere, are refused: readers would differ on them. */
function readEntries(path: string, directory: Buffer, count: number): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>()
  const short = () => damaged(path, 'its directory is damaged', `${count} entries`, `${entries.size}`)
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== signatures.entry) throw short()
    const extra = at + 46 + directory.readUInt16LE(at + 28)
    const comment = extra + directory.readUInt16LE(at + 30)
    const next = comment + directory.readUInt16LE(at + 32)
    if (next > directory.length) throw short()
    const name = directory.toString('utf8', at + 46, extra)
    if (/^[/\\]|^[a-z]:|\\|\0/i.test(name) || name.split('/').some((part) => part === '..' || part === '.')) {
      throw damaged(path, `its record '${shown(name)}' has the name of a file elsewhere`, 'names inside of the archive', `'${shown(name)}'`)
    }
    if (entries.has(name)) throw damaged(path, `its record '${shown(name)}' is there twice`, 'each record once', 'two')
    const flags = directory.readUInt16LE(at + 8)
    const large = wideFields(directory.subarray(extra, comment), [
      directory.readUInt32LE(at + 24),
      directory.readUInt32LE(at + 20),
      directory.readUInt32LE(at + 42),
    ])
    if (large === undefined) throw damaged(path, `its record '${shown(name)}' has no 64-bit sizes`, 'a zip64 field', 'none')
    const [size, compressedSize, header] = large
    entries.set(name, {
      name,
      encrypted: (flags & 0x2041) !== 0,
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      compressedSize,
      size,
      header,
    })
    at = next
  }
  return entries
}

/** The size, compressed size and offset of an entry: those that do not fit 32 bits are in an extra field, in this order. */
function wideFields(extra: Buffer, fields: [number, number, number]): [number, number, number] | undefined {
  if (!fields.includes(0xffffffff)) return fields
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === 1) {
      const wide = extra.subarray(at + 4, at + 4 + length)
      let next = 0
      for (const [i, field] of fields.entries()) {
        if (field !== 0xffffffff) continue
        if (next + 8 > wide.length) return undefined
        fields[i] = safe(wide, next)
        next += 8
      }
      return fields
    }
    at += 4 + length
  }
  return undefined
}

/** A 64-bit number; above 2^53 not exact, and larger than any file. */
function safe(bytes: Buffer, offset: number): number {
  return Number(bytes.readBigUInt64LE(offset))
}
