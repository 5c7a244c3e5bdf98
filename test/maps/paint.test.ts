import { expect, test } from 'vitest'
import { colourTable } from '../../lib/maps/colour-maps.ts'
import { contourDistances } from '../../lib/maps/contours.ts'
import { paint } from '../../lib/maps/paint.ts'
import { mapPainter } from '../../lib/maps/painter.ts'

const pixel = (pixels: Uint8Array, i: number): number[] => [...pixels.subarray(4 * i, 4 * i + 4)]
const colour = (name: Parameters<typeof colourTable>[0], i: number): number[] => [...colourTable(name).subarray(3 * i, 3 * i + 3)]

test('over a picture the least level is clear, and the greatest as opaque as asked', () => {
  const levels = Float32Array.of(0, 0.5, 1)
  const usual = paint(levels, [1, 3], {}, true)
  expect([3, 7, 11].map((at) => usual[at])).toEqual([0, 96, 191])
  expect(pixel(usual, 2).slice(0, 3)).toEqual(colour('heat', 255))
  const other = paint(levels, [1, 3], { opacity: 0.2, colourMap: 'turbo' }, true)
  expect(pixel(other, 2)).toEqual([...colour('turbo', 255), 51])
  expect(pixel(paint(levels, [1, 3], { opacity: 0 }, true), 2)[3]).toBe(0)
})

test('by itself all is opaque', () => {
  const pixels = paint(Float32Array.of(0, 1), [1, 2], { colourMap: 'viridis' }, false)
  expect([pixel(pixels, 0), pixel(pixels, 1)]).toEqual([
    [...colour('viridis', 0), 255],
    [...colour('viridis', 255), 255],
  ])
})

/** A cone: 1 in the middle, falling by `slope` a pixel. */
function cone(size: number, slope: number): Float32Array {
  const middle = (size - 1) / 2
  return Float32Array.from({ length: size * size }, (_, i) => Math.max(0, 1 - slope * Math.hypot((i % size) - middle, Math.floor(i / size) - middle)))
}

test("a pixel's distance from a contour of a cone is that from a circle", () => {
  const [size, slope] = [101, 0.02]
  const distances = contourDistances(cone(size, slope), [size, size], [0.5])
  for (const [x, y] of [
    [75, 50],
    [50, 30],
    [70, 65],
    [50, 22],
    [80, 50],
  ] as const) {
    expect(Math.abs(distances[y * size + x]! - Math.abs(Math.hypot(x - 50, y - 50) - 25)), `${x}, ${y}`).toBeLessThan(0.1)
  }
  // Outside the cone it is flat.
  expect(distances[0]).toBe(Number.POSITIVE_INFINITY)
})

test('lines are white in a dark rim, opaque whatever the opacity, and nowhere else', () => {
  const size = 101
  const pixels = paint(cone(size, 0.02), [size, size], { opacity: 0, contours: [0.5] }, true)
  expect(pixel(pixels, 50 * size + 75)).toEqual([255, 255, 255, 255])
  expect(pixel(pixels, 50 * size + 60)[3]).toBe(0)
  const rim = pixel(pixels, 50 * size + 73)
  expect(rim[3]).toBeGreaterThan(50)
  expect(rim[0]).toBeLessThan(120)
  const white = Array.from({ length: size * size }, (_, i) => pixel(pixels, i)).filter(([r, , , a]) => r === 255 && a === 255)
  // The circumference, 157 pixels, one to two wide.
  expect(white.length).toBeGreaterThan(60)
  expect(white.length).toBeLessThan(300)
})

test('a flat map has no lines, noise and all', () => {
  const noisy = Float32Array.from({ length: 64 }, (_, i) => 0.5 + (i % 2) * 1e-7)
  expect([...paint(noisy, [8, 8], { contours: [0.5] }, true)].filter((_, i) => i % 4 === 3)).toEqual(
    [...paint(noisy, [8, 8], {}, true)].filter((_, i) => i % 4 === 3),
  )
})

test("pictures with lines come at the frame's size, others at the map's", () => {
  const lines = mapPainter({ contours: [0.5] }, [4, 6], [40, 60], true)
  expect([lines.size, lines.paint(new Float32Array(24)).length]).toEqual([[40, 60], 40 * 60 * 4])
  const heat = mapPainter({}, [4, 6], [40, 60], true)
  expect([heat.pixelFormat, heat.size, heat.paint(new Float32Array(24)).length]).toEqual(['rgba', [4, 6], 4 * 24])
  const grey = mapPainter({}, [4, 6], [40, 60], false)
  expect([grey.pixelFormat, grey.paint(new Float32Array(24)).length]).toEqual(['gray', 24])
})
