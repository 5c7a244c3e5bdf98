import { expect, it } from 'vitest'
import { metrics, type MapTensor } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { testInput } from '../support/test-values.ts'

const noise = (name: string): MapTensor => ({ dtype: 'float32', shape: [30, 40], data: testInput(name, [30, 40], 'unit') })

it('finds the Gaussian that made the maps, whatever its height', async () => {
  const map = metrics.centreGaussian(48, 64, { height: 0.31, width: 0.12 })
  const found = await metrics.fitCentreGaussian([map, { ...map, data: map.data.map((value) => 3 + 5 * value) }])
  expect(found.height).toBeCloseTo(0.31, 2)
  expect(found.width).toBeCloseTo(0.12, 2)
  expect(found.cc).toBeCloseTo(1, 4)
})

it('tells the mean CC that it has, and no other Gaussian has more', async () => {
  const maps = ['a', 'b', 'c'].map((name, i) => {
    const bell = metrics.centreGaussian(30, 40, { height: 0.1 + 0.1 * i, width: 0.2 })
    return { ...bell, data: bell.data.map((value, at) => value + 0.4 * noise(name).data[at]!) }
  })
  const found = await metrics.fitCentreGaussian(maps)
  const meanCc = async (sigmas: { height: number; width: number }) => {
    const gaussian = metrics.centreGaussian(30, 40, sigmas)
    const values = await Promise.all(maps.map(async (map) => (await metrics.cc(gaussian, map)).mean))
    return values.reduce((a, b) => a + b) / maps.length
  }
  expect(await meanCc(found)).toBeCloseTo(found.cc, 6)
  for (const [h, w] of [
    [1.1, 1],
    [0.9, 1],
    [1, 1.1],
    [1, 0.9],
  ] as const) {
    expect(await meanCc({ height: found.height * h, width: found.width * w })).toBeLessThan(found.cc)
  }
})

it('means maps of equal weight, and passes over zeros', async () => {
  const map = (...data: number[]): MapTensor => ({ dtype: 'float32', shape: [1, 3], data: Float32Array.from(data) })
  // (1, 0, 0) and (0, ½, ½): the sums count, not the heights.
  expect([...(await metrics.meanMap([map(9, 0, 0), map(0, 0, 0), map(0, 1, 1)])).data]).toEqual([1, 0.5, 0.5])
})

it('refuses maps of different sizes, and none', async () => {
  const two = [noise('a'), metrics.centreBias(3, 4)]
  await expectDiffSalError(() => metrics.meanMap(two), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'maps.shape', '3 × 4')
  await expectDiffSalError(() => metrics.fitCentreGaussian([]), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'maps')
  await expectDiffSalError(async () => metrics.centreGaussian(3, 4, { height: 0, width: 1 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'sigmas.height')
})
