import { expect, test } from 'vitest'
import { Standings } from '../../lib/attention/standing.ts'

/** The times for which each map stands: maps of every n-th frame of a video with these times and shots. */
function standings(times: readonly number[], stride: number, end: number, shots?: readonly number[]): [map: number, from: number, to: number][] {
  const all = new Standings<number>()
  const found: [number, number, number][] = []
  const take = (one: { map: number; from: number; to: number } | undefined): void => void (one && found.push([one.map, one.from, one.to]))
  for (let k = 0; k < times.length; k += stride) {
    const first = k === 0 ? 0 : k - stride + 1
    const marks = shots?.slice(first, k + 1).map((shot) => ({ shot, light: 100 }))
    take(all.next(k, times.slice(first, k + 1), marks))
  }
  take(all.end(end))
  return found
}

test('each frame goes to the nearest map, and all of the time to one', () => {
  expect(standings([0, 1, 2, 3, 4, 5, 6], 3, 7)).toEqual([
    [0, 0, 2],
    [3, 2, 5],
    [6, 5, 7],
  ])
  // A frame in the middle goes to the one before.
  expect(standings([0, 1, 2, 3, 4], 2, 5)).toEqual([
    [0, 0, 2],
    [2, 2, 4],
    [4, 4, 5],
  ])
  expect(standings([0, 1, 2, 3], 1, 4)).toEqual([
    [0, 0, 1],
    [1, 1, 2],
    [2, 2, 3],
    [3, 3, 4],
  ])
})

test('frames at uneven times, at one time, and a video that begins late', () => {
  // The second frame is shown for ten seconds: it is nearest to the first map.
  expect(standings([5, 5.1, 15, 15.1, 15.2], 4, 16)).toEqual([
    [0, 5, 15],
    [4, 15, 16],
  ])
  expect(standings([0, 0, 0, 1], 2, 2)).toEqual([
    [0, 0, 0],
    [2, 0, 2],
  ])
})

test('a frame goes to a map of its own shot, however near another is', () => {
  const times = [0, 1, 2, 3, 4, 5, 6, 7, 8]
  expect(standings(times, 4, 9, [0, 1, 1, 1, 1, 1, 1, 1, 2])).toEqual([
    [0, 0, 1],
    [4, 1, 8],
    [8, 8, 9],
  ])
  expect(standings(times, 4, 9, [0, 0, 0, 0, 1, 1, 1, 1, 1])).toEqual([
    [0, 0, 4],
    [4, 4, 7],
    [8, 7, 9],
  ])
  // A shot without a map of its own goes by time.
  expect(standings(times, 8, 9, [0, 0, 1, 1, 1, 1, 1, 2, 2])).toEqual([
    [0, 0, 5],
    [8, 5, 9],
  ])
  expect(standings(times, 8, 9, [0, 0, 0, 0, 0, 0, 1, 2, 2])).toEqual([
    [0, 0, 6],
    [8, 6, 9],
  ])
})
