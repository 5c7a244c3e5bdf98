import protobuf from 'protobufjs/minimal.js'

/** What a field of a message holds: a number, a text, bytes, or another message. */
type Kind = 'int64' | 'float' | 'string' | 'bytes' | MessageName

/** A field: its number, what it holds, and whether there may be several of it. */
type Field = readonly [number: number, kind: Kind, repeated?: 'repeated']

/** The messages of ONNX's schema (onnx.proto, IR version 8) with the fields that are written. */
const schema = {
  Model: { irVersion: [1, 'int64'], producerName: [2, 'string'], producerVersion: [3, 'string'], docString: [6, 'string'], graph: [7, 'Graph'], opsetImport: [8, 'OperatorSet', 'repeated'], metadata: [14, 'Entry', 'repeated'] },
  OperatorSet: { domain: [1, 'string'], version: [2, 'int64'] },
  Entry: { key: [1, 'string'], value: [2, 'string'] },
  Graph: { node: [1, 'Node', 'repeated'], name: [2, 'string'], initializer: [5, 'Tensor', 'repeated'], input: [11, 'ValueInfo', 'repeated'], output: [12, 'ValueInfo', 'repeated'] },
  Node: { input: [1, 'string', 'repeated'], output: [2, 'string', 'repeated'], name: [3, 'string'], opType: [4, 'string'], attribute: [5, 'Attribute', 'repeated'] },
  Attribute: { name: [1, 'string'], f: [2, 'float'], i: [3, 'int64'], s: [4, 'bytes'], floats: [7, 'float', 'repeated'], ints: [8, 'int64', 'repeated'], type: [20, 'int64'] },
  Tensor: { dims: [1, 'int64', 'repeated'], dataType: [2, 'int64'], name: [8, 'string'], rawData: [9, 'bytes'] },
  ValueInfo: { name: [1, 'string'], type: [2, 'Type'] },
  Type: { tensorType: [1, 'TensorType'] },
  TensorType: { elemType: [1, 'int64'], shape: [2, 'Shape'] },
  Shape: { dim: [1, 'Dimension', 'repeated'] },
  Dimension: { dimValue: [1, 'int64'] },
} as const satisfies Readonly<Record<string, Readonly<Record<string, readonly [number, string, 'repeated'?]>>>>

type MessageName = keyof typeof schema
type Single<K> = K extends 'int64' | 'float' ? number : K extends 'string' ? string : K extends 'bytes' ? Uint8Array : K extends MessageName ? Message<K> : never

/** A message to write. Fields that are left out are not written. */
export type Message<Name extends MessageName> = {
  readonly [F in keyof (typeof schema)[Name]]?: (typeof schema)[Name][F] extends readonly [number, infer K, 'repeated'] ? readonly Single<K>[]
  : (typeof schema)[Name][F] extends readonly [number, infer K] ? Single<K>
  : never
}

/** The bytes of a message in protobuf's wire format. */
export function encodeMessage<Name extends MessageName>(name: Name, message: Message<Name>): Uint8Array {
  const writer = protobuf.Writer.create()
  write(writer, name, message as Readonly<Record<string, unknown>>)
  return writer.finish()
}

function write(writer: protobuf.Writer, name: MessageName, message: Readonly<Record<string, unknown>>): void {
  for (const [field, [number, kind]] of Object.entries<Field>(schema[name])) {
    const value = message[field]
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? (value as readonly unknown[]) : [value]) writeField(writer, number, kind, one)
  }
}

/** How a value lies on the wire: as a number of varying length, in 32 bits, or after its length. */
const [varying, bits32, delimited] = [0, 5, 2]

function writeField(writer: protobuf.Writer, number: number, kind: Kind, value: unknown): void {
  const tag = (how: number): protobuf.Writer => writer.uint32((number << 3) | how)
  switch (kind) {
    case 'int64':
      tag(varying).int64(value as number)
      break
    case 'float':
      tag(bits32).float(value as number)
      break
    case 'string':
      tag(delimited).string(value as string)
      break
    case 'bytes':
      tag(delimited).bytes(value as Uint8Array)
      break
    default:
      tag(delimited).fork()
      write(writer, kind, value as Readonly<Record<string, unknown>>)
      writer.ldelim()
  }
}
