import { crc32c } from '../files/crc32c.ts'
import { encodeMessage, type Schema } from '../files/protobuf.ts'

// TensorBoard's files: records as TensorFlow frames them (TFRecord), of which each is an Event, a message of Protocol Buffers. The few fields that are
// written here are those of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto. No well-kept package writes them: what the
// registry has reads and writes examples to train on, or brings all of TensorFlow.

/** What an event says: which version the file is of, that a session begins at its step, or scalars by their tags. */
export type EventContent = { readonly version: string } | { readonly begins: true } | { readonly scalars: readonly (readonly [tag: string, value: number])[] }

const schema = {
  Event: { wallTime: [1, 'double'], step: [2, 'int64'], fileVersion: [3, 'string'], summary: [5, 'Summary'], sessionLog: [7, 'SessionLog'] },
  Summary: { value: [1, 'Value', 'repeated'] },
  Value: { tag: [1, 'string'], simpleValue: [2, 'float'] },
  SessionLog: { status: [1, 'int64'] },
} as const satisfies Schema

/** The status of a session that begins. */
const start = 1

/** One event, as it stands in a file. */
export function eventRecord(seconds: number, step: number, content: EventContent): Buffer {
  const said =
    'version' in content
      ? { fileVersion: content.version }
      : 'begins' in content
        ? { sessionLog: { status: start } }
        : { summary: { value: content.scalars.map(([tag, simpleValue]) => ({ tag, simpleValue })) } }
  return record(encodeMessage(schema, 'Event', { wallTime: seconds, ...(step > 0 && { step }), ...said }))
}

/** Length and content, each with its masked checksum. */
function record(content: Uint8Array): Buffer {
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
