import { checkIterable, checkNumber, reading } from '../checks/options.ts'
import { invalidArgument, invalidArgumentText } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { checkMadeSize, checkMaps, checkMapTensor, type MapTensor } from './metrics.ts'

/** A Gaussian on the middle, its deviations as shares of the height and of the width. */
export interface CentreGaussian {
  /** Of the height. */
  readonly height: number
  /** Of the width. */
  readonly width: number
}

/** What {@link fitCentreGaussian} found. */
export interface FittedGaussian extends CentreGaussian {
  /** Its mean CC with the maps. */
  readonly cc: number
}

/** Maps, one after another, all of one size: (h, w) or (1, h, w). */
export type Maps = AsyncIterable<MapTensor> | Iterable<MapTensor>

/**
 * A Gaussian on the middle of a map of any size. float32 (h, w), 1 at most.
 *
 * @param sigmas - the deviations as shares of the height and of the width
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function centreGaussian(height: number, width: number, sigmas: CentreGaussian): Tensor<'float32'> {
  checkMadeSize(height, width)
  const sides = reading('sigmas', '{ height, width }', () => ({ height: sigmas?.height, width: sigmas?.width }))
  const rows = profile(height, checkNumber('sigmas.height', sides.height, 1e-3, 100))
  const columns = profile(width, checkNumber('sigmas.width', sides.width, 1e-3, 100))
  return {
    dtype: 'float32',
    shape: [height, width],
    data: Float32Array.from({ length: height * width }, (_, at) => rows[Math.floor(at / width)]! * columns[at % width]!),
  }
}

/**
 * The Gaussian on the middle whose mean CC with the maps is greatest: what is known of a set without seeing a picture of it. One pass over
 * the maps: the mean CC of one map with many is its covariance with the mean of the standardised ones.
 *
 * @param maps - densities, such as a training set's; a constant one, with which no CC is defined, is passed over
 * @returns the deviations, between 0.02 and 2 of each side, and the mean CC that they have
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for maps of different sizes, and none; what `maps` throws
 */
export async function fitCentreGaussian(maps: Maps): Promise<FittedGaussian> {
  const { height, width, mean } = await meanOf(maps, standardised)
  const meanCc = (sigmas: CentreGaussian): number => {
    const gaussian = standardised(Float64Array.from(centreGaussian(height, width, sigmas).data))
    return gaussian === undefined ? -1 : gaussian.reduce((sum, value, at) => sum + value * mean[at]!, 0) / mean.length
  }
  let best = { height: 0.2, width: 0.2, cc: -1 }
  // Each pass looks around the best of the one before, in steps a third as large.
  let [step, reach] = [1.4, 7]
  for (let pass = 0; pass < 6; pass++) {
    const around = { ...best }
    for (let i = -reach; i <= reach; i++) {
      for (let j = -reach; j <= reach; j++) {
        const sigmas = { height: within(around.height * step ** i), width: within(around.width * step ** j) }
        const cc = meanCc(sigmas)
        if (cc > best.cc) best = { ...sigmas, cc }
      }
    }
    ;[step, reach] = [step ** (1 / 3), 3]
  }
  return best
}

/**
 * The mean of maps, each scaled to sum 1 first: a map that never changes. float32 (h, w), 1 at most.
 *
 * @param maps - densities, such as a training set's; one that is all zero is passed over
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for maps of different sizes, and none; what `maps` throws
 */
export async function meanMap(maps: Maps): Promise<Tensor<'float32'>> {
  const { height, width, mean } = await meanOf(maps, (data) => {
    const sum = data.reduce((total, value) => total + value, 0)
    return sum > 0 ? data.map((value) => value / sum) : undefined
  })
  const most = mean.reduce((greatest, value) => Math.max(greatest, value), 0)
  return { dtype: 'float32', shape: [height, width], data: Float32Array.from(mean, (value) => value / most) }
}

async function meanOf(maps: Maps, prepare: (data: Float64Array) => Float64Array | undefined): Promise<{ height: number; width: number; mean: Float64Array }> {
  let sum: { height: number; width: number; mean: Float64Array } | undefined
  let count = 0
  for await (const given of checkIterable('maps', maps)) {
    const map = checkMapTensor('maps', given)
    const { batch, height, width } = checkMaps('maps', map)
    if (batch !== 1) throw invalidArgument('maps.shape', 'of one map each', [...map.shape])
    sum ??= { height, width, mean: new Float64Array(height * width) }
    if (height !== sum.height || width !== sum.width) {
      throw invalidArgumentText('maps.shape', `as large as the first, ${sum.height} × ${sum.width}`, `${height} × ${width}`)
    }
    const prepared = prepare(Float64Array.from(map.data))
    if (prepared === undefined) continue
    count += 1
    for (let at = 0; at < prepared.length; at++) sum.mean[at]! += prepared[at]!
  }
  if (sum === undefined || count === 0) throw invalidArgumentText('maps', 'at least one map that is not constant', 'none')
  return { ...sum, mean: sum.mean.map((value) => value / count) }
}

/** A map of mean 0 and variance 1; undefined of a constant one. */
function standardised(data: Float64Array): Float64Array | undefined {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length
  const deviation = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length)
  return deviation > 1e-12 ? data.map((value) => (value - mean) / deviation) : undefined
}

function profile(length: number, sigma: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => Math.exp(-0.5 * (((i + 0.5) / length - 0.5) / sigma) ** 2))
}

function within(sigma: number): number {
  return Math.min(2, Math.max(0.02, sigma))
}
