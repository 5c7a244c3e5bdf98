import { expect, test } from 'vitest'
import { RegionTracks } from '../../lib/attention/region-tracks.ts'

const box = (x: number, mass = 0.25, width = 0.1) => ({ x, y: 0.4, width, height: 0.1, mass })
const sight = (second: number, shot = 0) => ({ frame: 10 * second, time: second, from: second, to: second + 1, shot })

/** Tracks of boxes, a list of them a second. */
function follow(seconds: readonly (readonly ReturnType<typeof box>[])[], shots: readonly number[] = [], count = 10) {
  const tracks = new RegionTracks(count)
  for (const [i, boxes] of seconds.entries()) tracks.see(boxes, sight(i, shots[i]))
  return tracks.end()
}

test('two regions that move are two, whatever the order of their boxes', () => {
  const found = follow([
    [box(0.1, 0.3), box(0.7)],
    [box(0.69), box(0.13, 0.4)],
    [box(0.16, 0.3), box(0.68)],
  ])
  expect(found).toMatchObject([
    { start: 0, end: 3, seconds: 3, dwell: 1, best: { frame: 10, time: 1, box: { mass: 0.4 } } },
    { start: 0, end: 3, seconds: 3, dwell: 0.75 },
  ])
  // The mean of the middles, weighted by what they held.
  expect(found[0]!.x / found[0]!.dwell).toBeCloseTo((0.3 * 0.15 + 0.4 * 0.18 + 0.3 * 0.21) / 1)
  expect(found[0]!.y / found[0]!.dwell).toBeCloseTo(0.45)
})

test('one that jumps is another, one that grows is not', () => {
  expect(follow([[box(0.1)], [box(0.5)]])).toHaveLength(2)
  expect(follow([[box(0.1)], [box(0.02, 0.25, 0.4)], [box(0.3)]])).toHaveLength(1)
})

test('where two boxes are like a region, the more alike goes on', () => {
  const found = follow([[box(0.3)], [box(0.34), box(0.31)]])
  expect(found.map(({ start, seconds }) => [start, seconds])).toEqual([
    [0, 2],
    [1, 1],
  ])
})

test('a gap of a second is none, a longer one and a new shot are an end', () => {
  expect(follow([[box(0.1)], [], [box(0.1)]])).toMatchObject([{ start: 0, end: 3, seconds: 2 }])
  expect(follow([[box(0.1)], [], [], [box(0.1)]])).toHaveLength(2)
  expect(follow([[box(0.1)], [box(0.1)]], [0, 1])).toHaveLength(2)
})

test('those that held most are kept', () => {
  const found = follow(
    Array.from({ length: 9 }, (_, i) => [box(i / 10, (i + 1) / 10)]),
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
    3,
  )
  expect(found.map(({ dwell }) => dwell.toFixed(1))).toEqual(['0.9', '0.8', '0.7'])
})
