import type { MapTensor } from '../metrics/metrics.ts'
import { checkMap } from './map-input.ts'
import { Running } from './scale.ts'

/** The levels behind a {@link RunningRange}; undefined for what is none. */
export let runningOf: (value: unknown) => Running | undefined

/**
 * The `'video'` scale of `colourise` and `toPng` for maps that are painted one after the other: give the same one to each call, in the
 * order of the frames.
 */
export class RunningRange {
  readonly #running = new Running()

  /** How far above a map's least value level 1 is now: as far as any map went so far, and at least 0.1. */
  get range(): number {
    return this.#running.range
  }

  /**
   * Widens the range where this map goes further, without painting it: tell of all maps first where the colours shall mean the same from
   * the first frame on.
   *
   * @param map - (h, w), (1, h, w) or (1, 1, h, w)
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
   */
  meet(map: MapTensor): void {
    this.#running.meet(checkMap(map).data)
  }

  static {
    runningOf = (value) => (typeof value === 'object' && value !== null && #running in value ? value.#running : undefined)
  }
}
