import { invalidArgument } from '../errors.ts'
import { checkNumber, isList, checkList } from '../checks/options.ts'

/**
 * Which values of maps are painted as the least level, 0, and as the greatest, 1.
 *
 * - `'video'`: a map's own least value is 0, and 1 is as far above it as any map went so far: of a video the colours mean the same in all
 *   frames, but for those before its liveliest. A tenth is taken where no map went so far, because the network's maps are of 0 to 1: what
 *   is flat stays cold.
 * - `'each'`: every map's own least and greatest value, however near they are.
 * - `[least, greatest]`: these, for maps that are compared across videos.
 */
export type MapScale = 'video' | 'each' | readonly [least: number, greatest: number]

/** The range of `'video'` is never less than this. */
const leastRange = 0.1

/**
 * The levels of maps that belong together, in the order that they are shown in. A running range is taken for a video, not a first pass
 * over it: its maps come one by one, seconds apart, and to hold them would take a third of a megabyte each (37 GB for an hour at the
 * paper's size).
 */
export interface LevelScale {
  /** Levels 0 to 1 of a map. */
  levels(map: Float32Array | Float64Array): Float32Array
}

/** Makes the scale of one video. */
export function levelScale(scale: MapScale): LevelScale {
  if (scale === 'video') return new Running()
  return { levels: (map) => (scale === 'each' ? eachLevels(map) : between(map, scale[0], scale[1] - scale[0])) }
}

/** Refuses what is no scale. */
export function checkScale(argument: string, scale: unknown): MapScale {
  if (scale === 'video' || scale === 'each') return scale
  if (!isList(scale)) throw invalidArgument(argument, "'video', 'each' or [least, greatest]", scale)
  const [least, greatest] = checkList(argument, scale, '[least, greatest]', 2, 2).map((one, i) => checkNumber(`${argument}[${i}]`, one, -1e12, 1e12)) as [
    number,
    number,
  ]
  if (least >= greatest) throw invalidArgument(argument, '[least, greatest], the second above the first', [least, greatest])
  return [least, greatest]
}

/** The `'video'` scale. */
export class Running implements LevelScale {
  /** How far above its least value a map's greatest must be to have level 1. */
  range = leastRange

  /** Widens the range where this map goes further than any before. */
  meet(map: Float32Array | Float64Array): void {
    const [least, greatest] = extremes(map)
    this.range = Math.max(this.range, greatest - least)
  }

  levels(map: Float32Array | Float64Array): Float32Array {
    this.meet(map)
    return between(map, extremes(map)[0], this.range)
  }
}

/** One map by itself on bytes, in the `'video'` scale. */
export function greyLevels(map: Float32Array): Uint8Array {
  return bytesOf(new Running().levels(map))
}

/** Levels as bytes, 1 as 255. */
export function bytesOf(levels: Float32Array): Uint8Array {
  return Uint8Array.from(levels, (level) => level * 255 + 0.5)
}

function eachLevels(map: Float32Array | Float64Array): Float32Array {
  const [least, greatest] = extremes(map)
  return between(map, least, greatest - least)
}

function between(map: Float32Array | Float64Array, least: number, range: number): Float32Array {
  const levels = new Float32Array(map.length)
  if (range > 0) for (let i = 0; i < map.length; i++) levels[i] = Math.min(Math.max((map[i]! - least) / range, 0), 1)
  return levels
}

/** The least and the greatest value. */
export function extremes(map: Float32Array | Float64Array): [least: number, greatest: number] {
  let least = Number.POSITIVE_INFINITY
  let greatest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < map.length; i++) {
    const value = map[i]!
    if (value < least) least = value
    if (value > greatest) greatest = value
  }
  return [least, greatest]
}
