import { expect, test } from 'vitest'
import { maps } from '../../lib/index.ts'

const map = (...data: number[]) => ({ dtype: 'float64', shape: [1, data.length], data: Float64Array.from(data) }) as const

test('a flat map has none, a single pixel all of it', () => {
  expect(maps.confidence(map(0.4, 0.4, 0.4, 0.4))).toBeCloseTo(0, 12)
  expect(maps.confidence(map(0, 0, 0, 0))).toBeCloseTo(0, 12)
  expect(maps.confidence(map(0, 1, 0, 0), { floor: 0 })).toBe(1)
  expect(maps.confidence(map(0, 0), { floor: 0 })).toBe(0)
  expect(maps.confidence(map(1))).toBe(0)
})

test('k of N equal pixels: 1 − ln k / ln N', () => {
  for (const k of [1, 2, 5, 50, 100]) {
    const data = Array.from({ length: 100 }, (_, i) => (i < k ? 0.25 : 0))
    expect(maps.confidence(map(...data), { floor: 0 })).toBeCloseTo(1 - Math.log(k) / Math.log(100), 12)
  }
})

test('by the formula, with the floor', () => {
  const data = [0.9, 0.3, 0.02, 0, 0.0001, 0.5]
  const sum = data.reduce((a, b) => a + b) + 6 * 0.001
  const entropy = data.reduce((h, m) => h - ((m + 0.001) / sum) * Math.log((m + 0.001) / sum), 0)
  expect(maps.confidence(map(...data))).toBeCloseTo(1 - entropy / Math.log(6), 12)
})

test('a map that is hardly above zero counts as flat, whatever its form', () => {
  const spot = Array.from({ length: 400 }, (_, i) => Math.exp(-((i - 200) ** 2) / 200))
  expect(maps.confidence(map(...spot.map((value) => 3e-6 * value)))).toBeLessThan(1e-4)
  expect(maps.confidence(map(...spot))).toBeGreaterThan(0.2)
  // By itself the form has the same concentration at any height.
  expect(maps.confidence(map(...spot.map((value) => 3e-6 * value)), { floor: 0 })).toBeCloseTo(maps.confidence(map(...spot), { floor: 0 }), 9)
})

test('the narrower a spot, the more', () => {
  const of = (sigma: number) => maps.confidence(map(...Array.from({ length: 1000 }, (_, i) => Math.exp(-((i - 500) ** 2) / (2 * sigma ** 2)))))
  const found = [200, 100, 50, 20, 5].map(of)
  for (const [i, value] of found.slice(1).entries()) expect(value).toBeGreaterThan(found[i]!)
})
