/**
 * A map's values on 0 … `top` as integers, its own minimum at 0 and its own maximum at `top`: how high a saliency map is in all says
 * little, where it is high says much. A flat map is 0 everywhere.
 */
export function minMaxScaled<A extends Uint8Array | Uint16Array>(map: Float32Array, top: number, scaled: A): A {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let i = 0; i < map.length; i++) {
    const value = map[i]!
    if (value < min) min = value
    if (value > max) max = value
  }
  const scale = max > min ? top / (max - min) : 0
  // The array truncates, and no value is negative: half a step more is rounding.
  for (let i = 0; i < map.length; i++) scaled[i] = (map[i]! - min) * scale + 0.5
  return scaled
}

/** A map on 0 … 255, as {@link minMaxScaled}. */
export function minMaxGrey(map: Float32Array): Uint8Array {
  return minMaxScaled(map, 255, new Uint8Array(map.length))
}
