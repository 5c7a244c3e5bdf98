import { checkChoice, checkList, reading } from './checks/options.ts'
import { dtypes, ownView, type DType, type DTypes } from './dtype.ts'
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
  checkChoice('dtype', dtype, Object.keys(dtypes) as DType[])
  return { dtype, shape: [...checkTensor('tensor', { dtype, shape, data }, [dtype]).shape], data }
}

/** The number of elements that a shape holds. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** Dimensions that libtorch can count. */
const mostDimensions = 64

/**
 * Refuses what is not a tensor of one of `allowed` dtypes, or whose data does not fill its shape. What comes back is a frozen copy, read once, of
 * all but the data's memory: use it, not what was given.
 */
export function checkTensor<D extends DType>(argument: string, value: unknown, allowed: readonly D[]): Tensor<D> {
  const expected = `a tensor { dtype: ${allowed.map(describe).join(' | ')}, shape, data }`
  const given = reading(argument, expected, () => {
    if (typeof value !== 'object' || value === null || !('dtype' in value) || !('shape' in value) || !('data' in value)) {
      throw invalidArgument(argument, expected, value)
    }
    return { dtype: value.dtype, shape: value.shape, data: value.data }
  })
  if (!(allowed as readonly unknown[]).includes(given.dtype)) {
    throw invalidArgument(`${argument}.dtype`, allowed.map(describe).join(' or '), given.dtype)
  }
  const dtype = given.dtype as D
  const sizes = 'an array of non-negative integers'
  const shape = checkList(`${argument}.shape`, given.shape, sizes, 0, mostDimensions) as number[]
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) throw invalidArgument(`${argument}.shape`, sizes, shape)
  const { array, is } = dtypes[dtype]
  if (!is(given.data)) throw invalidArgument(`${argument}.data`, `a ${array.name}`, given.data)
  const data = ownView(dtype, given.data)
  const count = elementCount(shape)
  const { length } = data as { length: number }
  if (length !== count) {
    throw invalidArgumentText(`${argument}.data`, `${count} elements, as its shape ${describe(shape)} says`, `${length} elements`)
  }
  // Of an empty tensor the sizes that are not 0 are to be counted too.
  if (elementCount(shape.map((size) => size || 1)) > Number.MAX_SAFE_INTEGER)
    throw invalidArgument(`${argument}.shape`, 'of sizes that can be multiplied', shape)
  return Object.freeze({ dtype, shape: Object.freeze(shape), data })
}
