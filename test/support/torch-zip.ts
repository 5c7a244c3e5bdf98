import { crc32, deflateRawSync } from 'node:zlib'
import { uint32, uint64 } from './pickle-writer.ts'

/** One record of a zip, and what the zip shall claim of it instead of the truth. */
export interface ZipRecord {
  readonly name: string
  readonly data: Uint8Array
  readonly deflate?: boolean
  /** Claims in the directory. */
  readonly claims?: Partial<Record<'flags' | 'method' | 'size' | 'compressedSize' | 'crc' | 'header', number>>
  /** Writes the directory's sizes and offset as 64-bit fields, as is due above 4 GB. */
  readonly wide?: boolean
}

const alignment = 64
const claimedFlags = 0x0808

/**
 * A zip as `torch.save` writes it: nothing compressed, each record's bytes at a multiple of 64 by a padding field "FB", sizes and
 * checksum after them, and the directory's end in its 64-bit form as well as in the old one.
 */
export function torchZip(records: readonly ZipRecord[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name: text, data: plain, deflate = false, claims = {}, wide = false } of records) {
    const name = Buffer.from(text)
    const data = deflate ? deflateRawSync(plain) : Buffer.from(plain)
    const method = deflate ? 8 : 0
    const crc = crc32(plain)
    const start = offset + 30 + name.length + 4
    const padding = Buffer.alloc((alignment - (start % alignment)) % alignment, 'Z')
    const local = Buffer.concat([
      Buffer.from('PK\x03\x04'),
      uint16(0, claimedFlags, method, 0, 0),
      Buffer.alloc(12),
      uint16(name.length, padding.length + 4),
      name,
      Buffer.from('FB'),
      uint16(padding.length),
      padding,
      data,
      Buffer.from('PK\x07\x08'),
      uint32(crc),
      uint32(data.length),
      uint32(plain.length),
    ])
    parts.push(local)
    const { flags = claimedFlags, size = plain.length, compressedSize = data.length, header = offset } = claims
    const extra = wide ? Buffer.concat([uint16(1, 24), uint64(size), uint64(compressedSize), uint64(header)]) : Buffer.alloc(0)
    const small = (value: number) => uint32(wide ? 0xffffffff : value)
    directory.push(
      Buffer.concat([
        Buffer.from('PK\x01\x02'),
        uint16(0, 0, flags, claims.method ?? method, 0, 0),
        uint32(claims.crc ?? crc),
        small(compressedSize),
        small(size),
        uint16(name.length, extra.length, 0, 0, 0),
        uint32(0),
        small(header),
        name,
        extra,
      ]),
    )
    offset += local.length
  }
  const entries = Buffer.concat(directory)
  const count = records.length
  const end = offset + entries.length
  return Buffer.concat([
    ...parts,
    entries,
    Buffer.from('PK\x06\x06'),
    uint64(44),
    uint16(0x031e, 45),
    uint32(0),
    uint32(0),
    uint64(count),
    uint64(count),
    uint64(entries.length),
    uint64(offset),
    Buffer.from('PK\x06\x07'),
    uint32(0),
    uint64(end),
    uint32(1),
    Buffer.from('PK\x05\x06'),
    uint16(0, 0, count, count),
    uint32(entries.length),
    uint32(offset),
    uint16(0),
  ])
}

function uint16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length)
  values.forEach((value, i) => bytes.writeUInt16LE(value, 2 * i))
  return bytes
}
