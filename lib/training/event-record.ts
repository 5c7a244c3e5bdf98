import { crc32c } from '../files/crc32c.ts'

// TensorBoard's files: records as TensorFlow frames them (TFRecord), of which each is an Event, a message of Protocol Buffers. The few fields that are
// written here are those of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto. No well-kept package writes them: what the
// registry has reads and writes examples to train on, or brings all of TensorFlow.

/** What an event says: which version the file is of, that a session begins at its step, or scalars by their tags. */
export type EventContent = { readonly version: string } | { readonly begins: true } | { readonly scalars: readonly (readonly [tag: string, value: number])[] }

/** One event, as it stands in a file. */
export function eventRecord(seconds: number, step: number, content: EventContent): Buffer {
  const [wallTime, stepField, fileVersion, summary, sessionLog] = [1, 2, 3, 5, 7]
  return record(
    Buffer.concat([
      double(wallTime, seconds),
      ...(step > 0 ? [varintField(stepField, step)] : []),
      'version' in content ? bytes(fileVersion, Buffer.from(content.version))
      : 'begins' in content ? bytes(sessionLog, varintField(1, 1))
      : bytes(summary, Buffer.concat(content.scalars.map(([tag, value]) => bytes(1, Buffer.concat([bytes(1, Buffer.from(tag)), float(2, value)]))))),
    ]),
  )
}

/** Length and content, each with its masked checksum. */
function record(content: Buffer): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(content.length))
  return Buffer.concat([length, checksum(length), content, checksum(content)])
}

/** The checksum of a record's part, masked: a checksum of bytes that hold their own checksum would be a weak one. */
function checksum(part: Uint8Array): Buffer {
  const crc = crc32c(part)
  const masked = Buffer.alloc(4)
  masked.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0)
  return masked
}

/** How the value of a field is written. */
const wire = { varint: 0, double: 1, bytes: 2, float: 5 } as const

function key(field: number, type: number): Buffer {
  return varint(field * 8 + type)
}

/** Seven bits a byte, the lowest first. */
function varint(value: number): Buffer {
  const list: number[] = []
  for (; value >= 128; value = Math.floor(value / 128)) list.push((value % 128) + 128)
  return Buffer.from([...list, value])
}

function varintField(field: number, value: number): Buffer {
  return Buffer.concat([key(field, wire.varint), varint(value)])
}

function bytes(field: number, content: Buffer): Buffer {
  return Buffer.concat([key(field, wire.bytes), varint(content.length), content])
}

function double(field: number, value: number): Buffer {
  const content = Buffer.alloc(8)
  content.writeDoubleLE(value)
  return Buffer.concat([key(field, wire.double), content])
}

function float(field: number, value: number): Buffer {
  const content = Buffer.alloc(4)
  content.writeFloatLE(value)
  return Buffer.concat([key(field, wire.float), content])
}
