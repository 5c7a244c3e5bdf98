import { DiffSalError } from '../errors.ts'
import { confidence } from '../maps/confidence.ts'
import { checkMap, type MapPoint } from '../maps/map-input.ts'
import { peaks } from '../maps/peaks.ts'
import { focalPoint } from '../maps/points.ts'
import { resized } from '../maps/resize.ts'
import { extremes } from '../maps/scale.ts'
import type { MapTensor } from '../metrics/metrics.ts'

/** Columns of a map in a page: what is shown over a video is smooth. */
const mostColumns = 96

/** Bytes of all maps together: as base64 in a page, a third more. */
export const mostMapBytes = 64 * 2 ** 20

/** The range of colours is never less than this, as of videos. */
const leastRange = 0.1

/** Peaks of a map that are kept. */
const peakCount = 3

/** [height, width] of a map of a size as a page holds it. */
export function keptSize([height, width]: readonly [number, number]): readonly [number, number] {
  const columns = Math.min(width, mostColumns)
  return [Math.max(1, Math.round((height * columns) / width)), columns]
}

/**
 * Refuses more maps than a page holds.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT naming the stride
 */
export function checkMapBytes(count: number, size: readonly [number, number], stride: number): void {
  const [height, width] = keptSize(size)
  const most = Math.floor(mostMapBytes / (height * width))
  if (count <= most) return
  const words = `at least ${Math.ceil((stride * count) / most)} for ${count} maps of ${height}×${width} bytes (a page holds ${most} of them, ${mostMapBytes / 2 ** 20} MiB), or a part of the video must be chosen with start and end`
  throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `'stride' (--stride) must be ${words}, but ${stride} came.`, {
    argument: 'stride',
    expected: words,
    received: `${stride}`,
  })
}

/** What is kept of the maps of a video: bytes of each, and some numbers. */
export class MapShelf {
  /** [height, width] of each. */
  size: readonly [number, number] = [0, 0]
  readonly times: number[] = []
  readonly confidence: number[] = []
  readonly focus: MapPoint[] = []
  readonly peaks: (readonly MapPoint[])[] = []
  /** Each from its own least value, 0, to its own greatest, 255. */
  readonly bytes: Uint8Array[] = []
  /** How far apart these values are. */
  readonly #spans: number[] = []

  /** Takes the next map of a video, whose frames are `stride` apart. */
  add(given: MapTensor, time: number, stride: number): void {
    const map = given.dtype === 'uint8' ? { ...given, dtype: 'float32' as const, data: Float32Array.from(given.data, (byte) => byte / 255) } : given
    const { data, height, width } = checkMap(map, 0)
    const size = keptSize([height, width])
    if (this.times.length === 0) this.size = size
    else if (size[0] !== this.size[0] || size[1] !== this.size[1])
      throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `'maps' must be maps of one size, but one of ${height}×${width} came after others.`, {
        argument: 'maps',
      })
    checkMapBytes(this.times.length + 1, [height, width], stride)
    const small = resized(data, [height, width], size)
    const [least, greatest] = extremes(small)
    const span = greatest - least
    this.times.push(time)
    this.confidence.push(confidence(map))
    this.focus.push(focalPoint(map))
    this.peaks.push(peaks(map, { count: peakCount }))
    this.#spans.push(span)
    this.bytes.push(Uint8Array.from(small, (value) => (span > 0 ? Math.round((255 * (value - least)) / span) : 0)))
  }

  /** The level of each map's greatest value, where 1 is as far above a map's least as any of the video goes. */
  get levels(): number[] {
    const range = this.#spans.reduce((a, b) => Math.max(a, b), leastRange)
    return this.#spans.map((span) => span / range)
  }
}
