import { types } from 'node:util'
import { DiffSalError } from './errors.ts'

/** The element types of a {@link Tensor} and the array that holds each. */
export interface DTypes {
  /** 32-bit floating point: maps, features, weights. */
  float32: Float32Array
  /** 64-bit floating point: metrics and their maps. */
  float64: Float64Array
  /** Bytes: pictures and fixations. */
  uint8: Uint8Array
  /** 64-bit integers: diffusion times. */
  int64: BigInt64Array
}

/** The name of an element type. */
export type DType = keyof DTypes

type ArrayMaker<D extends DType> = new (...of: [length: number] | [buffer: ArrayBufferLike, byteOffset: number, length: number]) => DTypes[D]

/** The typed array's constructor by dtype, and what recognises one, another realm's (vm, a test runner's) too. */
export const dtypes: { readonly [D in DType]: { readonly array: ArrayMaker<D>; is(value: unknown): value is DTypes[D] } } = {
  float32: { array: Float32Array, is: types.isFloat32Array },
  float64: { array: Float64Array, is: types.isFloat64Array },
  uint8: { array: Uint8Array, is: types.isUint8Array },
  int64: { array: BigInt64Array, is: types.isBigInt64Array },
}

const own = (name: 'length' | 'buffer' | 'byteOffset') => {
  const { get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Float32Array.prototype), name)!
  return (array: DTypes[DType]): unknown => Reflect.apply(get!, array, [])
}
const [lengthOf, bufferOf, offsetOf] = [own('length'), own('buffer'), own('byteOffset')]

/**
 * The memory of a typed array, under an array of our own: of a subclass, or of an array that was given properties, nothing else is asked. It is
 * empty where the buffer was detached, or has shrunk under it.
 */
export function ownView<D extends DType>(dtype: D, array: DTypes[D]): DTypes[D] {
  const { array: Own } = dtypes[dtype]
  const length = lengthOf(array) as number
  return length === 0 ? new Own(0) : new Own(bufferOf(array) as ArrayBufferLike, offsetOf(array) as number, length)
}

/** Zeros. @throws DiffSalError ERR_DIFFSAL_OUT_OF_MEMORY */
export function newArray<D extends DType>(dtype: D, length: number): DTypes[D] {
  try {
    return new dtypes[dtype].array(length)
  } catch (cause) {
    throw new DiffSalError('ERR_DIFFSAL_OUT_OF_MEMORY', `Out of memory: ${length} numbers of type ${dtype} cannot be had.`, { cause })
  }
}
