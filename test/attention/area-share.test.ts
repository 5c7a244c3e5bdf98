import { expect, test } from 'vitest'
import { areaShare } from '../../lib/attention/area-share.ts'
import { lookShare } from '../../lib/attention/area-tally.ts'

/** A map of random values, and the share of it in a box by counting a thousand points a pixel. */
function counted(map: Float32Array, [height, width]: readonly [number, number], box: { x: number; y: number; width: number; height: number }): number {
  const fine = 40
  let [inside, all] = [0, 0]
  for (let i = 0; i < height * fine; i++) {
    for (let j = 0; j < width * fine; j++) {
      const value = map[Math.floor(i / fine) * width + Math.floor(j / fine)]!
      const [y, x] = [(i + 0.5) / fine / height, (j + 0.5) / fine / width]
      all += value
      if (x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height) inside += value
    }
  }
  return inside / all
}

test('pixels count by the part of them that is inside', () => {
  const size = [5, 7] as const
  const map = Float32Array.from({ length: 35 }, (_, i) => ((i * 37) % 11) / 10)
  const sum = map.reduce((a, b) => a + b)
  for (const box of [
    { x: 0, y: 0, width: 1, height: 1 },
    { x: 0.2, y: 0.3, width: 0.05, height: 0.02 },
    { x: 0.125, y: 0.25, width: 0.6, height: 0.75 },
    { x: 0.9, y: 0, width: 0.1, height: 0.1 },
  ]) {
    expect(areaShare(box, size)(map, sum), JSON.stringify(box)).toBeCloseTo(counted(map, size, box), 2)
  }
  expect(areaShare({ x: 0, y: 0, width: 1, height: 1 }, size)(map, sum)).toBeCloseTo(1, 6)
})

test('of a flat map, and of one of zeros, the share of the picture', () => {
  const box = { x: 0.1, y: 0.2, width: 0.3, height: 0.4 }
  expect(areaShare(box, [6, 9])(new Float32Array(54).fill(0.3), 54 * 0.3)).toBeCloseTo(0.12, 6)
  expect(areaShare(box, [6, 9])(new Float32Array(54), 0)).toBeCloseTo(0.12)
})

test('the share from which on an area is looked at', () => {
  expect(lookShare(0.01, 2)).toBeCloseTo(0.02, 3)
  expect(lookShare(0.5, 2)).toBeCloseTo(2 / 3)
  expect(lookShare(1, 2)).toBe(1)
  expect(lookShare(0.3, 1)).toBeCloseTo(0.3)
})
