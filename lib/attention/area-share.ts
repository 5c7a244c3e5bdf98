/** How much of each row or column lies within a range of them, 0 to 1. */
function cover(from: number, to: number, count: number): { readonly first: number; readonly shares: Float64Array } {
  const first = Math.min(Math.floor(from), count - 1)
  const last = Math.min(Math.ceil(to), count)
  return { first, shares: Float64Array.from({ length: Math.max(last - first, 0) }, (_, i) => Math.min(first + i + 1, to) - Math.max(first + i, from)) }
}

/**
 * The share of a map's sum that lies in a box: each of its pixels counts by the part of it that is inside. Of a map that is zero everywhere, the
 * box's share of the picture.
 *
 * @param box its edges as shares of width and height, 0 to 1
 * @param size [height, width] of the maps
 */
export function areaShare(
  box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  [height, width]: readonly [number, number],
): (map: Float32Array, sum: number) => number {
  const rows = cover(box.y * height, (box.y + box.height) * height, height)
  const columns = cover(box.x * width, (box.x + box.width) * width, width)
  return (map, sum) => {
    if (!(sum > 0)) return box.width * box.height
    let inside = 0
    for (const [i, down] of rows.shares.entries()) {
      const at = (rows.first + i) * width + columns.first
      let row = 0
      for (let j = 0; j < columns.shares.length; j++) row += columns.shares[j]! * map[at + j]!
      inside += down * row
    }
    return Math.min(inside / sum, 1)
  }
}
