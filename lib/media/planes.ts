/** A picture in three planes, as ffmpeg's yuv420p: brightness, then two of colour at half the size, a row after the other. */
export interface Planes {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

/** Bytes of a picture of {@link Planes}. */
export function planesBytes([height, width]: readonly [number, number]): number {
  return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2)
}

/** One plane of a picture. */
interface Plane {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

function planesOf({ data, width, height }: Planes): [Plane, Plane, Plane] {
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)]
  const light = width * height
  const colour = (from: number): Plane => ({ data: data.subarray(from, from + w * h), width: w, height: h })
  return [{ data: data.subarray(0, light), width, height }, colour(light), colour(light + w * h)]
}

/**
 * Cuts a window out of a picture. Where it begins between two pixels, each value is interpolated between four, so that a slow window
 * glides and does not go by steps.
 *
 * @param size [height, width] of the window, even; it lies in the picture
 */
export function cropPlanes(picture: Planes, { x, y }: { readonly x: number; readonly y: number }, [height, width]: readonly [number, number]): Uint8Array {
  const target = { data: new Uint8Array(planesBytes([height, width])), width, height }
  const to = planesOf(target)
  for (const [i, from] of planesOf(picture).entries()) cutPlane(from, to[i]!, i === 0 ? x : x / 2, i === 0 ? y : y / 2)
  return target.data
}

function cutPlane(from: Plane, to: Plane, x: number, y: number): void {
  const [left, top] = [Math.floor(x + 1e-6), Math.floor(y + 1e-6)]
  const across = tapsOf(x - left)
  const down = tapsOf(y - top)
  for (let row = 0; row < to.height; row++) {
    const target = to.data.subarray(row * to.width, (row + 1) * to.width)
    if (down === undefined) cutRow(from, target, Math.min(top + row, from.height - 1), left, across)
    else mixRows(from, target, top + row, left, down)
  }
}

function cutRow({ data, width }: Plane, target: Uint8Array, row: number, left: number, taps: Taps | undefined): void {
  const start = row * width
  if (taps === undefined) {
    const there = Math.min(target.length, width - left)
    target.set(data.subarray(start + left, start + left + there))
    target.fill(data[start + width - 1]!, there)
    return
  }
  const at = (column: number): number => data[start + Math.min(Math.max(column, 0), width - 1)]!
  const [a, b, c, d] = taps
  const [first, end] = [Math.min(Math.max(1 - left, 0), target.length), Math.min(Math.max(width - 2 - left, 0), target.length)]
  for (let i = 0; i < target.length; i++) {
    const p = start + left + i
    const value =
      i >= first && i < end
        ? a * data[p - 1]! + b * data[p]! + c * data[p + 1]! + d * data[p + 2]!
        : a * at(left + i - 1) + b * at(left + i) + c * at(left + i + 1) + d * at(left + i + 2)
    target[i] = value < 0 ? 0 : value > 255 ? 255 : value + 0.5
  }
}

function mixRows({ data, width, height }: Plane, target: Uint8Array, row: number, left: number, [a, b, c, d]: Taps): void {
  const start = (of: number): number => Math.min(Math.max(of, 0), height - 1) * width
  const [p, q, r, s] = [start(row - 1), start(row), start(row + 1), start(row + 2)]
  for (let i = 0; i < target.length; i++) {
    const column = Math.min(left + i, width - 1)
    const value = a * data[p + column]! + b * data[q + column]! + c * data[r + column]! + d * data[s + column]!
    target[i] = value < 0 ? 0 : value > 255 ? 255 : value + 0.5
  }
}

type Taps = readonly [number, number, number, number]

/** The weights of four neighbours for a place between the middle two (Catmull and Rom's cubic); undefined on a pixel. */
function tapsOf(t: number): Taps | undefined {
  if (Math.abs(t) < 1e-6) return undefined
  return [(((2 - t) * t - 1) * t) / 2, ((3 * t - 5) * t * t + 2) / 2, (((4 - 3 * t) * t + 1) * t) / 2, ((t - 1) * t * t) / 2]
}

/** Darkens a picture outside of a window, and draws the window's rim, in place. */
export function markWindow(picture: Planes, { x, y }: { readonly x: number; readonly y: number }, [height, width]: readonly [number, number]): void {
  const rim = Math.max(1, Math.round(picture.height / 240))
  for (const [i, plane] of planesOf(picture).entries()) {
    const scale = i === 0 ? 1 : 2
    const [left, right, top, bottom] = [x, x + width, y, y + height].map((edge) => Math.round(edge / scale)) as [number, number, number, number]
    const thick = Math.ceil(rim / scale)
    for (let row = 0; row < plane.height; row++) {
      for (let column = 0; column < plane.width; column++) {
        const at = row * plane.width + column
        const inside = column >= left && column < right && row >= top && row < bottom
        if (!inside) plane.data[at] = i === 0 ? 12 + 0.3 * plane.data[at]! : 128 + 0.3 * (plane.data[at]! - 128)
        else if (column < left + thick || column >= right - thick || row < top + thick || row >= bottom - thick) plane.data[at] = i === 0 ? 235 : 128
      }
    }
  }
}
