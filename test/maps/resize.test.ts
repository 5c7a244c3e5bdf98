import { expect, test } from 'vitest'
import { maps } from '../../lib/index.ts'

const map = (height: number, width: number, value: (x: number, y: number) => number) =>
  ({
    dtype: 'float32',
    shape: [1, 1, height, width],
    data: Float32Array.from({ length: height * width }, (_, i) => value(i % width, Math.floor(i / width))),
  }) as const

test('at its own size it is as it was', () => {
  const own = map(5, 7, (x, y) => Math.sin(x * 3 + y))
  const { shape, data } = maps.resize(own, [5, 7])
  expect(shape).toEqual([5, 7])
  for (const [i, value] of data.entries()) expect(value).toBeCloseTo(own.data[i]!, 6)
})

test('growing is bilinear between the middles of pixels, and level beyond the outermost', () => {
  expect(
    [
      ...maps.resize(
        map(1, 2, (x) => x),
        [1, 8],
      ).data,
    ].map((value) => Math.round(value * 1e6) / 1e6),
  ).toEqual([0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1])
})

test('a plane stays a plane inside', () => {
  const { data } = maps.resize(
    map(10, 12, (x, y) => 2 * (x + 0.5) + 5 * (y + 0.5)),
    [37, 61],
  )
  for (const [x, y] of [
    [10, 10],
    [30, 18],
    [50, 30],
  ] as const) {
    expect(data[y * 61 + x]).toBeCloseTo((2 * (x + 0.5) * 12) / 61 + (5 * (y + 0.5) * 10) / 37, 4)
  }
})

test('shrinking takes all pixels in: the mean of a map is kept', () => {
  // A half of the size: the triangle's weights are 1, 3, 3, 1 of 8.
  expect([
    ...maps.resize(
      map(1, 8, (x) => (x === 3 ? 8 : 0)),
      [1, 4],
    ).data,
  ]).toEqual([0, 3, 1, 0].map((value) => expect.closeTo(value, 5) as number))
  const fine = map(64, 96, (x, y) => ((x * 7 + y * 13) % 11) / 11)
  const mean = (data: Float32Array) => data.reduce((a, b) => a + b) / data.length
  expect(mean(maps.resize(fine, [8, 12]).data)).toBeCloseTo(mean(fine.data), 2)
})

test('one pixel becomes all', () => {
  expect([
    ...maps.resize(
      map(1, 1, () => 0.5),
      [2, 3],
    ).data,
  ]).toEqual(Array(6).fill(0.5))
})
