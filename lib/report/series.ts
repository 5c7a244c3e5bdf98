/** [x, y]. A y that is no number is left out of a curve. */
export type Point = readonly [x: number, y: number]

/** How many neighbours a smoothed curve of `count` points averages; 1 where there are too few for one. */
export function smoothingSpan(count: number): number {
  return count < 20 ? 1 : Math.max(5, 2 * Math.round(count / 80) + 1)
}

/** The mean of the `span` points around each; at the ends, of those that there are. */
export function smoothed(points: readonly Point[], span: number): Point[] {
  const half = Math.floor(span / 2)
  const sums = [0]
  for (const [, y] of points) sums.push(sums.at(-1)! + y)
  return points.map(([x], i) => {
    const [from, to] = [Math.max(0, i - half), Math.min(points.length, i + half + 1)]
    return [x, (sums[to]! - sums[from]!) / (to - from)]
  })
}

/** At most about `most` of the points: of each group of neighbours the lowest and the highest, so that no peak is lost. */
export function thinned(points: readonly Point[], most: number): Point[] {
  if (points.length <= most) return [...points]
  const size = Math.ceil((2 * points.length) / most)
  const kept: Point[] = []
  for (let start = 0; start < points.length; start += size) {
    const group = points.slice(start, start + size)
    let [low, high] = [0, 0]
    group.forEach(([, y], i) => {
      if (y < group[low]![1]) low = i
      if (y > group[high]![1]) high = i
    })
    const chosen = new Set([low, high].sort((a, b) => a - b))
    // The last point is where a curve is now.
    if (start + size >= points.length) chosen.add(group.length - 1)
    for (const i of chosen) kept.push(group[i]!)
  }
  return kept
}

/** Those that can be drawn. */
export function finite(points: readonly Point[]): Point[] {
  return points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
}
