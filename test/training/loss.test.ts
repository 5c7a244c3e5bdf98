import { describe, expect, it } from 'vitest'
import { metrics, trainingLoss, type Tensor, type TrainingLossOptions } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { testInput } from '../support/test-values.ts'

const shape = [2, 1, 6, 8]
const draw = (name: string): Tensor<'float32'> => ({ dtype: 'float32', shape, data: testInput(name, shape, 'unit').map((value) => 0.02 + 0.96 * value) })
const map = draw('map')
const target = draw('target')
const fixations: Tensor<'uint8'> = { dtype: 'uint8', shape, data: Uint8Array.from(draw('fixations').data, (value) => Number(value > 0.8)) }
const uint8Nothing: Tensor<'uint8'> = { ...fixations, data: new Uint8Array(96) }

const sample = <T extends Tensor<'float32'> | Tensor<'uint8'>>(x: T, i: number): T => ({ ...x, shape: [6, 8], data: x.data.slice(48 * i, 48 * (i + 1)) })
const meanOver = async (value: (i: number) => number | Promise<number>) => ((await value(0)) + (await value(1))) / 2
const sum = (of: (p: number, g: number) => number) => map.data.reduce((total, p, i) => total + of(p, target.data[i]!), 0) / 2

describe('a loss', () => {
  it('is the squared error, summed over the pixels', async () => {
    expect((await trainingLoss(map, target)).loss).toBeCloseTo(
      sum((p, g) => (p - g) ** 2),
      4,
    )
  })

  it('is the cross-entropy of map against map, summed over the pixels', async () => {
    const expected = sum((p, g) => -g * Math.log(p) - (1 - g) * Math.log(1 - p))
    expect((await trainingLoss(map, target, { loss: 'ce' })).loss).toBeCloseTo(expected, 4)
  })

  it('is the divergence that scores a map', async () => {
    const expected = await meanOver(async (i) => (await metrics.kl(sample(map, i), sample(target, i))).mean)
    expect((await trainingLoss(map, target, { loss: 'kl' })).loss).toBeCloseTo(expected, 5)
  })

  it.each(['cc', 'sim', 'nss'] as const)('takes the weighted %s that scores a map', async (name) => {
    const score = async (i: number) => {
      const of = sample(map, i)
      return (name === 'nss' ? await metrics.nss(of, sample(fixations, i)) : await metrics[name](of, sample(target, i))).mean
    }
    const plain = (await trainingLoss(map, target)).loss
    const { loss } = await trainingLoss(map, target, { terms: { [name]: -3 }, fixations })
    expect(loss - plain).toBeCloseTo(-3 * (await meanOver(score)), 4)
  })

  it.each<TrainingLossOptions>([{}, { loss: 'ce' }, { loss: 'kl' }, { terms: { cc: 50 } }, { terms: { sim: 50 } }, { terms: { nss: 50 }, fixations }])(
    'has its own slope as gradient: %j',
    async (options) => {
      const { gradient } = await trainingLoss(map, target, options)
      for (const i of [3, 40, 77]) {
        const at = async (step: number) =>
          (await trainingLoss({ ...map, data: map.data.map((value, j) => (j === i ? value + step : value)) }, target, options)).loss
        const slope = ((await at(4e-3)) - (await at(-4e-3))) / 8e-3
        expect(Math.abs(gradient.data[i]! - slope), `${gradient.data[i]} for ${slope}`).toBeLessThan(0.02 * Math.max(1, Math.abs(slope)))
      }
    },
  )

  it.each(['mse', 'ce', 'kl'] as const)('%s stays finite for maps without contrast and no fixations', async (loss) => {
    for (const value of [0, 1]) {
      const flat = { ...map, data: new Float32Array(96).fill(value) }
      const answer = await trainingLoss(flat, { ...map, data: new Float32Array(96) }, { loss, terms: { cc: 1, sim: 1, nss: 1 }, fixations: uint8Nothing })
      expect(Number.isFinite(answer.loss)).toBe(true)
      expect(answer.gradient.data.every(Number.isFinite)).toBe(true)
    }
  })

  it('is refused what is no map', async () => {
    const invalid = (action: () => unknown, part: string) => expectDiffSalError(action, 'ERR_DIFFSAL_INVALID_ARGUMENT', part)
    await invalid(() => trainingLoss({ ...map, data: map.data.map((value) => value * 2) }, target), 'map')
    await invalid(() => trainingLoss(map, { ...target, shape: [1, 2, 6, 8] }), 'target')
    await invalid(() => trainingLoss(map, target, { terms: { nss: 1 } }), 'fixations')
    const fixations = { ...map, data: map.data.map((_, i) => (i === 5 ? NaN : 1)) }
    await invalid(() => trainingLoss(map, target, { terms: { nss: 1 }, fixations }), "'fixations' must be numbers, but NaN at element 5")
  })
})
