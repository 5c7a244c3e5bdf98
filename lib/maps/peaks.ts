import type { MapTensor } from '../metrics/metrics.ts'
import { integer, number, readOptions, type OptionTable } from '../checks/table.ts'
import { checkMap, placeTable, type MapPoint, type PlaceOptions } from './map-input.ts'
import { placed } from './points.ts'
import { neighbours, regions } from './regions.ts'
import { extremes } from './scale.ts'

/** A local maximum. */
export interface Peak extends MapPoint {
  /** The map's value there. */
  readonly value: number
}

/** Which maxima are peaks. */
export interface PeakOptions extends PlaceOptions {
  /** How many at most, from 1. Default 5. */
  count?: number | undefined
  /** No nearer to a higher one than this share of the map's diagonal, 0 to 1. Default 0.1. */
  distance?: number | undefined
  /** At least this share of the map's greatest value, 0 to 1. Default 0.2. */
  threshold?: number | undefined
}

/** What there is to know of {@link PeakOptions}. */
export const peakTable = {
  ...placeTable,
  count: integer(1, undefined, { usual: 5 }),
  distance: number(0, 1, { usual: 0.1 }),
  threshold: number(0, 1, { usual: 0.2 }),
} satisfies OptionTable<PeakOptions>

/**
 * The local maxima of a map, the highest first: pixels that none of their eight neighbours is above. Equal ones that hang together are
 * one, at their mean place. A map that is flat has none.
 *
 * @param map - (h, w), (1, h, w) or (1, 1, h, w)
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function peaks(map: MapTensor, options?: PeakOptions): Peak[] {
  const checked = checkMap(map)
  const { size, count, distance, threshold } = readOptions<PeakOptions, typeof peakTable>('options', options, peakTable)
  const { data, height, width } = checked
  const [, greatest] = extremes(data)
  const least = distance * Math.hypot(height, width)
  const found: { readonly x: number; readonly y: number; readonly value: number }[] = []
  const maxima = [...localMaxima(data, height, width)].filter(({ value }) => value >= threshold * greatest)
  for (const one of maxima.toSorted((a, b) => b.value - a.value)) {
    if (found.length === count) break
    if (found.every(({ x, y }) => Math.hypot(x - one.x, y - one.y) >= least)) found.push(one)
  }
  return found.map(({ x, y, value }) => ({ ...placed(checked, x, y, size), value }))
}

function* localMaxima(data: Float32Array | Float64Array, height: number, width: number) {
  const isTop = (pixel: number): boolean => {
    for (const neighbour of neighbours(pixel, height, width)) if (data[neighbour]! > data[pixel]!) return false
    return true
  }
  // All of one height that hangs together: it is a maximum if every pixel of it is.
  for (const plateau of regions({ data, height, width }, (from, to) => (from === to ? isTop(from) : data[from] === data[to]))) {
    if (plateau.length === data.length || !plateau.every(isTop)) continue
    const mean = (of: (pixel: number) => number) => plateau.reduce((sum, pixel) => sum + of(pixel), 0) / plateau.length
    yield { x: mean((pixel) => pixel % width), y: mean((pixel) => Math.floor(pixel / width)), value: data[plateau[0]!]! }
  }
}
