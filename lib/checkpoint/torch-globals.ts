import { PickleError } from './pickle-bytes.ts'
import { isTuple, PickledObject, PickleGlobal, typeOf } from './pickle-values.ts'
import type { SafetensorsDType } from './safetensors.ts'
import { shown } from './weights-file.ts'

/** A type of elements: its name in safetensors, if that has one, and the bytes of one. */
export interface ElementType {
  readonly dtype?: SafetensorsDType
  readonly name: string
  readonly bytes: number
}

const elements: Readonly<Record<string, ElementType>> = Object.fromEntries(
  (
    [
      ['float64', 8, 'F64'],
      ['float32', 4, 'F32'],
      ['float16', 2, 'F16'],
      ['bfloat16', 2, 'BF16'],
      ['float8_e4m3fn', 1, 'F8_E4M3'],
      ['float8_e5m2', 1, 'F8_E5M2'],
      ['int64', 8, 'I64'],
      ['int32', 4, 'I32'],
      ['int16', 2, 'I16'],
      ['int8', 1, 'I8'],
      ['uint64', 8, 'U64'],
      ['uint32', 4, 'U32'],
      ['uint16', 2, 'U16'],
      ['uint8', 1, 'U8'],
      ['bool', 1, 'BOOL'],
      ['complex64', 8, 'C64'],
      ['complex128', 16],
      ['complex32', 4],
      ['qint8', 1],
      ['quint8', 1],
      ['qint32', 4],
    ] as [name: string, bytes: number, dtype?: SafetensorsDType][]
  ).map(([name, bytes, dtype]) => [name, { name, bytes, ...(dtype && { dtype }) }]),
)

/** The elements of the storage classes, `torch.FloatStorage` and so on. */
const storageElements: Readonly<Record<string, string>> = {
  Double: 'float64',
  Float: 'float32',
  Half: 'float16',
  BFloat16: 'bfloat16',
  Long: 'int64',
  Int: 'int32',
  Short: 'int16',
  Char: 'int8',
  Byte: 'uint8',
  Bool: 'bool',
  ComplexFloat: 'complex64',
  ComplexDouble: 'complex128',
  QInt8: 'qint8',
  QUInt8: 'quint8',
  QInt32: 'qint32',
  Untyped: 'uint8',
}

class StorageClass extends PickleGlobal {
  readonly element: ElementType

  constructor(name: string, element: ElementType) {
    super(name)
    this.element = element
  }
}

class DTypeName extends PickleGlobal {
  readonly element: ElementType

  constructor(name: string, element: ElementType) {
    super(name)
    this.element = element
  }
}

/** A storage beside the pickle, as the pickle refers to it. */
export class StorageReference {
  readonly element: ElementType
  readonly key: string
  /** Elements of the whole storage. */
  readonly count: number
  /** The part of it that is meant, in elements. */
  readonly begin: number
  readonly end: number

  constructor(element: ElementType, key: string, count: number, begin: number, end: number) {
    this.element = element
    this.key = key
    this.count = count
    this.begin = begin
    this.end = end
  }
}

/** A tensor: a strided view of a storage. Offset and strides are in elements. Not known yet to be inside of the storage. */
export class TensorReference {
  readonly storage: StorageReference
  readonly element: ElementType
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]

  constructor(storage: StorageReference, element: ElementType, offset: unknown, shape: unknown, strides: unknown) {
    const fail = (what: string, expected: string, value: unknown) => new PickleError(`a tensor has ${what}`, expected, String(typeOf(value)))
    if (!isSize(offset)) throw fail('a bad offset', 'a non-negative integer', offset)
    if (!isSizes(shape)) throw fail('a bad shape', `at most ${highestRank} non-negative integers`, shape)
    if (!isSizes(strides) || strides.length !== shape.length) throw fail('bad strides', 'a non-negative integer for each dimension', strides)
    this.storage = storage
    this.element = element
    this.offset = offset
    this.shape = shape
    this.strides = strides
  }
}

const highestRank = 64

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isSizes(value: unknown): value is readonly number[] {
  return isTuple(value) && value.length <= highestRank && value.every(isSize)
}

/** The storage that an id refers to: ('storage', class, key, device, elements), in the legacy format with a view of it or None. */
export function storageOf(id: unknown): StorageReference {
  const fail = () => new PickleError('its pickle refers to something beside it that is no storage', "('storage', type, key, device, size)", typeOf(id))
  if (!isTuple(id) || id[0] !== 'storage' || id.length < 5 || id.length > 6) throw fail()
  const [, type, key, , count, view = null] = id
  if (!(type instanceof StorageClass) || typeof key !== 'string' || !isSize(count)) throw fail()
  if (view === null) return new StorageReference(type.element, key, count, 0, count)
  if (!isTuple(view) || view.length !== 3 || !isSize(view[1]) || !isSize(view[2])) throw fail()
  const [, begin, length] = view as [unknown, number, number]
  if (begin + length > count) throw new PickleError('a view reaches out of its storage', `at most ${count} elements`, `${begin + length}`)
  return new StorageReference(type.element, key, count, begin, begin + length)
}

function rebuildTensor(args: readonly unknown[]): TensorReference {
  const [storage, offset, shape, strides] = args
  if (!(storage instanceof StorageReference)) throw new PickleError('a tensor has no storage', 'a storage', typeOf(storage))
  return new TensorReference(storage, storage.element, offset, shape, strides)
}

/** A tensor whose storage is bytes, with its type named. */
function rebuildTypedTensor(args: readonly unknown[]): TensorReference {
  const [storage, offset, shape, strides, , , type] = args
  if (!(storage instanceof StorageReference)) throw new PickleError('a tensor has no storage', 'a storage', typeOf(storage))
  if (!(type instanceof DTypeName)) throw new PickleError('a tensor has no type', 'a type of torch', typeOf(type))
  return new TensorReference(storage, type.element, offset, shape, strides)
}

/** What a parameter is made of: its tensor. */
function rebuildParameter([tensor]: readonly unknown[]): unknown {
  return tensor
}

/** A tensor with attributes or of a subclass: (function, class, its arguments, attributes). */
function rebuildFromType([rebuild, , args]: readonly unknown[]): unknown {
  if (!(rebuild instanceof PickleGlobal) || rebuild.call === undefined || rebuild.name === fromType || !isTuple(args)) {
    throw new PickleError(`its pickle calls '${fromType}'`, 'a function that makes a tensor, and its arguments', typeOf(rebuild))
  }
  return rebuild.call(args)
}

/** Python's dict(), OrderedDict(), Counter(): of nothing, of a dict, or of pairs. */
function mapOf([items = []]: readonly unknown[]): Map<unknown, unknown> {
  if (items instanceof Map) return new Map(items)
  if (!Array.isArray(items) || !items.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw new PickleError('its pickle makes a dict', 'pairs', typeOf(items))
  }
  return new Map(items as [unknown, unknown][])
}

function setOf([items = []]: readonly unknown[]): Set<unknown> {
  if (!Array.isArray(items)) throw new PickleError('its pickle makes a set', 'a list', typeOf(items))
  return new Set(items)
}

/** Bytes, which protocol 2 writes as text whose characters are the bytes. */
function bytesOfText([text, encoding]: readonly unknown[]): Uint8Array {
  if (typeof text !== 'string' || encoding !== 'latin1') throw new PickleError("its pickle calls '_codecs.encode'", 'text in latin1', typeOf(text))
  return Buffer.from(text, 'latin1')
}

const fromType = 'torch._tensor._rebuild_from_type_v2'

const functions: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_tensor_v3': rebuildTypedTensor,
  'torch._utils._rebuild_parameter': rebuildParameter,
  'torch._utils._rebuild_parameter_with_state': rebuildParameter,
  [fromType]: rebuildFromType,
  'collections.OrderedDict': mapOf,
  'collections.Counter': mapOf,
  'collections.defaultdict': () => new Map(),
  'builtins.dict': mapOf,
  'builtins.set': setOf,
  'builtins.frozenset': setOf,
  'torch.Size': ([sizes]) => sizes,
  '_codecs.encode': bytesOfText,
}

/**
 * What optimisers, schedulers and training scripts leave in a checkpoint beside the weights: kept as what it was made of, and
 * not looked at.
 */
const inert = new Set([
  'argparse.Namespace',
  'types.SimpleNamespace',
  'pathlib.PosixPath',
  'pathlib.WindowsPath',
  'pathlib.PurePosixPath',
  'pathlib.PureWindowsPath',
  'pathlib._local.PosixPath',
  'pathlib._local.WindowsPath',
  'builtins.bytearray',
  'builtins.complex',
  'builtins.slice',
  'builtins.range',
  'copyreg._reconstructor',
  'torch.device',
  'torch.serialization._get_layout',
  'torch._utils._rebuild_qtensor',
  'torch._utils._rebuild_sparse_tensor',
  'torch._utils._rebuild_sparse_csr_tensor',
  'torch._utils._rebuild_nested_tensor',
  'torch._utils._rebuild_meta_tensor_no_storage',
  'numpy.dtype',
  'numpy.ndarray',
  'numpy.core.multiarray.scalar',
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray.scalar',
  'numpy._core.multiarray._reconstruct',
  'numpy._core.numeric._frombuffer',
])

/** What is only named: the factory of a defaultdict, the class of a parameter, how a tensor is laid out. */
const words = [
  /^builtins\.(int|float|str|bool|list|tuple|object|bytes)$/,
  /^torch\.(cuda\.)?\w*Tensor$/,
  /^torch\.nn\.parameter\.(Parameter|Buffer)$/,
  /^torch\.(strided|sparse_coo|contiguous_format|channels_last(_3d)?|preserve_format|per_(tensor|channel)_(affine|symmetric))$/,
]

const renamed: Readonly<Record<string, string>> = { __builtin__: 'builtins', copy_reg: 'copyreg' }

/**
 * The stand-in for a name in a pickle of `torch.save`. Those of tensors, collections and plain numbers are known; all else might
 * run code in a reader that looks it up, so a file that asks for it is refused.
 *
 * @throws PickleError with the name
 */
export function torchGlobal(given: string): PickleGlobal {
  // Python 2's names, which protocol 2 still writes.
  const name = given.replace(/^[^.]+/, (module) => (Object.hasOwn(renamed, module) ? renamed[module]! : module))
  if (Object.hasOwn(functions, name)) return new PickleGlobal(name, functions[name])
  if (inert.has(name)) return new PickleGlobal(name, (args) => new PickledObject(name, args))
  if (words.some((pattern) => pattern.test(name))) return new PickleGlobal(name)
  const storage = /^torch\.(?:cuda\.|storage\.)?_?(\w+)Storage$/.exec(name)?.[1]
  if (storage !== undefined && Object.hasOwn(storageElements, storage)) return new StorageClass(name, elements[storageElements[storage]!]!)
  const dtype = /^torch\.(\w+)$/.exec(name)?.[1]
  if (dtype !== undefined && Object.hasOwn(elements, dtype)) return new DTypeName(name, elements[dtype]!)
  throw new UnknownGlobal(given)
}

/** A name that no checkpoint needs. */
export class UnknownGlobal extends PickleError {
  constructor(name: string) {
    super(`it asks for '${shown(name)}', which is not part of a state dict and is not run`, 'tensors in plain dicts and lists', `'${shown(name)}'`)
  }
}
