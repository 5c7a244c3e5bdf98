import { encodeMessage as encode, type MessageOf, type Schema } from '../files/protobuf.ts'

/** The messages of ONNX's schema (onnx.proto, IR version 8) with the fields that are written. */
const schema = {
  Model: {
    irVersion: [1, 'int64'],
    producerName: [2, 'string'],
    producerVersion: [3, 'string'],
    docString: [6, 'string'],
    graph: [7, 'Graph'],
    opsetImport: [8, 'OperatorSet', 'repeated'],
    metadata: [14, 'Entry', 'repeated'],
  },
  OperatorSet: { domain: [1, 'string'], version: [2, 'int64'] },
  Entry: { key: [1, 'string'], value: [2, 'string'] },
  Graph: {
    node: [1, 'Node', 'repeated'],
    name: [2, 'string'],
    initializer: [5, 'Tensor', 'repeated'],
    input: [11, 'ValueInfo', 'repeated'],
    output: [12, 'ValueInfo', 'repeated'],
  },
  Node: {
    input: [1, 'string', 'repeated'],
    output: [2, 'string', 'repeated'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'Attribute', 'repeated'],
  },
  Attribute: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int64'],
    s: [4, 'bytes'],
    floats: [7, 'float', 'repeated'],
    ints: [8, 'int64', 'repeated'],
    type: [20, 'int64'],
  },
  Tensor: { dims: [1, 'int64', 'repeated'], dataType: [2, 'int64'], name: [8, 'string'], rawData: [9, 'bytes'] },
  ValueInfo: { name: [1, 'string'], type: [2, 'Type'] },
  Type: { tensorType: [1, 'TensorType'] },
  TensorType: { elemType: [1, 'int64'], shape: [2, 'Shape'] },
  Shape: { dim: [1, 'Dimension', 'repeated'] },
  Dimension: { dimValue: [1, 'int64'] },
} as const satisfies Schema

type MessageName = keyof typeof schema

/** A message to write. Fields that are left out are not written. */
export type Message<Name extends MessageName> = MessageOf<typeof schema, Name>

/** The bytes of a message in protobuf's wire format. */
export function encodeMessage<Name extends MessageName>(name: Name, message: Message<Name>): Uint8Array {
  return encode(schema, name, message)
}
