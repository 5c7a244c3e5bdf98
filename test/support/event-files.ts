import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import protobuf from 'protobufjs'

// Reads what TensorBoard reads, by TensorFlow's own messages (tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto, those parts
// that scalars need) and another library's reader of them.
const proto = `
syntax = "proto3";
message Event {
  double wall_time = 1;
  int64 step = 2;
  oneof what {
    string file_version = 3;
    bytes graph_def = 4;
    Summary summary = 5;
    SessionLog session_log = 7;
  }
}
message Summary {
  message Value {
    string tag = 1;
    oneof value {
      float simple_value = 2;
    }
  }
  repeated Value value = 1;
}
message SessionLog {
  enum SessionStatus {
    STATUS_UNSPECIFIED = 0;
    START = 1;
    STOP = 2;
    CHECKPOINT = 3;
  }
  SessionStatus status = 1;
  string checkpoint_path = 2;
  string msg = 3;
}`
const eventType = protobuf.parse(proto).root.lookupType('Event')

/** An event as TensorBoard sees it. */
export interface ReadEvent {
  wallTime: number
  step?: number
  fileVersion?: string
  summary?: { value: { tag: string; simpleValue: number }[] }
  sessionLog?: { status: string }
}

/** CRC-32C, a bit at a time. */
function crc(bytes: Uint8Array): number {
  let register = 0xffffffff
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const out = (register ^ (byte >> bit)) & 1
      register = (register >>> 1) ^ (out ? 0x82f63b78 : 0)
    }
  }
  return ~register >>> 0
}

/** What TFRecord holds of a checksum: turned right by 15 bits, and a constant added. */
function masked(bytes: Uint8Array): number {
  const turned = BigInt(crc(bytes))
  return Number(((((turned >> 15n) | (turned << 17n)) % 2n ** 32n) + 0xa282ead8n) % 2n ** 32n)
}

/** The events of a file; throws where a record is damaged. */
export function readEvents(file: string): ReadEvent[] {
  const bytes = readFileSync(file)
  const events: ReadEvent[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at))
    const content = bytes.subarray(at + 12, at + 12 + length)
    if (bytes.readUInt32LE(at + 8) !== masked(bytes.subarray(at, at + 8))) throw new Error(`the length at ${at} is damaged`)
    if (bytes.readUInt32LE(at + 12 + length) !== masked(content)) throw new Error(`the record at ${at} is damaged`)
    events.push(eventType.toObject(eventType.decode(content), { longs: Number, enums: String }) as ReadEvent)
    at += 16 + length
  }
  return events
}

/** The scalars of a folder's files, in order: step, tag and value. */
export function readScalars(folder: string): [step: number, tag: string, value: number][] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((name) => readEvents(join(folder, name)))
    .flatMap(({ step = 0, summary }) => (summary?.value ?? []).map(({ tag, simpleValue }): [number, string, number] => [step, tag, simpleValue]))
}
