import { checkMaps, type MapTensor } from '../metrics/metrics.ts'
import { checkTensor } from '../tensor.ts'

/**
 * The maps of a batch, each (h, w), which share its memory: for what takes one map.
 *
 * @param maps - (h, w), (B, h, w) or (B, 1, h, w), as `predict` gives them
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function split<T extends MapTensor>(maps: T): T[] {
  const checked = checkTensor<'float32' | 'float64'>('maps', maps, ['float32', 'float64'])
  const { batch, height, width } = checkMaps('maps', checked)
  const pixels = height * width
  const { dtype, data } = checked
  return Array.from({ length: batch }, (_, b) => ({ dtype, shape: [height, width], data: data.subarray(b * pixels, (b + 1) * pixels) }) as unknown as T)
}
