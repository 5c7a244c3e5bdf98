import { describe, expect, test } from 'vitest'
import { drawView, drawViewed, plainView, viewedPoints, type Plane, type View } from '../../lib/datasets/view.ts'
import { Random } from '../../lib/random/random.ts'

const size = [20, 30] as const
const view = (change: Partial<View>): View => ({ ...plainView(3), ...change })
const still = (left: number, top: number, width: number, height: number): View['boxes'] => Array.from({ length: 3 }, () => ({ left, top, width, height }))
const placed = (x: number, y: number, seen: View, t = 1) => viewedPoints([{ viewer: 'a', x, y }], seen, t, size).map((point) => [point.x, point.y])

/** A grey ramp: its value at (x, y) is 2 x + 2 y, which bilinear interpolation keeps. */
const ramp = (height = 40, width = 50): Plane => {
  const data = Uint8Array.from({ length: height * width }, (_, at) => 2 * (at % width) + 2 * Math.floor(at / width))
  return { height, width, channels: 1, data }
}
const drawn = (source: Plane, seen: View, t = 1, [height, width]: readonly [number, number] = size) => {
  const into = new Uint8Array(height * width * source.channels).fill(77)
  drawViewed(source, seen, t, [height, width], into)
  return into
}

describe('where a point is', () => {
  test('in the plain view it stays', () => expect(placed(0.2, 0.7, plainView(3))).toEqual([[0.2, 0.7]]))
  test('in a mirror it changes sides', () => expect(placed(0.2, 0.7, view({ mirrored: true }))).toEqual([[0.8, 0.7]]))

  test('in a crop it is where the box has it, and gone outside', () => {
    const crop = view({ boxes: still(0.25, 0.5, 0.5, 0.25) })
    expect(placed(0.5, 0.5625, crop)).toEqual([[0.5, 0.25]])
    expect(placed(0.25, 0.75, crop)).toEqual([[0, 1]])
    for (const [x, y] of [
      [0.2, 0.6],
      [0.8, 0.6],
      [0.5, 0.49],
      [0.5, 0.76],
    ] as const)
      expect(placed(x, y, crop)).toEqual([])
    expect(placed(0.375, 0.5625, { ...crop, mirrored: true })).toEqual([[0.75, 0.25]])
  })

  test('between bars of whole pixels it moves inwards', () => {
    expect(placed(0.5, 0, view({ bars: { rows: 0.29, columns: 0 } }))).toEqual([[0.5, 3 / 20]])
    expect(placed(1, 0.5, view({ bars: { rows: 0, columns: 0.2 } }))[0]![0]).toBeCloseTo(27 / 30, 12)
  })

  test('before a camera it is where the wanted frame has it', () => {
    const boxes = [0, 1, 2].map((t) => ({ left: 0.1 * t, top: 0, width: 0.5, height: 1 }))
    expect([0, 1, 2].map((t) => placed(0.3, 0.5, view({ boxes }), t)[0]![0]!.toFixed(6))).toEqual(['0.600000', '0.400000', '0.200000'])
  })
})

describe('what is drawn', () => {
  test('the plain view of a source of its size is the source, in colours too', () => {
    const source = ramp(20, 30)
    expect(drawn(source, plainView(3))).toEqual(source.data)
    const rgb: Plane = { height: 5, width: 7, channels: 3, data: Uint8Array.from({ length: 105 }, (_, i) => (i * 37) % 256) }
    expect(drawn(rgb, plainView(3), 0, [5, 7])).toEqual(rgb.data)
    const mirrored = drawn(rgb, view({ mirrored: true }), 0, [5, 7])
    for (let x = 0; x < 7; x++) expect(mirrored.subarray(x * 3, x * 3 + 3)).toEqual(rgb.data.subarray((6 - x) * 3, (6 - x) * 3 + 3))
  })

  test('a crop is interpolated to the pixel', () => {
    const got = drawn(ramp(), view({ boxes: still(0.2, 0.25, 0.4, 0.5) }))
    for (let y = 0; y < 20; y++) {
      for (let x = 0; x < 30; x++) {
        const [u, v] = [(0.2 + (0.4 * (x + 0.5)) / 30) * 50 - 0.5, (0.25 + (0.5 * (y + 0.5)) / 20) * 40 - 0.5]
        expect(Math.abs(got[y * 30 + x]! - (2 * u + 2 * v))).toBeLessThanOrEqual(0.5 + 1e-9)
      }
    }
  })

  test('bars are black, whatever was there, and the picture is whole between them', () => {
    const white: Plane = { height: 4, width: 4, channels: 1, data: new Uint8Array(16).fill(255) }
    const got = drawn(white, view({ bars: { rows: 0.29, columns: 0 } }))
    expect(Array.from({ length: 20 }, (_, y) => got[y * 30]! > 0)).toEqual(Array.from({ length: 20 }, (_, y) => y >= 3 && y < 17))
  })

  test('light goes by channel over colours, and leaves maps', () => {
    const light = { gain: [2, 1, 0.5], lift: 0.1, gamma: 2 } as const
    const rgb: Plane = { height: 1, width: 1, channels: 3, data: Uint8Array.of(100, 100, 100) }
    const want = light.gain.map((gain) => Math.round(255 * Math.min(1, (100 / 255) * gain + 0.1) ** 2))
    expect([...drawn(rgb, view({ light }), 0, [1, 1])]).toEqual(want)
    expect([...drawn({ ...rgb, channels: 1, data: Uint8Array.of(100) }, view({ light }), 0, [1, 1])]).toEqual([100])
  })
})

test('a point goes where the picture under it goes, whatever the view', () => {
  for (let stream = 0; stream < 300; stream++) {
    const random = new Random(11, stream)
    const seen = drawView(random, 8, stream % 2 === 0, 16 / 9)
    const [px, py] = [random.below(160), random.below(90)]
    const source: Plane = { height: 90, width: 160, channels: 1, data: new Uint8Array(90 * 160) }
    for (let y = Math.max(0, py - 2); y <= Math.min(89, py + 2); y++) source.data.fill(255, y * 160 + Math.max(0, px - 2), y * 160 + Math.min(159, px + 2) + 1)
    const [point] = viewedPoints([{ viewer: 'a', x: (px + 0.5) / 160, y: (py + 0.5) / 90 }], seen, 4, [96, 128])
    if (point === undefined) continue
    const got = drawn(source, { ...seen, light: undefined }, 4, [96, 128])
    const [x, y] = [Math.min(127, Math.floor(point.x * 128)), Math.min(95, Math.floor(point.y * 96))]
    expect(got[y * 128 + x], `stream ${stream}`).toBeGreaterThan(60)
  }
})

test('views are drawn within their bounds: boxes in the picture, a camera that is slow, shares as told', () => {
  const seen = Array.from({ length: 400 }, (_, stream) => drawView(new Random(2, stream), 16, stream < 200, 1.3))
  for (const [i, { boxes }] of seen.entries()) {
    expect(boxes).toHaveLength(16)
    for (const [t, { left, top, width, height }] of boxes.entries()) {
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(-1e-12)
      expect(Math.max(left + width, top + height)).toBeLessThanOrEqual(1 + 1e-12)
      expect(Math.min(width, height)).toBeGreaterThan(0.3)
      if (t > 0 && i >= 200) expect(boxes[t]).toEqual(boxes[0])
      if (t > 0) expect(Math.abs(left + width / 2 - boxes[t - 1]!.left - boxes[t - 1]!.width / 2)).toBeLessThan(0.035)
    }
  }
  const share = (is: (one: View) => boolean) => seen.filter(is).length / 400
  expect(share(({ mirrored }) => mirrored)).toBeCloseTo(0.5, 0)
  expect(share(({ light }) => light !== undefined)).toBeGreaterThan(0.6)
  const barred = share(({ bars }) => bars.rows + bars.columns > 0)
  expect(barred).toBeGreaterThan(0.04)
  expect(barred).toBeLessThan(0.2)
})
