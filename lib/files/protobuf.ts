import protobuf from 'protobufjs/minimal.js'

/** What a field of a message holds: a number, a text, bytes, or another message, by its name. */
type Kind = string

/** A field: its number, what it holds, and whether there may be several of it. */
type Field = readonly [number: number, kind: Kind, repeated?: 'repeated']

/** The messages of a format of Protocol Buffers, with the fields that are written, in the order in which they are. */
export type Schema = Readonly<Record<string, Readonly<Record<string, Field>>>>

type Single<S extends Schema, K> = K extends 'int64' | 'float' | 'double'
  ? number
  : K extends 'string'
    ? string
    : K extends 'bytes'
      ? Uint8Array
      : K extends keyof S
        ? MessageOf<S, K>
        : never

/** A message to write. Fields that are left out are not written. */
export type MessageOf<S extends Schema, Name extends keyof S> = {
  readonly [F in keyof S[Name]]?: S[Name][F] extends readonly [number, infer K, 'repeated']
    ? readonly Single<S, K>[]
    : S[Name][F] extends readonly [number, infer K]
      ? Single<S, K>
      : never
}

/** The bytes of a message in protobuf's wire format. */
export function encodeMessage<S extends Schema, Name extends keyof S & string>(schema: S, name: Name, message: MessageOf<S, Name>): Uint8Array {
  const writer = protobuf.Writer.create()
  write(writer, schema, name, message as Readonly<Record<string, unknown>>)
  return writer.finish()
}

function write(writer: protobuf.Writer, schema: Schema, name: string, message: Readonly<Record<string, unknown>>): void {
  for (const [field, [number, kind]] of Object.entries(schema[name]!)) {
    const value = message[field]
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? (value as readonly unknown[]) : [value]) writeField(writer, schema, number, kind, one)
  }
}

/** How a value lies on the wire: as a number of varying length, in 64 or 32 bits, or after its length. */
const [varying, bits64, delimited, bits32] = [0, 1, 2, 5]

function writeField(writer: protobuf.Writer, schema: Schema, number: number, kind: Kind, value: unknown): void {
  const tag = (how: number): protobuf.Writer => writer.uint32((number << 3) | how)
  switch (kind) {
    case 'int64':
      tag(varying).int64(value as number)
      break
    case 'float':
      tag(bits32).float(value as number)
      break
    case 'double':
      tag(bits64).double(value as number)
      break
    case 'string':
      tag(delimited).string(value as string)
      break
    case 'bytes':
      tag(delimited).bytes(value as Uint8Array)
      break
    default:
      tag(delimited).fork()
      write(writer, schema, kind, value as Readonly<Record<string, unknown>>)
      writer.ldelim()
  }
}
