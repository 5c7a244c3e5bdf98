import type { NativeTraced } from '../addon/native.ts'
import type { Tensor } from '../tensor.ts'
import type { Message } from './messages.ts'

/** What an attribute may be: an integer, integers, a number of any kind, or a word. */
export type Attribute = number | readonly number[] | { readonly float: number } | string

/** ONNX's numbers of the types. */
const types = { float32: 1, int64: 7, bool: 9, float64: 11 } as const

/** A graph of ONNX operators that grows node by node. */
export class OnnxGraph {
  readonly #nodes: Message<'Node'>[] = []
  readonly #initializers: Message<'Tensor'>[] = []
  readonly #inputs: Message<'ValueInfo'>[] = []
  readonly #outputs: Message<'ValueInfo'>[] = []
  readonly #constants = new Map<string, string>()
  #named = 0
  #bytes = 0

  /** Bytes of the constants. */
  get bytes(): number {
    return this.#bytes
  }

  /** A name that nothing has yet. */
  fresh(): string {
    return `t${this.#named++}`
  }

  input(name: string, what: NativeTraced): void {
    this.#inputs.push(valueInfo(name, what))
  }

  /** Tells that `from` is what the graph gives under a name. */
  output(name: string, what: NativeTraced, from: string): void {
    this.add('Identity', [from], {}, name)
    this.#outputs.push(valueInfo(name, what))
  }

  /** An operator of one result, whose name is given back. */
  add(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}, name = this.fresh()): string {
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value))
    this.#nodes.push({ opType, name, input: inputs, output: [name], attribute })
    return name
  }

  /** A tensor that is known. A bool one is told as uint8. */
  tensor({ dtype, shape, data }: Tensor, type: keyof typeof types = dtype === 'uint8' ? 'bool' : dtype): string {
    const name = this.fresh()
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    this.#bytes += rawData.length
    this.#initializers.push({ name, dims: shape, dataType: types[type], rawData })
    return name
  }

  /** A list of integers, which shapes and axes are. */
  integers(values: readonly number[]): string {
    return this.#small(`i${values}`, { dtype: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) })
  }

  /** One number. */
  scalar(value: number, type: 'float32' | 'int64' = 'float32'): string {
    const tensor: Tensor =
      type === 'int64' ? { dtype: type, shape: [], data: BigInt64Array.of(BigInt(value)) } : { dtype: type, shape: [], data: Float32Array.of(value) }
    return this.#small(`${type}${value}`, tensor)
  }

  #small(key: string, tensor: Tensor): string {
    const name = this.#constants.get(key) ?? this.tensor(tensor)
    this.#constants.set(key, name)
    return name
  }

  message(name: string): Message<'Graph'> {
    return { name, node: this.#nodes, initializer: this.#initializers, input: this.#inputs, output: this.#outputs }
  }
}

function attributeOf(name: string, value: Attribute): Message<'Attribute'> {
  if (typeof value === 'number') return { name, i: value, type: 2 }
  if (typeof value === 'string') return { name, s: Buffer.from(value), type: 3 }
  if ('float' in value) return { name, f: value.float, type: 1 }
  return { name, ints: value, type: 7 }
}

function valueInfo(name: string, { type, shape }: NativeTraced): Message<'ValueInfo'> {
  return { name, type: { tensorType: { elemType: types[type], shape: { dim: shape.map((dimValue) => ({ dimValue })) } } } }
}
