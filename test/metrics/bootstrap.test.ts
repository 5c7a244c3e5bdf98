import { expect, it } from 'vitest'
import { metrics } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

const scoresOf = (values: readonly number[]) => {
  const of = (cc: number) => ({ cc, sim: cc, nss: Number.NaN, aucJudd: cc, kl: cc })
  return { mean: of(values.reduce((a, b) => a + b) / values.length), videos: Object.fromEntries(values.map((cc, i) => [`v${i}`, of(cc)])) }
}

it('is about 1.96 standard errors to either side of the mean', () => {
  const values = Array.from({ length: 200 }, (_, i) => (i + 0.5) / 200)
  const { low, high } = metrics.bootstrap(scoresOf(values), { resamples: 5000 }).cc
  const error = Math.sqrt(1 / 12 / 200)
  expect(low).toBeCloseTo(0.5 - 1.96 * error, 2)
  expect(high).toBeCloseTo(0.5 + 1.96 * error, 2)
})

it('has the exact quantiles of two videos', () => {
  // The mean of two drawn is 0, ½ or 1, with chances ¼, ½ and ¼.
  const scores = scoresOf([0, 1])
  expect(metrics.bootstrap(scores).cc).toEqual({ low: 0, high: 1 })
  expect(metrics.bootstrap(scores, { level: 0.3 }).cc).toEqual({ low: 0.5, high: 0.5 })
})

it('is the seed’s, and has no width for one video', () => {
  const scores = scoresOf([0.1, 0.25, 0.7, 0.4])
  expect(metrics.bootstrap(scores, { seed: 4, resamples: 50 })).toEqual(metrics.bootstrap(scores, { seed: 4, resamples: 50 }))
  expect(metrics.bootstrap(scores, { seed: 5, resamples: 50 })).not.toEqual(metrics.bootstrap(scores, { seed: 4, resamples: 50 }))
  expect(metrics.bootstrap(scoresOf([0.3])).cc.high).toBeCloseTo(0.3, 12)
})

it('passes over undefined scores', () => {
  expect(metrics.bootstrap(scoresOf([0.1, 0.2])).nss).toEqual({ low: Number.NaN, high: Number.NaN })
  expect(metrics.bootstrap(scoresOf([0.2, Number.NaN])).cc).toEqual({ low: 0.2, high: 0.2 })
})

it.each([{ resamples: 0 }, { level: 2 }, { seed: -1 }, { draws: 5 }])('refuses %j', async (options) => {
  await expectDiffSalError(async () => metrics.bootstrap(scoresOf([0.1]), options as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', Object.keys(options)[0]!)
})

it('of an infinite score is infinite, not undefined', () => {
  expect(metrics.bootstrap(scoresOf([1, Infinity])).cc).toEqual({ low: 1, high: Infinity })
  expect(metrics.bootstrap(scoresOf([Infinity])).cc).toEqual({ low: Infinity, high: Infinity })
})
