import { orderedDict, pickle, PyCall, PyGlobal, PyPersistent, PyText, tuple, uint64 } from './pickle-writer.ts'
import { torchZip, type ZipRecord } from './torch-zip.ts'

/** The memory that tensors are views of. */
export class PyStorage {
  /** `FloatStorage` and so on. */
  readonly type: string
  readonly bytes: Uint8Array
  /** Elements. */
  readonly count: number

  constructor(type: string, bytes: Uint8Array, count: number) {
    this.type = type
    this.bytes = bytes
    this.count = count
  }
}

/** A strided view of a storage, in elements. */
export class PyTensor {
  readonly storage: PyStorage
  readonly shape: readonly unknown[]
  readonly strides: readonly unknown[]
  readonly offset: unknown

  constructor(storage: PyStorage, shape: readonly unknown[], strides: readonly unknown[], offset: unknown = 0) {
    this.storage = storage
    this.shape = shape
    this.strides = strides
    this.offset = offset
  }
}

type Elements = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint16Array | Uint8Array

const types = new Map<unknown, string>([
  [Float32Array, 'FloatStorage'],
  [Float64Array, 'DoubleStorage'],
  [BigInt64Array, 'LongStorage'],
  [Int32Array, 'IntStorage'],
  [Uint8Array, 'ByteStorage'],
])

/** A storage of these elements: 16-bit ones are of the type that is named. */
export function storage(elements: Elements, type = types.get(elements.constructor)!): PyStorage {
  return new PyStorage(type, new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength), elements.length)
}

/** A tensor with a storage of its own. */
export function tensor(elements: Elements, shape: readonly number[], type?: string): PyTensor {
  return new PyTensor(type === undefined ? storage(elements) : storage(elements, type), shape, rowMajor(shape))
}

export function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1))
}

/** Values with their tensors as `torch.save` pickles them, and the storages that they need, by key. */
function withTensors(value: unknown, keyOf: (index: number) => string, legacy: boolean): { value: unknown; storages: Map<string, PyStorage> } {
  const keys = new Map<PyStorage, string>()
  const known = new Map<unknown, unknown>()
  const convert = (item: unknown): unknown => {
    if (typeof item !== 'object' || item instanceof PyTensor) return convertOnce(item)
    if (!known.has(item)) known.set(item, convertOnce(item))
    return known.get(item)
  }
  const convertOnce = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(convert)
    if (item instanceof Map) return new Map([...item].map(([key, each]) => [key, convert(each)]))
    if (item instanceof PyCall) {
      return new PyCall(
        item.callee,
        tuple(...item.args.items.map(convert)),
        item.items.map(([key, each]) => [key, convert(each)] as const),
        convert(item.state),
      )
    }
    if (!(item instanceof PyTensor)) return item
    const { type, count } = item.storage
    if (!keys.has(item.storage)) keys.set(item.storage, keyOf(keys.size))
    const key = keys.get(item.storage)!
    // The legacy format makes a new string each time, and says that the storage is no view.
    const id = ['storage', new PyGlobal('torch', type), legacy ? new PyText(key) : key, 'cpu', count, ...(legacy ? [null] : [])]
    return new PyCall(
      new PyGlobal('torch._utils', '_rebuild_tensor_v2'),
      tuple(new PyPersistent(tuple(...id)), item.offset, tuple(...item.shape), tuple(...item.strides), false, orderedDict()),
    )
  }
  const converted = convert(value)
  return { value: converted, storages: new Map([...keys].map(([each, key]) => [key, each])) }
}

/** What a zip of `torch.save` shall be, other than usual. */
export interface ZipOptions {
  /** The archive's folder: the file's name without its suffix. */
  readonly name?: string
  /** The records, once they are made. */
  readonly change?: (records: ZipRecord[]) => readonly ZipRecord[]
  /** The record of that name, 40 digits that follow from all others. */
  readonly id?: string
}

/** The bytes of `torch.save(value, file)`. */
export function pthZip(given: unknown, { name = 'archive', change = (records) => records, id = '0'.repeat(40) }: ZipOptions = {}): Buffer {
  const { value, storages } = withTensors(given, String, false)
  const record = (path: string, data: string | Uint8Array): ZipRecord => ({
    name: `${name}/${path}`,
    data: typeof data === 'string' ? Buffer.from(data) : data,
  })
  return torchZip(
    change([
      record('data.pkl', pickle(value)),
      record('.format_version', '1'),
      record('.storage_alignment', '64'),
      record('byteorder', 'little'),
      ...[...storages].map(([key, { bytes }]) => record(`data/${key}`, bytes)),
      record('version', '3\n'),
      record('.data/serialization_id', id),
    ]),
  )
}

/** What a legacy file of `torch.save` shall be, other than usual. */
export interface LegacyOptions {
  /** The keys of the storages in the order of their appearance: addresses, in a real file. */
  readonly keys?: readonly string[]
}

const machine = new Map<string, unknown>([
  ['protocol_version', 1001],
  ['little_endian', true],
  [
    'type_sizes',
    new Map([
      ['short', 2],
      ['int', 4],
      ['long', 4],
    ]),
  ],
])

/** The magic number, 0x1950a86a20f9469cfc6c, as a pickle. */
export const magicPickle = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex')

/** The bytes of `torch.save(value, file, _use_new_zipfile_serialization=False)`. */
export function pthLegacy(given: unknown, { keys = [] }: LegacyOptions = {}): Buffer {
  const { value, storages } = withTensors(given, (index) => keys[index] ?? String(94391413327248 + 4096 * index), true)
  const sorted = [...storages.keys()].sort()
  return Buffer.concat([
    magicPickle,
    pickle(1001),
    pickle(machine),
    pickle(value),
    pickle(sorted),
    ...sorted.flatMap((key) => [uint64(storages.get(key)!.count), storages.get(key)!.bytes]),
  ])
}
