import { native } from '../addon/native.ts'
import { checkInteger } from '../checks/options.ts'
import { newArray } from '../dtype.ts'
import { invalidArgumentText, describe } from '../errors.ts'
import { checkTensor, elementCount, type Tensor } from '../tensor.ts'

/** A map (h, w), or a batch of them: (B, h, w) or (B, 1, h, w). Bytes are what a grey picture holds. */
export type MapTensor = Tensor<'float32'> | Tensor<'float64'> | Tensor<'uint8'>

/** Fixations on a map's pixels, as many as the maps: not zero where someone looked. */
export type FixationTensor = Tensor<'uint8'>

/** A metric of a batch. */
export interface MetricResult {
  /** One value a map; NaN where the metric is undefined (no fixation, a constant map). */
  readonly values: Float64Array
  /** Mean of the defined values; NaN where there is none. */
  readonly mean: number
  /** How many values are NaN. */
  readonly undefinedCount: number
}

/**
 * Pearson's linear correlation coefficient of the two maps: -1 to 1, 1 best.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function cc(saliency: MapTensor, density: MapTensor): Promise<MetricResult> {
  return metric('cc', saliency, { density })
}

/**
 * Similarity: the intersection of the two maps, each scaled to 0…1 and then to sum 1. 0 to 1, 1 best.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function sim(saliency: MapTensor, density: MapTensor): Promise<MetricResult> {
  return metric('sim', saliency, { density })
}

/**
 * Kullback–Leibler divergence of the density from the prediction, both scaled to sum 1. 0 best.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function kl(saliency: MapTensor, density: MapTensor): Promise<MetricResult> {
  return metric('kl', saliency, { density })
}

/**
 * Normalised scanpath saliency: the mean of the standardised map at the fixations. 0 is chance.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function nss(saliency: MapTensor, fixations: FixationTensor): Promise<MetricResult> {
  return metric('nss', saliency, { fixations })
}

/**
 * Judd's area under the ROC curve: one threshold a fixation. Where pixels tie, the mean over all the orders that the published random
 * jitter could give; nothing is drawn. 0.5 is chance, 1 best.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function aucJudd(saliency: MapTensor, fixations: FixationTensor): Promise<MetricResult> {
  return metric('aucJudd', saliency, { fixations })
}

/**
 * Shuffled AUC: the area under the ROC curve of the fixations against `others`, the pixels that were fixated in other
 * videos, which cancels the centre bias. Every pair is counted, ties half; none is drawn at random. 0.5 is chance.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function shuffledAuc(saliency: MapTensor, fixations: FixationTensor, others: FixationTensor): Promise<MetricResult> {
  return metric('shuffledAuc', saliency, { fixations, others })
}

/**
 * Information gain: how many bits a fixation costs less under the map than under `baseline`, both scaled to sum 1. Default
 * baseline: {@link centreBias}. Maps must not be negative. 0 is no better than the baseline.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export async function informationGain(saliency: MapTensor, fixations: FixationTensor, baseline?: MapTensor): Promise<MetricResult> {
  if (baseline !== undefined) return metric('informationGain', saliency, { fixations, baseline })
  const maps = checkMapTensor('saliency', saliency)
  const { batch, height, width } = checkMaps('saliency', maps)
  const one = centreBias(height, width).data
  const data = newArray('float64', batch * one.length)
  for (let b = 0; b < batch; b++) data.set(one, b * one.length)
  return metric('informationGain', maps, { fixations, baseline: { dtype: 'float64', shape: [batch, height, width], data } })
}

/**
 * A Gaussian on the middle whose deviations are a quarter of the height and of the width: where people look in any video. float64 (h, w).
 *
 * @param height - 1 to 65 536
 * @param width - 1 to 65 536
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for another side, or more than 2^28 pixels; ERR_DIFFSAL_OUT_OF_MEMORY
 */
export function centreBias(height: number, width: number): Tensor<'float64'> {
  checkMadeSize(height, width)
  const axis = (length: number) => Float64Array.from({ length }, (_, i) => Math.exp(-0.5 * ((i + 0.5 - length / 2) / (length / 4)) ** 2))
  const [rows, columns] = [axis(height), axis(width)]
  const data = newArray('float64', height * width)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[y * width + x] = rows[y]! * columns[x]!
  return { dtype: 'float64', shape: [height, width], data }
}

/** How large a map may be that is made. */
const longestSide = 65_536
const mostPixels = 2 ** 28

/** Refuses sides that no map is made of. */
export function checkMadeSize(height: number, width: number): void {
  checkInteger('height', height, 1, longestSide)
  checkInteger('width', width, 1, longestSide)
  if (height * width > mostPixels) throw invalidArgumentText('width', `at most ${mostPixels} pixels with the height ${height}`, `${width}`)
}

/** A map of real numbers: bytes become what they count, which changes no score. */
export function checkMapTensor(argument: string, map: unknown): Tensor<'float32'> | Tensor<'float64'> {
  const checked = checkTensor<'float32' | 'float64' | 'uint8'>(argument, map, ['float32', 'float64', 'uint8']) as MapTensor
  return checked.dtype === 'uint8' ? { ...checked, dtype: 'float32', data: Float32Array.from(checked.data) } : checked
}

/** The batch and size of maps that {@link checkTensor} gave. */
export function checkMaps(argument: string, maps: Tensor): { batch: number; height: number; width: number } {
  const { shape } = maps
  const [height = 0, width = 0] = shape.slice(-2)
  const isMap = shape.length === 2 || shape.length === 3 || (shape.length === 4 && shape[1] === 1)
  if (!isMap || elementCount(shape) === 0) {
    throw invalidArgumentText(`${argument}.shape`, '(h, w), (B, h, w) or (B, 1, h, w)', describe([...shape]))
  }
  return { batch: shape.length === 2 ? 1 : shape[0]!, height, width }
}

/** Which arguments are fixations; the others are maps. */
const counted: readonly string[] = ['fixations', 'others']

async function metric(
  name: string,
  saliency: MapTensor,
  others: Partial<Record<'fixations' | 'others' | 'density' | 'baseline', Tensor>>,
): Promise<MetricResult> {
  const maps = checkMapTensor('saliency', saliency)
  const { batch, height, width } = checkMaps('saliency', maps)
  const flat = (checked: Tensor): Tensor => ({ ...checked, shape: [batch, height * width] })
  const [second, third] = Object.entries(others).map(([argument, given]) => {
    const checked: Tensor = counted.includes(argument) ? checkTensor(argument, given, ['uint8']) : checkMapTensor(argument, given)
    const size = checkMaps(argument, checked)
    if (size.batch !== batch || size.height !== height || size.width !== width) {
      throw invalidArgumentText(`${argument}.shape`, `as large as 'saliency', ${batch} × ${height} × ${width}`, describe(checked.shape))
    }
    return flat(checked)
  })
  const { data: values } = await native().metric(name, flat(maps), second!, third)
  return summarise(values)
}

function summarise(values: Float64Array): MetricResult {
  const defined = values.filter((value) => !Number.isNaN(value))
  return { values, mean: defined.reduce((a, b) => a + b, 0) / defined.length, undefinedCount: values.length - defined.length }
}
