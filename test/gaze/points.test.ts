import { expect, test } from 'vitest'
import { densityOfPoints, fixationMapOfPoints } from '../../lib/gaze/points.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

/** The equation itself, pixel by pixel, without the cut at four deviations. */
function expected(points: readonly { x: number; y: number }[], [height, width]: readonly [number, number], sigma: number): number[] {
  const plane = Array.from({ length: height * width }, (_, at) => {
    const [px, py] = [(at % width) + 0.5, Math.floor(at / width) + 0.5]
    return points.reduce((sum, { x, y }) => sum + Math.exp(-((px - x * width) ** 2 + (py - y * height) ** 2) / (2 * (sigma * width) ** 2)), 0)
  })
  const most = Math.max(...plane)
  return plane.map((value) => value / most)
}

test('a density is the sum of Gaussians, as wide down as across, with what is there twice counted twice', () => {
  const points = [
    { x: 0.3, y: 0.21 },
    { x: 0.3, y: 0.21 },
    { x: 0.82, y: 0.5 },
    { x: 0, y: 1 },
    { x: 1.02, y: 0.4 },
  ]
  const size = [12, 20] as const
  const { dtype, shape, data } = densityOfPoints(points, size, 0.08)
  expect({ dtype, shape }).toEqual({ dtype: 'float32', shape: [12, 20] })
  for (const [at, value] of expected(points, size, 0.08).entries()) expect(Math.abs(data[at]! - value)).toBeLessThan(5e-4)
  expect(Math.max(...data)).toBe(1)
})

test('a point in the middle of a pixel is the middle of its Gaussian', () => {
  const { data } = densityOfPoints([{ x: 2.5 / 8, y: 1.5 / 4 }], [4, 8], 1 / 8)
  expect(data[8 + 2]).toBe(1)
  for (const near of [1, 3]) expect(data[8 + near]).toBeCloseTo(Math.exp(-0.5), 6)
  for (const near of [0, 2]) expect(data[8 * near + 2]).toBeCloseTo(Math.exp(-0.5), 6)
})

test('without points, or with all far outside, there is nothing', () => {
  for (const points of [[], [{ x: 40, y: -7 }]]) expect([...densityOfPoints(points, [3, 5], 0.1).data]).toEqual(Array(15).fill(0))
})

test('a fixation map counts, has the edges in it, and stops at 255', () => {
  const points = [
    { x: 0, y: 0 },
    { x: 1, y: 1 },
    { x: 0.999, y: 0.999 },
    { x: 0.25, y: 0.5 },
    { x: 1.001, y: 0.5 },
    { x: 0.5, y: -0.001 },
  ]
  const { dtype, shape, data } = fixationMapOfPoints(points, [2, 4])
  expect({ dtype, shape, data: [...data] }).toEqual({ dtype: 'uint8', shape: [2, 4], data: [1, 0, 0, 0, 0, 1, 0, 2] })
  expect(
    fixationMapOfPoints(
      Array.from({ length: 300 }, () => ({ x: 0.5, y: 0.5 })),
      [1, 1],
    ).data[0],
  ).toBe(255)
})

test.each<[string, () => unknown, string]>([
  [
    'a point without a number',
    () =>
      densityOfPoints(
        [
          { x: 0.1, y: 0.1 },
          { x: Number.NaN, y: 0 },
        ],
        [2, 2],
        0.1,
      ),
    'points[1].x',
  ],
  ['an endless point', () => fixationMapOfPoints([{ x: 0, y: -Infinity }], [2, 2]), 'points[0].y'],
  ['no point', () => fixationMapOfPoints([null as never], [2, 2]), 'points[0].x'],
  [
    'a point that throws',
    () => densityOfPoints([Object.defineProperty({ x: 0 }, 'y', { get: () => JSON.parse('') as number }) as never], [2, 2], 0.1),
    'points[0]',
  ],
  ['no list', () => densityOfPoints(3 as never, [2, 2], 0.1), 'points'],
  ['a width of nothing', () => densityOfPoints([], [2, 0], 0.1), 'size[1]'],
  ['no size', () => fixationMapOfPoints([], undefined as never), 'size'],
  ['more pixels than memory is for', () => densityOfPoints([], [100_000, 100_000], 0.1), 'size'],
  ['sigma in pixels', () => densityOfPoints([], [2, 2], 30), 'sigma'],
])('%s is refused by its name', async (_, make, argument) => {
  expect((await expectDiffSalError(make, 'ERR_DIFFSAL_INVALID_ARGUMENT')).argument).toBe(argument)
})
