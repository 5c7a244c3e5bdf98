/** Rows and columns that a frame is reduced to: noise and small movements are gone, what a scene looks like is left. */
const [mostRows, mostColumns] = [18, 32]

/** A frame as small as it need be to compare it: RGB, 0 to 255. */
export interface SmallPicture {
  readonly rows: number
  readonly columns: number
  readonly data: Float32Array
  /** The mean of all values, 0 to 255. */
  readonly light: number
}

/** The means of RGB pixels over the cells of a grid. */
export function smallPicture(pixels: Uint8Array, [height, width]: readonly [number, number]): SmallPicture {
  const [rows, columns] = [Math.min(mostRows, height), Math.min(mostColumns, width)]
  const data = new Float32Array(rows * columns * 3)
  const counts = new Uint32Array(rows * columns)
  const cellOf = Uint16Array.from({ length: width }, (_, x) => Math.floor((x * columns) / width))
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * rows) / height) * columns
    for (let x = 0; x < width; x++) {
      const [cell, at] = [row + cellOf[x]!, 3 * (y * width + x)]
      counts[cell]! += 1
      for (let c = 0; c < 3; c++) data[3 * cell + c]! += pixels[at + c]!
    }
  }
  let sum = 0
  for (let i = 0; i < data.length; i++) {
    data[i]! /= counts[Math.floor(i / 3)]!
    sum += data[i]!
  }
  return { rows, columns, data, light: sum / data.length }
}

/** How much two pictures differ: the mean of |a − b|, 0 to 255. */
export function difference(a: SmallPicture, b: SmallPicture): number {
  return shifted(a, b, 0, 0)
}

/**
 * How much two pictures differ beyond what a moving camera and a changing light explain: the least difference over shifts of up to a quarter of
 * the frame, and with the darker one made as light as the other (or, of light ones, the lighter as dark, as in a fade to white).
 */
export function change(a: SmallPicture, b: SmallPicture): number {
  let least = Math.min(difference(a, b), relit(a, b, 0), Math.min(a.light, b.light) > 128 ? relit(a, b, 255) : Number.POSITIVE_INFINITY)
  const [down, across] = [Math.floor(a.rows / 4), Math.floor(a.columns / 4)]
  for (let y = -down; y <= down; y++) for (let x = -across; x <= across; x++) least = Math.min(least, shifted(a, b, y, x))
  return least
}

/** The mean difference where both are when `b` is moved. */
function shifted(a: SmallPicture, b: SmallPicture, down: number, across: number): number {
  const { rows, columns } = a
  const [top, bottom] = [Math.max(0, -down), Math.min(rows, rows - down)]
  const [left, right] = [Math.max(0, -across), Math.min(columns, columns - across)]
  let sum = 0
  for (let y = top; y < bottom; y++) {
    const [from, other] = [3 * (y * columns + left), 3 * ((y + down) * columns + left + across)]
    for (let i = 0; i < 3 * (right - left); i++) sum += Math.abs(a.data[from + i]! - b.data[other + i]!)
  }
  return sum / (3 * (bottom - top) * (right - left))
}

/** A light that is this many times the other's is no fade between two frames. */
const mostRelit = 8

/** The mean difference of their distances to `from`, black or white, when those of the nearer one are made as great on the average. */
function relit(a: SmallPicture, b: SmallPicture, from: 0 | 255): number {
  const [near, far] = Math.abs(a.light - from) < Math.abs(b.light - from) ? [a, b] : [b, a]
  const gain = Math.abs(far.light - from) / Math.abs(near.light - from)
  if (!(gain <= mostRelit)) return Number.POSITIVE_INFINITY
  let sum = 0
  for (let i = 0; i < a.data.length; i++) sum += Math.abs(Math.abs(far.data[i]! - from) - gain * Math.abs(near.data[i]! - from))
  return sum / a.data.length
}
