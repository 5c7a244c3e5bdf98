import { expect, test } from 'vitest'
import { maps, type Tensor } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

type Blob = readonly [x: number, y: number, sigma: number, height: number]

/** Gaussians at pixels, summed. */
function blobs(height: number, width: number, list: readonly Blob[], shape: readonly number[] = [height, width]): Tensor<'float32'> {
  const data = Float32Array.from({ length: height * width }, (_, i) => {
    const [px, py] = [i % width, Math.floor(i / width)]
    return list.reduce((sum, [x, y, sigma, top]) => sum + top * Math.exp(-((px - x) ** 2 + (py - y) ** 2) / (2 * sigma ** 2)), 0)
  })
  return { dtype: 'float32', shape, data }
}

const flat = (value: number, height = 6, width = 8): Tensor<'float32'> => ({
  dtype: 'float32',
  shape: [height, width],
  data: new Float32Array(height * width).fill(value),
})
const only = (height: number, width: number, pixels: Record<number, number>): Tensor<'float32'> => {
  const data = new Float32Array(height * width)
  for (const [at, value] of Object.entries(pixels)) data[Number(at)] = value
  return { dtype: 'float32', shape: [height, width], data }
}

test('the centre of mass of a single pixel is its middle, in shares or in pixels of the frame', () => {
  const map = only(4, 8, { [2 * 8 + 5]: 0.3 })
  expect(maps.centreOfMass(map)).toEqual({ x: 5.5 / 8, y: 2.5 / 4 })
  expect(maps.centreOfMass(map, { size: [400, 1600] })).toEqual({ x: 1100, y: 250 })
})

test('the centre of mass of two pixels divides their distance by their values', () => {
  const { x, y } = maps.centreOfMass(only(1, 10, { 0: 3, 8: 1 }))!
  expect(x).toBeCloseTo((0 * 0.75 + 8 * 0.25 + 0.5) / 10, 12)
  expect(y).toBe(0.5)
  expect(maps.centreOfMass(flat(0))).toBe(undefined)
  expect(maps.centreOfMass(flat(0.2))).toEqual({ x: expect.closeTo(0.5, 12) as number, y: expect.closeTo(0.5, 12) as number })
})

test('the focal point is on the heavier of two, not between, and not on a speck that is higher', () => {
  const map = blobs(60, 100, [
    [25, 20, 5, 0.8],
    [80, 45, 4, 0.8],
  ])
  map.data[50 * 100 + 5] = 1
  const { x, y } = maps.focalPoint(map)
  expect(Math.abs(x * 100 - 25.5)).toBeLessThan(1.1)
  expect(Math.abs(y * 60 - 20.5)).toBeLessThan(1.1)
  const centre = maps.centreOfMass(map)!
  expect(centre.x * 100).toBeGreaterThan(35)
})

test('the focal point is where the sum of the formula is greatest', () => {
  const [height, width, spread] = [12, 16, 0.15]
  // A small generator, the same every time.
  let state = 7
  const data = Float32Array.from({ length: height * width }, () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647)
  const sigma = spread * width
  let [best, at] = [0, 0]
  for (let i = 0; i < data.length; i++) {
    let sum = 0
    for (let j = 0; j < data.length; j++) {
      const [dx, dy] = [(i % width) - (j % width), Math.floor(i / width) - Math.floor(j / width)]
      sum += data[j]! * Math.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma))
    }
    if (sum > best) [best, at] = [sum, i]
  }
  expect(maps.focalPoint({ dtype: 'float32', shape: [height, width], data }, { spread })).toEqual({
    x: ((at % width) + 0.5) / width,
    y: (Math.floor(at / width) + 0.5) / height,
  })
})

test('where nothing stands out the focal point is the middle', () => {
  for (const map of [flat(0), flat(0.5, 40, 60)]) {
    const { x, y } = maps.focalPoint(map)
    expect(Math.abs(x - 0.5)).toBeLessThan(0.02)
    expect(Math.abs(y - 0.5)).toBeLessThan(0.02)
  }
})

test('peaks: the highest first, none too near, none too low, at most so many', () => {
  const map = blobs(60, 100, [
    [20, 20, 4, 0.6],
    [80, 40, 4, 1],
    [84, 30, 2, 0.7],
    [50, 50, 4, 0.15],
  ])
  const found = maps.peaks(map, { size: [60, 100] })
  expect(found.map(({ x, y }) => [x, y])).toEqual([
    [80.5, 40.5],
    [20.5, 20.5],
  ])
  expect(found.map(({ value }) => value)).toEqual([map.data[40 * 100 + 80], map.data[20 * 100 + 20]])
  expect(maps.peaks(map, { distance: 0, threshold: 0.1 })).toHaveLength(4)
  expect(maps.peaks(map, { count: 1 })).toHaveLength(1)
})

test('a plateau is one peak in its middle, at the edge too; a flat map has none', () => {
  const plateau = only(5, 9, { 19: 1, 20: 1, 21: 1 })
  expect(maps.peaks(plateau)).toEqual([{ x: 2.5 / 9, y: 0.5, value: 1 }])
  expect(maps.peaks(only(5, 9, { 0: 0.5 }))).toEqual([{ x: 0.5 / 9, y: 0.1, value: 0.5 }])
  // A shoulder is none, however long.
  expect(maps.peaks(only(1, 6, { 1: 1, 2: 0.5, 3: 0.5, 4: 0.5 }), { distance: 0 })).toHaveLength(1)
  expect([maps.peaks(flat(0)), maps.peaks(flat(0.7))]).toEqual([[], []])
})

test('boxes hold the highest pixels that make up the mass, a box a region', async () => {
  // 0.4 + 0.2 on the left, 0.3 at the right, 0.1 elsewhere.
  const map = only(4, 10, { 11: 0.4, 22: 0.2, 18: 0.3, 39: 0.1 })
  const all = maps.boxes(map, { mass: 0.9 })
  expect(all.map(({ x, y, width, height }) => [x * 10, y * 4, width * 10, height * 4])).toEqual([
    [1, 1, 2, 2],
    [8, 1, 1, 1],
  ])
  expect(all[0]!.mass).toBeCloseTo(0.6, 6)
  expect(all[1]!.mass).toBeCloseTo(0.3, 6)
  expect(maps.boxes(map, { mass: 0.35, size: [40, 100] })).toMatchObject([{ x: 10, y: 10, width: 10, height: 10 }])
  expect(maps.boxes(map, { mass: 1 })).toHaveLength(3)
  expect(maps.boxes(map, { mass: 1, least: 0.2 })).toHaveLength(2)
  expect(maps.boxes(map, { mass: 1, count: 1 })).toHaveLength(1)
  // By height: what has at least a share of the greatest value, whatever it sums up to.
  expect(maps.boxes(map, { level: 1 })).toEqual(maps.boxes(map, { mass: 0.01 }).slice(0, 1))
  expect(maps.boxes(map, { level: 1e-9 })).toEqual(maps.boxes(map, { mass: 1 }))
  await expectDiffSalError(() => maps.boxes(map, { level: 0.5, mass: 0.5 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'level' must be left out where 'mass'/)
  await expectDiffSalError(() => maps.boxes(map, { level: 0 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'level'/)
})

test('the box of a Gaussian is as wide as its level set: half the mass lies within σ √(2 ln 2)', () => {
  const sigma = 8
  const [box] = maps.boxes(blobs(101, 101, [[50, 50, sigma, 1]]), { mass: 0.5, size: [101, 101] })
  const radius = sigma * Math.sqrt(2 * Math.log(2))
  expect(Math.abs(box!.width / 2 - radius)).toBeLessThan(1)
  expect(Math.abs(box!.height / 2 - radius)).toBeLessThan(1)
  expect(box!.mass).toBeGreaterThanOrEqual(0.5)
  expect(box!.mass).toBeLessThan(0.53)
})

test('no mass, no boxes; a flat map, one of all', () => {
  expect(maps.boxes(flat(0))).toEqual([])
  expect(maps.boxes(flat(0.5))).toMatchObject([{ x: 0, y: 0, width: 1, height: 1 }])
})

test('what is no map, or no option, is refused by name', async () => {
  const nan = only(2, 2, { 3: Number.NaN })
  const refused = async (work: () => unknown, ...words: string[]) =>
    expectDiffSalError(() => Promise.resolve().then(work), 'ERR_DIFFSAL_INVALID_ARGUMENT', ...words)
  const negative = only(2, 2, { 1: -1 })
  for (const take of [maps.centreOfMass, maps.focalPoint, maps.boxes, maps.confidence, (map: Tensor<'float32'>) => maps.cropWindow(map, 1)]) {
    await refused(() => take(nan), "'map.data[3]'", 'NaN')
    await refused(() => take(negative), "'map.data[1]'", '-1')
    await refused(() => take({ dtype: 'float32', shape: [2, 1, 1, 2], data: new Float32Array(4) }), "'map.shape'", 'maps.split')
    await refused(() => take({ dtype: 'float32', shape: [2, 3], data: new Float32Array(4) }), "'map.data'")
    await refused(() => take(undefined as never), "'map'")
  }
  await refused(() => maps.peaks(nan), "'map.data[3]'")
  expect(maps.peaks(negative, { threshold: 0, distance: 0 })).toHaveLength(1)
  await refused(() => maps.peaks(flat(1), { count: 0 }), "'count'")
  await refused(() => maps.peaks(flat(1), { threshold: 2 }), "'threshold'")
  await refused(() => maps.peaks(flat(1), { treshold: 0.5 } as never), "'threshold'")
  await refused(() => maps.boxes(flat(1), { mass: 0 }), "'mass'")
  await refused(() => maps.focalPoint(flat(1), { spread: 0 }), "'spread'")
  await refused(() => maps.centreOfMass(flat(1), { size: [10] as never }), "'size'")
  await refused(() => maps.confidence(flat(1), { floor: -1 }), "'floor'")
  await refused(() => maps.cropWindow(flat(1), 0), "'aspect'")
  await refused(() => maps.cropWindow(flat(1), '9:16' as never), "'aspect'")
  await refused(() => maps.resize(flat(1), undefined as never), "'size'")
  await refused(() => maps.resize(flat(1), [0, 5]), "'height'")
})

test('a batch is parted into its maps, which share its memory', () => {
  const batch = { dtype: 'float32', shape: [3, 1, 1, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) } as const
  const parts = maps.split(batch)
  expect(parts.map(({ shape, data }) => [shape, [...data]])).toEqual([
    [
      [1, 2],
      [1, 2],
    ],
    [
      [1, 2],
      [3, 4],
    ],
    [
      [1, 2],
      [5, 6],
    ],
  ])
  batch.data[4] = 9
  expect(parts[2]!.data[0]).toBe(9)
})
