import { expect, test } from 'vitest'
import { maps } from '../../lib/index.ts'
import { runningOf } from '../../lib/maps/running-range.ts'
import { bytesOf, greyLevels, levelScale } from '../../lib/maps/scale.ts'

const map = (...values: number[]): Float32Array => Float32Array.from(values)
const bytes = (scale: Parameters<typeof levelScale>[0], ...of: Float32Array[]): number[][] => {
  const one = levelScale(scale)
  return of.map((values) => [...bytesOf(one.levels(values))])
}

test('each map from its own least to its greatest, if that is asked for', () => {
  expect(bytes('each', map(0.2, 0.25, 0.4), map(1e-6, 1.5e-6, 3e-6))).toEqual([
    [0, 64, 255],
    [0, 64, 255],
  ])
  expect(bytes('each', map(0.5, 0.5))).toEqual([[0, 0]])
})

test('a fixed range, and what is outside of it', () => {
  expect(bytes([0, 1], map(-1, 0.2, 1, 5))).toEqual([[0, 51, 255, 255]])
  expect(bytes([0.5, 0.75], map(0.5, 0.625, 0.75))).toEqual([[0, 128, 255]])
})

test('of a video, the same height is the same level from the liveliest map on', () => {
  const [quiet, lively, again] = bytes('video', map(0.25, 0.375, 0.75), map(0, 0.25, 1), map(0.25, 0.375, 0.75))
  expect(quiet).toEqual([0, 64, 255])
  expect(lively).toEqual([0, 64, 255])
  expect(again).toEqual([0, 32, 128])
})

test.each([
  ['a map whose greatest is 3e-6', map(0, 1.5e-6, 3e-6)],
  ['a flat map', map(0.7, 0.7, 0.7)],
  ['zeros', map(0, 0, 0)],
  ['a high map with the noise of float32', map(0.5, 0.5 + 2 ** -24, 0.5 + 2 ** -23)],
])('%s is cold by default', (_, values) => {
  expect([...greyLevels(values)]).toEqual([0, 0, 0])
})

test("a running range of one's own is as the default of a video", () => {
  const of = (...data: number[]) => ({ dtype: 'float32', shape: [1, data.length], data: map(...data) }) as const
  const range = new maps.RunningRange()
  expect(range.range).toBe(0.1)
  range.meet(of(0.25, 0.75))
  expect(range.range).toBe(0.5)
  range.meet(of(0, 0.125))
  expect(range.range).toBe(0.5)
  expect([...runningOf(range)!.levels(map(0, 0.25))]).toEqual([0, 0.5])
  expect(runningOf({ levels: () => undefined })).toBe(undefined)
})
