import { invalidArgument } from '../errors.ts'
import type { MapTensor } from '../metrics/metrics.ts'
import type { Tensor } from '../tensor.ts'
import { checkMap, checkSize } from './map-input.ts'

/**
 * A map at another size, say the frame's. The value at a pixel is the mean of the map's under a triangle around its place: bilinear where
 * the map grows, and as wide as the new pixels are apart where it shrinks. Pixel i of n covers i / n to (i + 1) / n of the frame in both
 * sizes.
 *
 * @param map - (h, w), (1, h, w) or (1, 1, h, w)
 * @param size - [height, width] to come to, each 1 to 65 536, 2^28 pixels at most
 * @returns float32 (height, width)
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_OUT_OF_MEMORY
 */
export function resize(map: MapTensor, size: readonly [number, number]): Tensor<'float32'> {
  const { data, height, width } = checkMap(map)
  const checked = checkSize(size)
  if (checked === undefined) throw invalidArgument('size', '[height, width]', size)
  return { dtype: 'float32', shape: checked, data: resized(data, [height, width], checked) }
}

/** {@link resize} of numbers that were checked. */
export function resized(
  data: Float32Array | Float64Array,
  [height, width]: readonly [number, number],
  [toHeight, toWidth]: readonly [number, number],
): Float32Array {
  const across = taps(width, toWidth)
  const rows = new Float64Array(height * toWidth)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < toWidth; x++) {
      const { first, weights } = across[x]!
      let sum = 0
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * data[y * width + first + k]!
      rows[y * toWidth + x] = sum
    }
  }
  const result = new Float32Array(toHeight * toWidth)
  for (const [y, { first, weights }] of taps(height, toHeight).entries()) {
    for (let x = 0; x < toWidth; x++) {
      let sum = 0
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * rows[(first + k) * toWidth + x]!
      result[y * toWidth + x] = sum
    }
  }
  return result
}

/** What each of `to` pixels takes of `from`: some that are next to each other. */
function taps(from: number, to: number): { readonly first: number; readonly weights: readonly number[] }[] {
  const reach = Math.max(1, from / to)
  return Array.from({ length: to }, (_, i) => {
    const centre = ((i + 0.5) * from) / to - 0.5
    const first = Math.max(0, Math.ceil(centre - reach))
    const last = Math.min(from - 1, Math.floor(centre + reach))
    const weights = Array.from({ length: last - first + 1 }, (_, k) => 1 - Math.abs(first + k - centre) / reach)
    const sum = weights.reduce((a, b) => a + b, 0)
    return { first, weights: weights.map((weight) => weight / sum) }
  })
}
