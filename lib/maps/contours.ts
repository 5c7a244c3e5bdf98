/**
 * How far each pixel is from the nearest line on which the levels have one of some values: |level − value| over the slope there, in
 * pixels. Infinite where it is flat, and no line can be told.
 */
export function contourDistances(levels: Float32Array, [height, width]: readonly [number, number], values: readonly number[]): Float32Array {
  const flat = 0.02 / Math.max(height, width)
  const distances = new Float32Array(levels.length)
  for (let y = 0; y < height; y++) {
    const [above, below] = [Math.max(y - 1, 0), Math.min(y + 1, height - 1)]
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(x - 1, 0), Math.min(x + 1, width - 1)]
      const across = (levels[y * width + right]! - levels[y * width + left]!) / Math.max(right - left, 1)
      const down = (levels[below * width + x]! - levels[above * width + x]!) / Math.max(below - above, 1)
      const slope = Math.hypot(across, down)
      const level = levels[y * width + x]!
      let nearest = Number.POSITIVE_INFINITY
      for (const value of values) nearest = Math.min(nearest, Math.abs(level - value))
      distances[y * width + x] = slope > flat ? nearest / slope : Number.POSITIVE_INFINITY
    }
  }
  return distances
}

/** How much of a pixel a line covers that is `width` pixels wide, 0 to 1. */
export function lineCover(distance: number, width: number): number {
  return Math.min(Math.max(width / 2 + 0.5 - distance, 0), 1)
}
