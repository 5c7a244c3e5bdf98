import { invalidArgument } from '../errors.ts'
import type { MapTensor } from '../metrics/metrics.ts'
import { integer, number, readOptions, type OptionTable } from '../checks/table.ts'
import { checkMap, placeTable, massOf, type CheckedMap, type PlaceOptions } from './map-input.ts'
import { regions } from './regions.ts'
import { extremes } from './scale.ts'

/** A part of a frame. */
export interface MapBox {
  /** Its left edge: 0 to 1, or pixels of the frame where its size was given. */
  readonly x: number
  /** Its upper edge, likewise. */
  readonly y: number
  /** How wide it is, in the same. */
  readonly width: number
  /** How high it is, in the same. */
  readonly height: number
  /** The share of the map's sum that lies in it, 0 to 1. */
  readonly mass: number
}

/** Which boxes are wanted. */
export interface BoxOptions extends PlaceOptions {
  /** The share of the map's sum that the highest pixels make up which boxes are drawn around, above 0 to 1. Default 0.5. */
  mass?: number | undefined
  /** In place of `mass`: boxes are drawn around the pixels that have at least this share of the map's greatest value, above 0 to 1. Default: by mass. */
  level?: number | undefined
  /** Regions with less than this share of the map's sum get no box, 0 to 1. Default 0.02. */
  least?: number | undefined
  /** How many at most, from 1. Default 10. */
  count?: number | undefined
}

/** What there is to know of {@link BoxOptions}. */
export const boxTable = {
  ...placeTable,
  // No default, for beside `level` none may be told.
  mass: number(1e-9, 1),
  level: number(1e-9, 1),
  least: number(0, 1, { usual: 0.02 }),
  count: integer(1, undefined, { usual: 10 }),
} satisfies OptionTable<BoxOptions>

/**
 * Boxes around the regions that hold most of a map, the heaviest first. The highest level t is taken above which pixels (m ≥ t) make up
 * at least the share `mass` of Σ m, or that which `level` tells; those of them that touch by sides or corners are a region. A box's own `mass` is that of its region.
 *
 * @param map - not negative, (h, w), (1, h, w) or (1, 1, h, w)
 * @returns none where the map is zero everywhere
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function boxes(map: MapTensor, options?: BoxOptions): MapBox[] {
  const checked = checkMap(map, 0)
  const { size, mass: given, level: share, least, count } = readOptions<BoxOptions, typeof boxTable>('options', options, boxTable)
  if (share !== undefined && given !== undefined) throw invalidArgument('level', "left out where 'mass' is told", share)
  const mass = given ?? 0.5
  const [height, width] = size ?? [1, 1]
  const whole = massOf(checked)
  if (whole === 0) return []
  const level = share === undefined ? levelAbove(checked, mass * whole) : share * extremes(checked.data)[1]
  const found: MapBox[] = []
  for (const region of regions(checked, (_, to) => checked.data[to]! >= level)) {
    const share = region.reduce((sum, pixel) => sum + checked.data[pixel]!, 0) / whole
    if (share >= least) found.push({ ...around(region, checked, height, width), mass: share })
  }
  return found.sort((a, b) => b.mass - a.mass).slice(0, count)
}

/** The highest level above which pixels make up `mass`; never 0, which holds nothing. */
function levelAbove({ data }: CheckedMap, mass: number): number {
  const ordered = data.toSorted()
  let sum = 0
  let level = ordered.at(-1)!
  for (let i = ordered.length - 1; i >= 0 && sum < mass && ordered[i]! > 0; i--) {
    level = ordered[i]!
    sum += level
  }
  return level
}

function around(region: readonly number[], map: CheckedMap, height: number, width: number): Omit<MapBox, 'mass'> {
  let [left, right, top, bottom] = [map.width, 0, map.height, 0]
  for (const pixel of region) {
    const [x, y] = [pixel % map.width, Math.floor(pixel / map.width)]
    ;[left, right, top, bottom] = [Math.min(left, x), Math.max(right, x + 1), Math.min(top, y), Math.max(bottom, y + 1)]
  }
  const [across, down] = [width / map.width, height / map.height]
  return { x: left * across, y: top * down, width: (right - left) * across, height: (bottom - top) * down }
}
