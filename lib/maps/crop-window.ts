import type { MapTensor } from '../metrics/metrics.ts'
import { checkNumber } from '../checks/options.ts'
import { readOptions } from '../checks/table.ts'
import type { MapBox } from './boxes.ts'
import { checkMap, massOf, placeTable, type PlaceOptions } from './map-input.ts'

/** Of the greatest mass, how much may be given up so that it lies in the middle. */
const givenUp = 0.01

/**
 * The largest window of an aspect that fits into the frame, where it holds most of the map. It goes from edge to edge one way; the other
 * way it is where Σ m inside is greatest, less at most a hundredth of the whole Σ m: of such places the one whose middle is nearest to
 * the mean place of what is inside; of those that are as near, the nearest to the frame's middle.
 *
 * @param map - not negative, (h, w), (1, h, w) or (1, 1, h, w)
 * @param aspect - width / height, 0.01 to 100: 9 / 16 for a telephone held upright
 * @param options - with `size`, the frame's, the window is in whole pixels; without, in shares, and the frame has the aspect of the map
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function cropWindow(map: MapTensor, aspect: number, options?: PlaceOptions): MapBox {
  const checked = checkMap(map, 0)
  checkNumber('aspect', aspect, 0.01, 100)
  const { size } = readOptions<PlaceOptions, typeof placeTable>('options', options, placeTable)
  const [height, width] = size ?? [checked.height, checked.width]
  const tall = aspect < width / height
  // Along the way that it can be moved: how long the frame and the window are, and the map's sums.
  const frame = tall ? width : height
  const wanted = tall ? height * aspect : width / aspect
  const length = size === undefined ? Math.min(wanted, frame) : Math.min(Math.max(Math.round(wanted), 1), frame)
  const sums = sumsAlong(checked, tall)
  const along = new Along(sums, frame)
  const start = along.best(length, size === undefined ? frame / (4 * sums.length) : 1, massOf(checked))
  const mass = massOf(checked) === 0 ? 0 : along.mass(start, start + length) / massOf(checked)
  const unit = size === undefined ? frame : 1
  const [from, extent] = [start / unit, length / unit]
  const [across, down] = size === undefined ? [1, 1] : [width, height]
  return tall ? { x: from, y: 0, width: extent, height: down, mass } : { x: 0, y: from, width: across, height: extent, mass }
}

function sumsAlong({ data, height, width }: { data: Float32Array | Float64Array; height: number; width: number }, tall: boolean): Float64Array {
  const sums = new Float64Array(tall ? width : height)
  for (let i = 0; i < data.length; i++) sums[tall ? i % width : Math.floor(i / width)]! += data[i]!
  return sums
}

/** Sums of a map's columns (or rows), spread evenly over a frame's length. */
class Along {
  readonly #before: Float64Array
  readonly #moments: Float64Array
  readonly #frame: number

  constructor(sums: Float64Array, frame: number) {
    this.#frame = frame
    this.#before = new Float64Array(sums.length + 1)
    this.#moments = new Float64Array(sums.length + 1)
    for (const [i, sum] of sums.entries()) {
      this.#before[i + 1] = this.#before[i]! + sum
      this.#moments[i + 1] = this.#moments[i]! + (sum * (i + 0.5) * frame) / sums.length
    }
  }

  mass(from: number, to: number): number {
    return this.#upTo(this.#before, to) - this.#upTo(this.#before, from)
  }

  /** Where a window of this length begins best, in steps of `step`. */
  best(length: number, step: number, whole: number): number {
    const free = this.#frame - length
    const count = Math.floor(free / step + 1e-9)
    const starts = Array.from({ length: count + 1 }, (_, i) => i * step)
    if (starts.at(-1)! < free) starts.push(free)
    const masses = starts.map((start) => this.mass(start, start + length))
    const enough = masses.reduce((a, b) => Math.max(a, b)) - givenUp * whole
    const places = starts.flatMap((start, i) => (masses[i]! < enough ? [] : [{ start, far: this.#offCentre(start, length, masses[i]!) }]))
    const nearest = places.reduce((least, { far }) => Math.min(least, far), Number.POSITIVE_INFINITY)
    const centred = places.filter(({ far }) => far <= nearest + 1e-6 * length)
    return centred.reduce((a, b) => (Math.abs(b.start - free / 2) < Math.abs(a.start - free / 2) ? b : a)).start
  }

  /** How far a window's middle is from the mean place of what lies in it; from the frame's middle where nothing does. */
  #offCentre(start: number, length: number, mass: number): number {
    const end = start + length
    const mean = mass > 0 ? (this.#upTo(this.#moments, end) - this.#upTo(this.#moments, start)) / mass : this.#frame / 2
    return Math.abs(start + length / 2 - mean)
  }

  /** A running sum at any place, between two of its own in proportion. */
  #upTo(sums: Float64Array, place: number): number {
    const at = Math.min((place / this.#frame) * (sums.length - 1), sums.length - 1)
    const below = Math.min(Math.floor(at), sums.length - 2)
    return sums[below]! + (sums[below + 1]! - sums[below]!) * (at - below)
  }
}
