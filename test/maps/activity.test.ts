import { expect, test } from 'vitest'
import { maps, type Tensor } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

const stage = (shape: number[], ...data: number[]): Tensor<'float32'> => ({ dtype: 'float32', shape, data: Float32Array.from(data) })

test('one stage: the mean over its channels, times its width', () => {
  const map = maps.activity([stage([1, 2, 1, 4], 0.25, 0.25, 0.25, 0.25, 0.5, 0.5, 0, 0)])
  expectClose(map, stage([1, 4], 1.5, 1.5, 0.5, 0.5), 1e-6)
})

test('several: the mean of all at the finest size, or at the one that is asked for', () => {
  const stages = [stage([1, 1, 1, 1], 1), stage([1, 1, 2, 2], 1, 0, 0.5, 0.5)]
  expectClose(maps.activity(stages), stage([2, 2], 1.5, 0.5, 1, 1), 1e-6)
  const large = maps.activity(stages, { size: [4, 6] })
  expect(large.shape).toEqual([4, 6])
  expect(large.data[0]).toBeCloseTo(1.5)
})

test('what is no activity is named', async () => {
  const refused = (stages: unknown, argument: string, options?: object) =>
    expectDiffSalError(async () => maps.activity(stages as Tensor<'float32'>[], options), 'ERR_DIFFSAL_INVALID_ARGUMENT', '', argument)
  await refused([], 'stages')
  await refused(undefined, 'stages')
  await refused([{}], 'stages[0]')
  await refused([stage([2, 1, 1, 1], 1, 1)], 'stages[0].shape')
  await refused([stage([1, 1, 1, 1], 1), stage([1, 1, 1, 2], 0.5, NaN)], 'stages[1].data[1]')
  await refused([stage([1, 1, 1, 1], 1)], 'height', { size: [0, 1] })
})
