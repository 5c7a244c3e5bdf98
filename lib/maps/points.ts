import type { MapTensor } from '../metrics/metrics.ts'
import { number, readOptions, type OptionTable } from '../checks/table.ts'
import { blurred } from './blur.ts'
import { checkMap, massOf, type CheckedMap, placeTable, type MapPoint, type PlaceOptions } from './map-input.ts'

/** How {@link focalPoint} looks. */
export interface FocalPointOptions extends PlaceOptions {
  /** The Gaussian's deviation, a share of the map's width, above 0 to 1: how near values must be to count together. Default 0.05. */
  spread?: number | undefined
}

/** What there is to know of {@link FocalPointOptions}. */
export const focalPointTable = { ...placeTable, spread: number(1e-6, 1, { usual: 0.05 }) } satisfies OptionTable<FocalPointOptions>

/**
 * The mean place of a map, each pixel's middle weighted by its value: Σ p·m / Σ m. Between two people it is on neither, where
 * {@link focalPoint} is on one.
 *
 * @param map - not negative, (h, w), (1, h, w) or (1, 1, h, w)
 * @returns undefined where the map is zero everywhere
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function centreOfMass(map: MapTensor, options?: PlaceOptions): MapPoint | undefined {
  const checked = checkMap(map, 0)
  const { size } = readOptions<PlaceOptions, typeof placeTable>('options', options, placeTable)
  const mass = massOf(checked)
  if (mass === 0) return undefined
  const { data, height, width } = checked
  let [x, y] = [0, 0]
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const share = data[row * width + column]! / mass
      x += share * column
      y += share * row
    }
  }
  return placed(checked, x, y, size)
}

/**
 * The one place to look at: the pixel around which most of the map lies, where Σ m·exp(−d² / 2σ²) is greatest over the distances d to all
 * pixels, nothing lying outside. Where several are as good to a millionth, the nearest to the middle; so of a flat map, and one of zeros,
 * the middle.
 *
 * @param map - not negative, (h, w), (1, h, w) or (1, 1, h, w)
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function focalPoint(map: MapTensor, options?: FocalPointOptions): MapPoint {
  const checked = checkMap(map, 0)
  const { size, spread } = readOptions<FocalPointOptions, typeof focalPointTable>('options', options, focalPointTable)
  const { height, width } = checked
  const near = blurred(checked, spread * width)
  const greatest = near.reduce((a, b) => Math.max(a, b), 0)
  let [best, farness] = [[(width - 1) / 2, (height - 1) / 2] as [number, number], Number.POSITIVE_INFINITY]
  if (greatest === 0) return placed(checked, ...best, size)
  for (let i = 0; i < near.length; i++) {
    if (near[i]! < greatest * (1 - 1e-6)) continue
    const [x, y] = [i % width, Math.floor(i / width)]
    const far = Math.hypot(x - (width - 1) / 2, y - (height - 1) / 2)
    if (far < farness) [best, farness] = [[x, y], far]
  }
  return placed(checked, ...best, size)
}

/** A place that is told in pixels of the map, whose middles are whole numbers, as callers are told it. */
export function placed({ height, width }: CheckedMap, x: number, y: number, size: readonly [number, number] = [1, 1]): MapPoint {
  return { x: ((x + 0.5) / width) * size[1], y: ((y + 0.5) / height) * size[0] }
}
