/** The element types of a {@link Tensor} and the array that holds each. */
export interface DTypes {
  float32: Float32Array
  float64: Float64Array
  uint8: Uint8Array
  int64: BigInt64Array
}

/** The name of an element type. */
export type DType = keyof DTypes

/** The typed array's constructor and the bytes of one element, by dtype. */
export const dtypes: { readonly [D in DType]: { readonly array: new (length: number) => DTypes[D]; readonly bytes: number } } = {
  float32: { array: Float32Array, bytes: 4 },
  float64: { array: Float64Array, bytes: 8 },
  uint8: { array: Uint8Array, bytes: 1 },
  int64: { array: BigInt64Array, bytes: 8 },
}
