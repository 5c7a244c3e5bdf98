import { describe, invalidArgument, invalidArgumentText } from '../errors.ts'
import { checkMadeSize, checkMaps, type MapTensor } from '../metrics/metrics.ts'
import { checkList } from '../checks/options.ts'
import type { Option, OptionTable } from '../checks/table.ts'
import { newArray } from '../dtype.ts'
import { checkTensor } from '../tensor.ts'

/** A place in a frame. */
export interface MapPoint {
  /** From the left edge: 0 to 1, or pixels of the frame where its size was given. */
  readonly x: number
  /** From the upper edge, likewise. */
  readonly y: number
}

/** In what a place in a map is told. */
export interface PlaceOptions {
  /** [height, width] of the frame in pixels, which places are then told in. Default: shares of height and width, 0 to 1. */
  size?: readonly [number, number] | undefined
}

/** [height, width] of a frame or picture. */
export const mapSize: Option<readonly [number, number]> = { check: (_, value) => checkSize(value)! }

/** What there is to know of {@link PlaceOptions}. */
export const placeTable = { size: mapSize } satisfies OptionTable<PlaceOptions>

/** One map that was checked: a copy, for what reads the options after it may change the caller's. */
export interface CheckedMap {
  readonly data: Float32Array | Float64Array
  readonly height: number
  readonly width: number
}

/** A map, (h, w), (1, h, w) or (1, 1, h, w), of finite numbers; `least` is what none may be below. */
export function checkMap(map: MapTensor, least = Number.NEGATIVE_INFINITY): CheckedMap {
  const { dtype, shape, data: given } = checkTensor<'float32' | 'float64'>('map', map, ['float32', 'float64'])
  const data = newArray(dtype, given.length)
  data.set(given)
  const { batch, height, width } = checkMaps('map', { dtype: 'float32', shape, data: data as Float32Array })
  if (batch !== 1) throw invalidArgument('map.shape', "of one map, (h, w), (1, h, w) or (1, 1, h, w); 'maps.split' parts a batch", shape)
  const odd = data.findIndex((value) => !(value >= least && Number.isFinite(value)))
  if (odd >= 0) throw invalidArgumentText(`map.data[${odd}]`, Number.isFinite(least) ? `a number of at least ${least}` : 'a number', describe(data[odd]))
  return { data, height, width }
}

/** [height, width] of pictures, or undefined where there is none. */
export function checkSize(size: unknown): readonly [number, number] | undefined {
  if (size === undefined) return undefined
  const [height, width] = checkList('size', size, '[height, width]', 2, 2) as [number, number]
  checkMadeSize(height, width)
  return [height, width]
}

/** The sum of a map that is not negative. */
export function massOf({ data }: CheckedMap): number {
  let mass = 0
  for (let i = 0; i < data.length; i++) mass += data[i]!
  return mass
}
