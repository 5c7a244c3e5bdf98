import { expect, test } from 'vitest'
import { finite, smoothed, smoothingSpan, thinned, type Point } from '../../lib/report/series.ts'

const line = (count: number, y: (i: number) => number): Point[] => Array.from({ length: count }, (_, i) => [i + 1, y(i)])

test('smoothing is the mean of the neighbours, and of those that there are at the ends', () => {
  expect(
    smoothed(
      line(5, (i) => i * i),
      3,
    ),
  ).toEqual([
    [1, 0.5],
    [2, 5 / 3],
    [3, 14 / 3],
    [4, 29 / 3],
    [5, 12.5],
  ])
  expect(
    smoothed(
      line(4, () => 7),
      3,
    ).map(([, y]) => y),
  ).toEqual([7, 7, 7, 7])
  expect(
    smoothed(
      line(3, (i) => i),
      1,
    ),
  ).toEqual(line(3, (i) => i))
})

test('few points are not smoothed, many over an odd number', () => {
  expect([1, 19, 20, 1000, 80_000].map(smoothingSpan)).toEqual([1, 1, 5, 27, 2001])
})

test('thinning keeps every peak, the order and the last point', () => {
  const noisy = line(10_000, (i) => (i === 5123 ? 99 : i === 777 ? -99 : Math.sin(i)))
  const few = thinned(noisy, 500)
  expect(few.length).toBeLessThan(510)
  expect(few).toContainEqual([5124, 99])
  expect(few).toContainEqual([778, -99])
  expect(few.at(-1)).toEqual(noisy.at(-1))
  expect(few.map(([x]) => x)).toEqual(few.map(([x]) => x).toSorted((a, b) => a - b))
  expect(
    thinned(
      line(5, (i) => i),
      500,
    ),
  ).toEqual(line(5, (i) => i))
})

test('what cannot be drawn is left out', () => {
  expect(
    finite([
      [1, 2],
      [2, Number.NaN],
      [3, Number.POSITIVE_INFINITY],
      [4, 5],
    ]),
  ).toEqual([
    [1, 2],
    [4, 5],
  ])
})
