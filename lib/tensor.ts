import { dtypes, type DType, type DTypes } from './dtype.ts'
import { describe, invalidArgument, invalidArgumentText } from './errors.ts'

/**
 * A dense tensor in row-major order (the last dimension varies fastest). A plain object: make one as a literal, or with
 * {@link tensor}, which checks it.
 */
export interface Tensor<D extends DType = DType> {
  /** The type of the elements. */
  readonly dtype: D
  /** Sizes of the dimensions, outermost first. */
  readonly shape: readonly number[]
  /** As many elements as the product of `shape`. */
  readonly data: DTypes[D]
}

/**
 * Makes a tensor from data and shape. The data is not copied.
 *
 * @param dtype - the type of the elements
 * @param shape - sizes of the dimensions, outermost first
 * @param data - the dtype's array, with as many elements as the product of `shape`
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT when the data is not an array of the dtype or does not fill the shape.
 */
export function tensor<D extends DType>(dtype: D, shape: readonly number[], data: DTypes[D]): Tensor<D> {
  return checkTensor('tensor', { dtype, shape: [...shape], data }, [dtype])
}

/** The number of elements that a shape holds. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** Refuses what is not a tensor of one of `allowed` dtypes, or whose data does not fill its shape. */
export function checkTensor<D extends DType>(argument: string, value: unknown, allowed: readonly D[]): Tensor<D> {
  const expected = `a tensor { dtype: ${allowed.map(describe).join(' | ')}, shape, data }`
  if (typeof value !== 'object' || value === null || !('dtype' in value) || !('shape' in value) || !('data' in value)) {
    throw invalidArgument(argument, expected, value)
  }
  const { dtype, shape, data } = value
  if (!(allowed as readonly unknown[]).includes(dtype)) {
    throw invalidArgument(`${argument}.dtype`, allowed.map(describe).join(' or '), dtype)
  }
  // Array.from: every() would skip holes.
  if (!Array.isArray(shape) || !Array.from<unknown>(shape).every((size) => Number.isInteger(size) && (size as number) >= 0)) {
    throw invalidArgument(`${argument}.shape`, 'an array of non-negative integers', shape)
  }
  const { array, is } = dtypes[dtype as D]
  if (!is(data)) throw invalidArgument(`${argument}.data`, `a ${array.name}`, data)
  const count = elementCount(shape)
  const { length } = data as { length: number }
  if (length !== count) {
    throw invalidArgumentText(`${argument}.data`, `${count} elements, as its shape ${describe(shape)} says`, `${length} elements`)
  }
  // Read once and copied: what was checked is what is used.
  return { dtype: dtype as D, shape: [...(shape as number[])], data }
}
