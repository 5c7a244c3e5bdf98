import { expect, test } from 'vitest'
import { maps, type Tensor } from '../../lib/index.ts'

/** A map with a column of ones for each place. */
function columns(height: number, width: number, ...at: number[]): Tensor<'float32'> {
  return { dtype: 'float32', shape: [height, width], data: Float32Array.from({ length: height * width }, (_, i) => (at.includes(i % width) ? 1 : 0)) }
}

test('an upright window of a wide frame is as high as it, in whole pixels, and around what is looked at', () => {
  const map = columns(9, 16, 12)
  const window = maps.cropWindow(map, 9 / 16, { size: [1080, 1920] })
  expect(window).toMatchObject({ y: 0, width: 608, height: 1080 })
  // The column covers 1440 to 1560: the window has it in its middle.
  expect(Math.abs(window.x + 304 - 1500)).toBeLessThanOrEqual(1)
  expect(window.mass).toBeCloseTo(1, 9)
})

test('it stays in the frame where what is looked at is at the edge', () => {
  expect(maps.cropWindow(columns(9, 16, 0), 9 / 16, { size: [1080, 1920] })).toMatchObject({ x: 0, width: 608 })
  expect(maps.cropWindow(columns(9, 16, 15), 9 / 16, { size: [1080, 1920] })).toMatchObject({ x: 1312, width: 608 })
})

test('of two places that do not fit together it takes the heavier', () => {
  const map = columns(9, 16, 2, 11, 12)
  const { x, width, mass } = maps.cropWindow(map, 9 / 16, { size: [1080, 1920] })
  expect(Math.abs(x + width / 2 - 12 * 120)).toBeLessThanOrEqual(60)
  expect(mass).toBeCloseTo(2 / 3, 2)
})

test('its mass is the greatest of all places, but for a hundredth', () => {
  const [height, width, frame, wide] = [10, 40, 400, 90]
  let state = 3
  const data = Float32Array.from({ length: height * width }, () => ((state = (state * 48_271) % 2_147_483_647) / 2_147_483_647) ** 8)
  const sum = data.reduce((a, b) => a + b)
  // By pixels of the frame, ten of which lie on each of the map.
  const column = (pixel: number) => Array.from({ length: height }, (_, y) => data[y * width + Math.floor(pixel / 10)]!).reduce((a, b) => a + b) / 10
  const massFrom = (start: number) => Array.from({ length: wide }, (_, k) => column(start + k)).reduce((a, b) => a + b) / sum
  const best = Math.max(...Array.from({ length: frame - wide + 1 }, (_, start) => massFrom(start)))
  const window = maps.cropWindow({ dtype: 'float32', shape: [height, width], data }, wide / 100, { size: [100, frame] })
  expect(window).toMatchObject({ width: wide, height: 100 })
  expect(window.mass).toBeCloseTo(massFrom(window.x), 6)
  expect(window.mass).toBeGreaterThan(best - 0.0101)
  expect(window.mass).toBeLessThanOrEqual(best + 1e-6)
})

test('a wide window of an upright frame moves up and down', () => {
  const map = { dtype: 'float64', shape: [20, 4], data: Float64Array.from({ length: 80 }, (_, i) => (Math.floor(i / 4) === 3 ? 1 : 0)) } as const
  const window = maps.cropWindow(map, 2, { size: [1000, 200] })
  expect(window).toMatchObject({ x: 0, width: 200, height: 100 })
  expect(Math.abs(window.y + 50 - 175)).toBeLessThanOrEqual(1)
})

test('in shares, where no frame is named', () => {
  const { x, y, width, height, mass } = maps.cropWindow(columns(10, 20, 10), 1)
  expect({ y, width, height }).toEqual({ y: 0, width: 0.5, height: 1 })
  expect(x + width / 2).toBeCloseTo(10.5 / 20, 2)
  expect(mass).toBeCloseTo(1, 9)
})

test("the frame's own aspect gives all of it; a map that says nothing, the middle", () => {
  expect(maps.cropWindow(columns(9, 16, 3), 16 / 9, { size: [1080, 1920] })).toMatchObject({ x: 0, y: 0, width: 1920, height: 1080 })
  for (const map of [columns(9, 16), { ...columns(9, 16), data: new Float32Array(144).fill(0.3) }]) {
    const { x, width } = maps.cropWindow(map, 9 / 16, { size: [1080, 1920] })
    expect(Math.abs(x + width / 2 - 960)).toBeLessThanOrEqual(1)
  }
})

test('a map of a single pixel', () => {
  expect(maps.cropWindow({ dtype: 'float32', shape: [1, 1], data: Float32Array.of(1) }, 0.5, { size: [100, 100] })).toMatchObject({
    x: 25,
    width: 50,
    mass: 0.5,
  })
})
