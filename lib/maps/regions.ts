import type { CheckedMap } from './map-input.ts'

/**
 * The regions of pixels that hang together by their sides or corners.
 *
 * @param joined whether pixel `to` belongs to the region that pixel `from` is in; both are neighbours, or the same pixel where a region
 * would begin
 */
export function* regions({ data, height, width }: CheckedMap, joined: (from: number, to: number) => boolean): Generator<readonly number[]> {
  const seen = new Uint8Array(data.length)
  for (let start = 0; start < data.length; start++) {
    if (seen[start] || !joined(start, start)) continue
    seen[start] = 1
    const region = [start]
    for (let next = 0; next < region.length; next++) {
      for (const neighbour of neighbours(region[next]!, height, width)) {
        if (seen[neighbour] || !joined(region[next]!, neighbour)) continue
        seen[neighbour] = 1
        region.push(neighbour)
      }
    }
    yield region
  }
}

/** The up to eight pixels around one. */
export function* neighbours(pixel: number, height: number, width: number): Generator<number> {
  const [x, y] = [pixel % width, Math.floor(pixel / width)]
  for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1); row++) {
    for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column++) {
      if (row !== y || column !== x) yield row * width + column
    }
  }
}
