import { types } from 'node:util'

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

/** The typed array's constructor by dtype, and what recognises one, another realm's (vm, a test runner's) too. */
export const dtypes: { readonly [D in DType]: { readonly array: new (length: number) => DTypes[D]; is(value: unknown): value is DTypes[D] } } = {
  float32: { array: Float32Array, is: types.isFloat32Array },
  float64: { array: Float64Array, is: types.isFloat64Array },
  uint8: { array: Uint8Array, is: types.isUint8Array },
  int64: { array: BigInt64Array, is: types.isBigInt64Array },
}
