import { expect, test } from 'vitest'
import { densityFromFixations, resizeFixations } from '../../lib/datasets/density.ts'
import type { FixationTensor } from '../../lib/metrics/metrics.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

function fixationsAt(height: number, width: number, points: readonly (readonly [number, number])[]): FixationTensor {
  const data = new Uint8Array(height * width)
  for (const [y, x] of points) data[y * width + x] = 1
  return { dtype: 'uint8', shape: [height, width], data }
}

test('a Gaussian on each fixation, summed, scaled to a maximum of 1', () => {
  const points = [
    [3, 4],
    [20, 30],
    [21, 33],
    [0, 39],
  ] as const
  const { data, shape, dtype } = densityFromFixations(fixationsAt(30, 40, points), 3)
  expect([dtype, shape]).toEqual(['float32', [30, 40]])
  const expected = Array.from({ length: 1200 }, (_, i) =>
    points.reduce((sum, [y, x]) => {
      const [dy, dx] = [Math.floor(i / 40) - y, (i % 40) - x]
      return sum + (Math.abs(dy) <= 12 && Math.abs(dx) <= 12 ? Math.exp(-(dy * dy + dx * dx) / 18) : 0)
    }, 0),
  )
  const most = Math.max(...expected)
  for (const [i, value] of expected.entries()) expect(data[i]).toBeCloseTo(value / most, 6)
  expect(Math.max(...data)).toBe(1)
})

test('no fixation is no density, in a batch each map by itself', () => {
  expect(densityFromFixations(fixationsAt(4, 5, []), 2).data.every((value) => value === 0)).toBe(true)
  const one = fixationsAt(4, 5, [[1, 1]])
  const two = fixationsAt(4, 5, [
    [1, 1],
    [1, 2],
  ])
  const batch = densityFromFixations({ dtype: 'uint8', shape: [2, 1, 4, 5], data: Uint8Array.of(...one.data, ...two.data) }, 2)
  expect(batch.shape).toEqual([2, 1, 4, 5])
  expect(batch.data).toEqual(Float32Array.of(...densityFromFixations(one, 2).data, ...densityFromFixations(two, 2).data))
})

test('bad arguments are named', async () => {
  const one = fixationsAt(4, 5, [[1, 1]])
  await expectDiffSalError(() => densityFromFixations(one, 0), 'ERR_DIFFSAL_INVALID_ARGUMENT', /sigma/)
  await expectDiffSalError(() => densityFromFixations({ ...one, shape: [20] }, 1), 'ERR_DIFFSAL_INVALID_ARGUMENT', /fixations\.shape/)
})

test('fixations on another size stay where they are in the picture', () => {
  const corners = [
    [0, 0],
    [0, 39],
    [29, 0],
    [29, 39],
  ] as const
  const small = resizeFixations(fixationsAt(30, 40, corners), 3, 4)
  expect(small).toEqual(
    fixationsAt(3, 4, [
      [0, 0],
      [0, 3],
      [2, 0],
      [2, 3],
    ]),
  )
  expect(resizeFixations(fixationsAt(3, 4, [[1, 2]]), 30, 40)).toEqual(fixationsAt(30, 40, [[15, 25]]))
  const same = fixationsAt(3, 4, [[1, 2]])
  expect(resizeFixations(same, 3, 4)).toBe(same)
})
