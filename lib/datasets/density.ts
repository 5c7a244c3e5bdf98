import { checkNumber } from '../checks/options.ts'
import { newArray } from '../dtype.ts'
import { Bells, toUnits } from '../gaze/points.ts'
import { checkMaps, type FixationTensor } from '../metrics/metrics.ts'
import { checkTensor, type Tensor } from '../tensor.ts'

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
  const plane = height * width
  const bells = new Bells(height, width, sigma)
  const data = newArray('float32', batch * plane)
  for (let b = 0; b < batch; b++) {
    const sum = newArray('float64', plane)
    for (let at = 0; at < plane; at++) {
      if (fixated.data[b * plane + at] !== 0) bells.add(sum, at % width, Math.floor(at / width))
    }
    data.set(toUnits(sum), b * plane)
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
