import { expect, test } from 'vitest'
import { MapInterpolator } from '../../lib/media/interpolate.ts'

test('linear between maps, the last one held', () => {
  const maps = new MapInterpolator()
  const frames = [...maps.push(0, Float32Array.of(0, 8)), ...maps.push(4, Float32Array.of(4, 0)), ...maps.push(5, Float32Array.of(1, 1)), ...maps.rest(8)]
  expect(frames.map((map) => [...map])).toEqual([
    [0, 8],
    [1, 6],
    [2, 4],
    [3, 2],
    [4, 0],
    [1, 1],
    [1, 1],
    [1, 1],
  ])
})

test('nothing is added where every frame has its map', () => {
  const maps = new MapInterpolator()
  const frames = [0, 1, 2].flatMap((k) => [...maps.push(k, Float32Array.of(k))])
  expect([...frames, ...maps.rest(3)].map(([value]) => value)).toEqual([0, 1, 2])
})
