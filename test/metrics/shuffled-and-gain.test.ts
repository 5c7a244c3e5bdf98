import { describe, expect, it } from 'vitest'
import { metrics, type Tensor } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

const map = (...data: number[]): Tensor<'float64'> => ({ dtype: 'float64', shape: [1, data.length], data: Float64Array.from(data) })
const at = (count: number, ...pixels: number[]): Tensor<'uint8'> => {
  const data = new Uint8Array(count)
  for (const pixel of pixels) data[pixel] = 1
  return { dtype: 'uint8', shape: [1, count], data }
}

describe('shuffled AUC', () => {
  it('is the share of pairs that the fixated pixel wins, ties half', async () => {
    const saliency = map(0.1, 0.4, 0.4, 0.9)
    // 0.9 beats both, 0.4 ties with 0.4 and beats 0.1.
    expect((await metrics.shuffledAuc(saliency, at(4, 3, 1), at(4, 0, 2))).mean).toBe((2 + 1.5) / 4)
    expect((await metrics.shuffledAuc(saliency, at(4, 3), at(4, 0, 1, 2))).mean).toBe(1)
    expect((await metrics.shuffledAuc(saliency, at(4, 0), at(4, 1, 2, 3))).mean).toBe(0)
  })

  it('is undefined without fixations on either side', async () => {
    expect((await metrics.shuffledAuc(map(0, 1), at(2), at(2, 1))).undefinedCount).toBe(1)
    expect((await metrics.shuffledAuc(map(0, 1), at(2, 1), at(2))).undefinedCount).toBe(1)
  })
})

describe('information gain', () => {
  it('counts bits against a baseline', async () => {
    const gain = await metrics.informationGain(map(1, 1, 2, 4), at(4, 3, 2), map(1, 1, 1, 1))
    expect(gain.mean).toBeCloseTo((Math.log2(4 / 8 / 0.25) + Math.log2(2 / 8 / 0.25)) / 2, 12)
  })

  it('is measured against the centre bias by default', async () => {
    const baseline = metrics.centreBias(9, 12)
    const fixations = { ...at(108, 54), shape: [9, 12] }
    expect((await metrics.informationGain(baseline, fixations)).mean).toBeCloseTo(0, 12)
    expect(baseline.data.indexOf(Math.max(...baseline.data))).toBe(4 * 12 + 5)
    const uniform: Tensor<'float64'> = { dtype: 'float64', shape: [9, 12], data: new Float64Array(108).fill(1) }
    expect((await metrics.informationGain(uniform, { ...at(108, 4 * 12 + 5), shape: [9, 12] })).mean).toBeLessThan(0)
  })
})

describe('bad maps', () => {
  it.each([
    ['another size', map(1, 2), at(3, 1), 'fixations.shape'],
    ['no map', { ...map(1, 2), shape: [2] }, at(2, 1), 'saliency.shape'],
    ['an empty map', map(), at(0), 'saliency.shape'],
    ['fixations of another dtype', map(1, 2), map(0, 1), 'fixations.dtype'],
  ])('are refused: %s', async (_, saliency, fixations, part) => {
    await expectDiffSalError(() => metrics.nss(saliency, fixations as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', part)
  })
})
