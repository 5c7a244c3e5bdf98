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
  const still = Math.min(difference(a, b), relit(a, b, 0), Math.min(a.light, b.light) > 128 ? relit(a, b, 255) : Number.POSITIVE_INFINITY)
  return Math.min(
    still,
    leastShifted(a, (y, x) => shifted(a, b, y, x)),
  )
}

/** The least of what is told of shifts of up to a quarter of the frame. */
function leastShifted({ rows, columns }: SmallPicture, told: (down: number, across: number) => number): number {
  const [down, across] = [Math.floor(rows / 4), Math.floor(columns / 4)]
  let least = Number.POSITIVE_INFINITY
  for (let y = -down; y <= down; y++) for (let x = -across; x <= across; x++) least = Math.min(least, told(y, x))
  return least
}

/** The rows and columns of a picture that another one, moved, lies over. */
function common({ rows, columns }: SmallPicture, down: number, across: number) {
  return { top: Math.max(0, -down), bottom: Math.min(rows, rows - down), left: Math.max(0, -across), right: Math.min(columns, columns - across) }
}

/** The mean difference where both are when `b` is moved. */
function shifted(a: SmallPicture, b: SmallPicture, down: number, across: number): number {
  const { columns } = a
  const { top, bottom, left, right } = common(a, down, across)
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

/** Scales of a camera that comes nearer or goes back. */
const zooms = [1, 1.15, 1.3, 1.5, 1 / 1.15, 1 / 1.3, 1 / 1.5]

/**
 * How much two pictures differ, 0 to 255, beyond what a camera that moves and zooms and a light of any strength explain: the least over shifts of up to a quarter
 * of the frame and scales of up to 1.5 of what remains of the livelier picture when the other one, times a gain and plus an offset, is taken from it.
 */
export function unexplained(a: SmallPicture, b: SmallPicture): number {
  const remainders = zooms.map((zoom) => {
    // The one that shows less is made smaller, so that no detail is made up.
    const [one, other] = zoom >= 1 ? [zoomed(a, zoom), b] : [zoomed(b, 1 / zoom), a]
    return leastShifted(a, (y, x) => remainder(one, other, y, x))
  })
  return Math.min(...remainders)
}

/** The middle of a picture, at its whole size. */
function zoomed({ rows, columns, data, light }: SmallPicture, zoom: number): SmallPicture {
  const made = new Float32Array(data.length)
  const from = (i: number, length: number): readonly [number, number] => {
    const at = (i + 0.5 - length / 2) / zoom + length / 2 - 0.5
    return [Math.floor(at), at - Math.floor(at)]
  }
  const value = (y: number, x: number, c: number): number =>
    data[3 * (Math.min(Math.max(y, 0), rows - 1) * columns + Math.min(Math.max(x, 0), columns - 1)) + c]!
  for (let y = 0; y < rows; y++) {
    const [top, below] = from(y, rows)
    for (let x = 0; x < columns; x++) {
      const [left, right] = from(x, columns)
      for (let c = 0; c < 3; c++) {
        made[3 * (y * columns + x) + c] =
          (1 - below) * ((1 - right) * value(top, left, c) + right * value(top, left + 1, c)) +
          below * ((1 - right) * value(top + 1, left, c) + right * value(top + 1, left + 1, c))
      }
    }
  }
  return { rows, columns, data: made, light }
}

/** What is left of the livelier picture by a line through the other's values, where both are when `b` is moved: about the mean of the distances. */
function remainder(a: SmallPicture, b: SmallPicture, down: number, across: number): number {
  const { columns } = a
  const { top, bottom, left, right } = common(a, down, across)
  let [sumA, sumB, squareA, squareB, product] = [0, 0, 0, 0, 0]
  for (let y = top; y < bottom; y++) {
    const [from, other] = [3 * (y * columns + left), 3 * ((y + down) * columns + left + across)]
    for (let i = 0; i < 3 * (right - left); i++) {
      const [p, q] = [a.data[from + i]!, b.data[other + i]!]
      sumA += p
      sumB += q
      squareA += p * p
      squareB += q * q
      product += p * q
    }
  }
  const count = 3 * (bottom - top) * (right - left)
  const [spreadA, spreadB, together] = [
    squareA / count - (sumA / count) ** 2,
    squareB / count - (sumB / count) ** 2,
    product / count - (sumA * sumB) / count ** 2,
  ]
  const most = Math.max(spreadA, spreadB)
  const explained = spreadA > 0 && spreadB > 0 && together > 0 ? together ** 2 / (spreadA * spreadB) : 0
  return 0.8 * Math.sqrt(most * (1 - Math.min(explained, 1)))
}

/** A picture that is so bright at least that what is in it is seen: one of a fade is told from others by it. */
export function brightened(picture: SmallPicture, light = 96): SmallPicture {
  const { light: own, data } = picture
  if (own === 0 || own === 255 || (own >= light && own <= 255 - light)) return picture
  const [from, gain] = own < light ? [0, light / own] : [255, light / (255 - own)]
  return { ...picture, light: from + gain * (own - from), data: data.map((value) => from + gain * (value - from)) }
}
