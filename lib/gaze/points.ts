import { checkInteger, checkList, checkNumber, reading } from '../checks/options.ts'
import { invalidArgument, invalidArgumentText } from '../errors.ts'
import type { Tensor } from '../tensor.ts'

/** A place that someone looked at, in shares of the picture's width and height: (0, 0) is its upper left corner, (1, 1) its lower right one. */
export interface GazePoint {
  /** 0 at the left edge, 1 at the right one. */
  readonly x: number
  /** 0 at the upper edge, 1 at the lower one. */
  readonly y: number
  /** Who looked, as the file names them. */
  readonly viewer: string
}

/** How many deviations of a Gaussian are drawn: what is beyond is less than 3e-4 of its height. */
const reach = 4

/**
 * Adds Gaussians to a plane. There are tens of fixations in a map of a million pixels: drawing each is less work than any filter.
 */
export class Bells {
  readonly #sigma: number
  readonly #height: number
  readonly #width: number

  /** @param sigma The standard deviation in pixels. */
  constructor(height: number, width: number, sigma: number) {
    this.#sigma = sigma
    this.#height = height
    this.#width = width
  }

  /** Draws one of height 1 with its centre at (x, y), in pixels: whole numbers are the centres of pixels. What falls outside the plane is lost. */
  add(plane: Float64Array, x: number, y: number): void {
    const radius = reach * this.#sigma
    const columns = this.#profile(x, radius, this.#width)
    const rows = this.#profile(y, radius, this.#height)
    for (const [i, down] of rows.values.entries()) {
      const row = (rows.from + i) * this.#width + columns.from
      for (let j = 0; j < columns.values.length; j++) plane[row + j]! += down * columns.values[j]!
    }
  }

  #profile(centre: number, radius: number, length: number): { from: number; values: Float64Array } {
    const from = Math.max(0, Math.ceil(centre - radius))
    const to = Math.min(length - 1, Math.floor(centre + radius))
    const scale = 2 * this.#sigma * this.#sigma
    return { from, values: Float64Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => Math.exp(-((from + i - centre) ** 2) / scale)) }
  }
}

/** A plane scaled to a maximum of 1, in float32; zeros stay zeros. */
export function toUnits(plane: Float64Array): Float32Array {
  let most = 0
  for (const value of plane) if (value > most) most = value
  return most > 0 ? new Float32Array(plane.map((value) => value / most)) : new Float32Array(plane.length)
}

/**
 * The density of places that were looked at: D(p) = Σᵢ exp(−|p − pᵢ|² / 2σ²) over all of them, scaled to a maximum of 1. A place that is there twice
 * counts twice. What falls outside the picture is lost. Zeros where there is no place.
 *
 * @param points - x and y in shares of width and height
 * @param size - [height, width] of the map, in pixels
 * @param sigma - the Gaussian's standard deviation as a share of the width, the same in pixels down as across; about one degree of visual angle is usual
 * @returns float32 (H, W)
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function densityOfPoints(points: Iterable<Pick<GazePoint, 'x' | 'y'>>, size: readonly [number, number], sigma: number): Tensor<'float32'> {
  const [height, width] = checkPlane(size)
  const bells = new Bells(height, width, checkNumber('sigma', sigma, 1e-4, 10) * width)
  const plane = new Float64Array(height * width)
  for (const { x, y } of checked(points)) bells.add(plane, x * width - 0.5, y * height - 0.5)
  return { dtype: 'float32', shape: [height, width], data: toUnits(plane) }
}

/**
 * How often each pixel was looked at. Places outside the picture are left out; more than 255 on one pixel count as 255.
 *
 * @param points - x and y in shares of width and height; 1 is in the last pixel
 * @param size - [height, width] of the map, in pixels
 * @returns uint8 (H, W)
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function fixationMapOfPoints(points: Iterable<Pick<GazePoint, 'x' | 'y'>>, size: readonly [number, number]): Tensor<'uint8'> {
  const [height, width] = checkPlane(size)
  const data = new Uint8ClampedArray(height * width)
  for (const { x, y } of checked(points)) {
    if (!isInside({ x, y })) continue
    data[Math.min(height - 1, Math.floor(y * height)) * width + Math.min(width - 1, Math.floor(x * width))]! += 1
  }
  return { dtype: 'uint8', shape: [height, width], data: new Uint8Array(data.buffer) }
}

/** Whether a point is on the picture. */
export function isInside({ x, y }: Pick<GazePoint, 'x' | 'y'>): boolean {
  return x >= 0 && x <= 1 && y >= 0 && y <= 1
}

/** A finite number. */
export function checkFinite(argument: string, value: unknown): number {
  if (!Number.isFinite(value)) throw invalidArgument(argument, 'a finite number', value)
  return value as number
}

/** Refuses what is no place: x and y must be finite. */
function* checked(points: Iterable<Pick<GazePoint, 'x' | 'y'>>): Generator<Pick<GazePoint, 'x' | 'y'>> {
  const expected = 'a list of { x, y }'
  const iterable = reading('points', expected, () => typeof points?.[Symbol.iterator] === 'function')
  if (!iterable) throw invalidArgument('points', expected, points)
  let i = 0
  for (const point of points) {
    const argument = `points[${i++}]`
    yield reading(argument, 'an object with x and y', () => {
      const { x, y } = point ?? {}
      return { x: checkFinite(`${argument}.x`, x), y: checkFinite(`${argument}.y`, y) }
    })
  }
}

/** The most pixels of a map. */
const mostPixels = 8192 * 8192

function checkPlane(size: readonly [number, number]): readonly [number, number] {
  const given = checkList('size', size, '[height, width]', 2, 2)
  const [height, width] = [checkInteger('size[0]', given[0], 1, mostPixels), checkInteger('size[1]', given[1], 1, mostPixels)]
  if (height * width > mostPixels) throw invalidArgumentText('size', `at most ${mostPixels} pixels`, `${height} × ${width}`)
  return [height, width]
}
