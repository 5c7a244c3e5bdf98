import { expect, test } from 'vitest'
import { heatColours } from '../../lib/media/colour-map.ts'
import { minMaxGrey, minMaxScaled } from '../../lib/media/map-scale.ts'
import { heatPicture } from '../../lib/media/overlay.ts'

/** CIE lightness of an sRGB colour, 0–100. */
function lightness([r, g, b]: number[]): number {
  const [lr, lg, lb] = [r!, g!, b!].map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4))
  const y = 0.2126 * lr! + 0.7152 * lg! + 0.0722 * lb!
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y
}

const colour = (i: number): number[] => [...heatColours.subarray(3 * i, 3 * i + 3)]

test('lightness rises all the way, in steps of nearly one size', () => {
  const levels = Array.from({ length: 256 }, (_, i) => lightness(colour(i)))
  expect(levels[0]).toBeLessThan(25)
  expect(levels[255]).toBeGreaterThan(90)
  const mean = (levels[255]! - levels[0]!) / 255
  for (let i = 8; i < 256; i++) {
    const step = (levels[i]! - levels[i - 8]!) / 8
    expect(step, `from ${i - 8} to ${i}`).toBeGreaterThan(0.3 * mean)
    expect(step, `from ${i - 8} to ${i}`).toBeLessThan(2 * mean)
  }
})

test('from violet over red to yellow, without a jump', () => {
  const [low, middle, high] = [colour(20), colour(128), colour(250)] as [number[], number[], number[]]
  expect(low[2]).toBeGreaterThan(low[1]!)
  expect(middle[0]).toBeGreaterThan(middle[2]! + 50)
  expect(Math.min(high[0]!, high[1]!)).toBeGreaterThan(high[2]! + 30)
  for (let i = 1; i < 256; i++) for (let c = 0; c < 3; c++) expect(Math.abs(colour(i)[c]! - colour(i - 1)[c]!)).toBeLessThanOrEqual(6)
})

test('maps are scaled by their own lowest and highest value', () => {
  expect([...minMaxGrey(Float32Array.of(0.2, 0.3, 0.4))]).toEqual([0, 128, 255])
  expect([...minMaxScaled(Float32Array.of(-1, 0, 3), 65_535, new Uint16Array(3))]).toEqual([0, 16_384, 65_535])
  expect([...minMaxGrey(Float32Array.of(0.5, 0.5))]).toEqual([0, 0])
})

test('the lowest value of an overlay is clear, the highest light and the most opaque', () => {
  const pixels = heatPicture(Float32Array.of(0, 0.5, 1))
  expect(pixels).toHaveLength(12)
  expect(pixels[3]).toBe(0)
  expect(pixels[7]).toBeGreaterThan(pixels[3]!)
  expect(pixels[11]).toBeGreaterThan(pixels[7]!)
  expect(pixels[11]).toBeLessThan(255)
  expect([...pixels.subarray(8, 11)]).toEqual(colour(255))
})
