import type { GazePoint } from '../gaze/points.ts'
import type { Random } from '../random/random.ts'

/** A part of a picture, in shares of its width and height. */
export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** How pixel values are changed: v ↦ (v · gain[channel] + lift), for v from 0 to 1, to the power of gamma. */
export interface Light {
  readonly gain: readonly [number, number, number]
  readonly lift: number
  readonly gamma: number
}

/**
 * How a clip looks at its source: what each frame shows of it, whether mirrored, in which light, and how much of the frame is left to
 * black bars. Map and fixations are moved with the picture.
 */
export interface View {
  /** What each frame shows. */
  readonly boxes: readonly Box[]
  readonly mirrored: boolean
  readonly light: Light | undefined
  /** Shares of height and width that are black: a bar above and one below, or one at each side, each of whole pixels. */
  readonly bars: { readonly rows: number; readonly columns: number }
}

/** The whole picture. */
const whole: Box = { left: 0, top: 0, width: 1, height: 1 }

/** The source as it is. */
export function plainView(clipLength: number): View {
  return { boxes: Array.from({ length: clipLength }, () => whole), mirrored: false, light: undefined, bars: { rows: 0, columns: 0 } }
}

/** How often a clip is changed in each way. */
const shares = { mirrored: 0.5, cropped: 0.7, lit: 0.7, barred: 0.1 }

/**
 * Draws how a clip looks at its source: mirrored in half of all clips, most often cropped a little and in another light, at times
 * between black bars.
 *
 * @param moving whether a slow camera goes over the source: it pans and zooms from one box to another
 * @param aspect how much wider the source is than the frames; a crop makes up for a part of it, so that shapes are stretched less
 */
export function drawView(random: Random, clipLength: number, moving: boolean, aspect: number): View {
  const mirrored = random.chance(shares.mirrored)
  const first = random.chance(shares.cropped) || moving ? drawBox(random, aspect ** random.next()) : whole
  const last = moving ? towards(random, first, clipLength) : first
  const boxes = Array.from({ length: clipLength }, (_, t) => between(first, last, clipLength > 1 ? t / (clipLength - 1) : 0))
  const light = random.chance(shares.lit) ? drawLight(random) : undefined
  const bar = random.chance(shares.barred) ? random.uniform(0.05, 0.3) : 0
  const upright = random.chance(0.5)
  return { boxes, mirrored, light, bars: { rows: upright ? 0 : bar, columns: upright ? bar : 0 } }
}

/** A box of at least 0.65 of the picture's sides but for its shape, anywhere in it. */
function drawBox(random: Random, aspect: number): Box {
  const side = random.uniform(0.65, 1)
  const stretch = Math.exp(random.uniform(-0.08, 0.08))
  const width = Math.min(1, side * Math.min(1, stretch / aspect))
  const height = Math.min(1, side * Math.min(1, aspect / stretch))
  return { left: random.uniform(0, 1 - width), top: random.uniform(0, 1 - height), width, height }
}

/** Where a camera that begins at a box gets in a clip: up to 1.5 % of the picture a frame, as hands and tripods do it. */
function towards(random: Random, { left, top, width, height }: Box, clipLength: number): Box {
  const reach = 0.015 * clipLength
  const zoom = Math.exp(random.uniform(-reach, reach))
  const [wide, high] = [Math.min(1, width * zoom), Math.min(1, height * zoom)]
  const moved = (at: number, from: number, to: number) => clamp(at + (from - to) / 2 + random.uniform(-reach, reach), 0, 1 - to)
  return { left: moved(left, width, wide), top: moved(top, height, high), width: wide, height: high }
}

function between(from: Box, to: Box, share: number): Box {
  const mix = (a: number, b: number) => a + (b - a) * share
  return { left: mix(from.left, to.left), top: mix(from.top, to.top), width: mix(from.width, to.width), height: mix(from.height, to.height) }
}

function drawLight(random: Random): Light {
  const gain = Math.exp(random.uniform(-0.3, 0.3))
  const tint = () => gain * Math.exp(random.uniform(-0.08, 0.08))
  return { gain: [tint(), tint(), tint()], lift: random.uniform(-0.08, 0.08), gamma: Math.exp(random.uniform(-0.25, 0.25)) }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}

/** The pixels of a frame that a bar above takes, and one at its left. */
function barPixels({ bars }: View, [height, width]: readonly [number, number]): [number, number] {
  return [Math.round((bars.rows * height) / 2), Math.round((bars.columns * width) / 2)]
}

/**
 * Where the points of a source are in a view's frame `t`; those that it does not show are left out.
 *
 * @param size [height, width] of the frame
 */
export function viewedPoints(points: readonly GazePoint[], view: View, t: number, size: readonly [number, number]): GazePoint[] {
  const { left, top, width, height } = view.boxes[t]!
  const [above, beside] = barPixels(view, size)
  const [rows, columns] = [above / size[0], beside / size[1]]
  return points.flatMap((point) => {
    const [u, v] = [(point.x - left) / width, (point.y - top) / height]
    if (u < 0 || u > 1 || v < 0 || v > 1) return []
    const x = view.mirrored ? 1 - u : u
    return [{ ...point, x: columns + x * (1 - 2 * columns), y: rows + v * (1 - 2 * rows) }]
  })
}

/** Bytes in rows of pixels. */
export interface Plane {
  readonly height: number
  readonly width: number
  /** 3 of RGB, 1 of a map. */
  readonly channels: number
  readonly data: Uint8Array
}

/**
 * Draws what a view's frame `t` shows of a source, between its bars, by bilinear interpolation.
 *
 * @param size [height, width] of `into`, which has the source's channels
 */
export function drawViewed(source: Plane, view: View, t: number, size: readonly [number, number], into: Uint8Array): void {
  const [height, width] = size
  const { channels, data } = source
  const { boxes, mirrored, light } = view
  const { left, top, width: wide, height: high } = boxes[t]!
  const [above, beside] = barPixels(view, size)
  const [rows, columns] = [height - 2 * above, width - 2 * beside]
  const across = taps(columns, source.width, left, wide, mirrored)
  const down = taps(rows, source.height, top, high, false)
  const table = light && channels === 3 ? light.gain.map((gain) => lightTable(gain, light)) : undefined
  into.fill(0)
  for (let y = 0; y < rows; y++) {
    const [upper, lower] = [down.first[y]! * source.width, down.second[y]! * source.width]
    const v = down.share[y]!
    let at = ((above + y) * width + beside) * channels
    for (let x = 0; x < columns; x++) {
      const u = across.share[x]!
      const [near, far] = [across.first[x]!, across.second[x]!]
      for (let c = 0; c < channels; c++, at++) {
        const one = data[(upper + near) * channels + c]! * (1 - u) + data[(upper + far) * channels + c]! * u
        const other = data[(lower + near) * channels + c]! * (1 - u) + data[(lower + far) * channels + c]! * u
        const value = Math.round(one + (other - one) * v)
        into[at] = table ? table[c]![value]! : value
      }
    }
  }
}

/** For each pixel of a side, the two of the source between which its centre lies, and the second one's share. */
function taps(count: number, length: number, from: number, share: number, mirrored: boolean): { first: Uint32Array; second: Uint32Array; share: Float64Array } {
  const made = { first: new Uint32Array(count), second: new Uint32Array(count), share: new Float64Array(count) }
  for (let i = 0; i < count; i++) {
    const along = (i + 0.5) / count
    const centre = clamp((from + share * (mirrored ? 1 - along : along)) * length - 0.5, 0, length - 1)
    const first = Math.min(Math.floor(centre), length - 1)
    made.first[i] = first
    made.second[i] = Math.min(first + 1, length - 1)
    made.share[i] = centre - first
  }
  return made
}

/** What a byte becomes in a light. */
function lightTable(gain: number, { lift, gamma }: Light): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => Math.round(255 * clamp((byte / 255) * gain + lift, 0, 1) ** gamma))
}
