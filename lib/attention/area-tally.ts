import { timesOf, type ReportArea } from './areas.ts'
import type { AttentionBest } from './attention.ts'
import type { RegionSight } from './region-tracks.ts'

/**
 * The share of a map from which on an area is looked at: where its odds are `look` times those of its share of the picture,
 * s / (1 − s) ≥ look · a / (1 − a), which is s ≥ look · a / (1 + (look − 1) · a). For a small area that is `look` times its size, for one that
 * fills the picture all of the map.
 */
export function lookShare(size: number, look: number): number {
  return (look * size) / (1 + (look - 1) * size)
}

/** What is counted of an area, map by map. */
export class AreaTally {
  /** Its share of the picture. */
  readonly size: number
  /** The share of a map from which on it is looked at. */
  readonly threshold: number
  /** Seconds in which it was there. */
  seconds = 0
  /** Seconds of attention: the sum of its share of each map times the map's seconds. */
  dwell = 0
  /** Seconds in which it was looked at. */
  looked = 0
  looks = 0
  firstLook: number | null = null
  /** When it was there first. */
  appeared: number | null = null
  best: AttentionBest | null = null
  readonly #times: readonly [from: number, to: number]
  /** Until when the last look went on. */
  #lookEnd = Number.NaN

  constructor(area: ReportArea, [height, width]: readonly [number, number], look: number) {
    this.#times = timesOf(area)
    this.size = Math.min((area.width * area.height) / (height * width), 1)
    this.threshold = lookShare(this.size, look)
  }

  /** Takes its share of the next map; gives it back, or null where it is not there. */
  add(share: number, { frame, time, from, to }: RegionSight): number | null {
    const [begin, end] = [Math.max(from, this.#times[0]), Math.min(to, this.#times[1])]
    if (!(begin < end)) return null
    this.appeared ??= begin
    this.seconds += end - begin
    this.dwell += share * (end - begin)
    if (this.best === null || share > this.best.share) this.best = { frame, time, share }
    // Rounding must not decide on an area that fills the picture.
    if (share >= this.threshold * (1 - 1e-6)) {
      if (this.#lookEnd !== begin) this.looks += 1
      this.#lookEnd = end
      this.looked += end - begin
      this.firstLook ??= Math.min(Math.max(time, begin), end)
    }
    return share
  }
}
