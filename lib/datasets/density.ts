import { newArray } from '../dtype.ts'
import { checkNumber } from '../options.ts'
import { checkMaps, type FixationTensor } from '../metrics/metrics.ts'
import { checkTensor, type Tensor } from '../tensor.ts'

/** How many deviations of a Gaussian are drawn: what is beyond is less than 3e-4 of its height. */
const reach = 4

/**
 * The density of fixations: a Gaussian on each fixated pixel, summed and scaled to a maximum of 1. What falls outside the picture
 * is lost. Zeros where there is no fixation.
 *
 * @param fixations uint8 (H, W), not zero where someone looked.
 * @param sigma The Gaussian's standard deviation in pixels; usual is about one degree of visual angle.
 * @returns float32 (H, W).
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT.
 */
export function densityFromFixations(fixations: FixationTensor, sigma: number): Tensor<'float32'> {
  const fixated = checkTensor('fixations', fixations, ['uint8'])
  const { batch, height, width } = checkMaps('fixations', fixated)
  checkNumber('sigma', sigma, 0.1, 10_000)
  const radius = Math.ceil(reach * sigma)
  const bell = Float64Array.from({ length: radius + 1 }, (_, d) => Math.exp(-(d * d) / (2 * sigma * sigma)))
  const sum = newArray('float64', batch * height * width)
  // There are tens of fixations in a map of a million pixels: drawing each is less work than any filter.
  for (let at = 0; at < fixated.data.length; at++) {
    if (fixated.data[at] === 0) continue
    const plane = Math.floor(at / (height * width)) * height * width
    const [y, x] = [Math.floor((at - plane) / width), (at - plane) % width]
    const [left, right] = [Math.max(0, x - radius), Math.min(width - 1, x + radius)]
    for (let v = Math.max(0, y - radius); v <= Math.min(height - 1, y + radius); v++) {
      const weight = bell[Math.abs(v - y)]!
      const row = plane + v * width
      for (let u = left; u <= right; u++) sum[row + u]! += weight * bell[Math.abs(u - x)]!
    }
  }
  const data = newArray('float32', sum.length)
  for (let b = 0; b < batch; b++) {
    const plane = sum.subarray(b * height * width, (b + 1) * height * width)
    let most = 0
    for (const value of plane) if (value > most) most = value
    if (most > 0) for (let i = 0; i < plane.length; i++) data[b * plane.length + i] = plane[i]! / most
  }
  return { dtype: 'float32', shape: [...fixated.shape], data }
}

/** Fixations (h, w) on a map of another size (H, W): each in the pixel that its own pixel's centre falls into. */
export function resizeFixations(fixations: FixationTensor, height: number, width: number): FixationTensor {
  const size = checkMaps('fixations', checkTensor('fixations', fixations, ['uint8']))
  if (size.height === height && size.width === width) return fixations
  const data = new Uint8Array(height * width)
  for (let at = 0; at < size.height * size.width; at++) {
    if (fixations.data[at] === 0) continue
    const y = Math.floor(((Math.floor(at / size.width) + 0.5) * height) / size.height)
    const x = Math.floor((((at % size.width) + 0.5) * width) / size.width)
    data[y * width + x] = 1
  }
  return { dtype: 'uint8', shape: [height, width], data }
}
