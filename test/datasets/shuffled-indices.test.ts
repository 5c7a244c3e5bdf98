import { expect, test } from 'vitest'
import { ShuffledIndices, type DataPosition } from '../../lib/datasets/shuffled-indices.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

function take(indices: ShuffledIndices, count: number): number[] {
  return Array.from({ length: count }, () => indices.next().index)
}

test('every epoch has every index once, in an order of its own', () => {
  const indices = new ShuffledIndices(1000, { seed: 7 })
  const epochs = [take(indices, 1000), take(indices, 1000), take(indices, 1000)]
  for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  expect(epochs[0]).not.toEqual(epochs[1])
  expect(epochs[1]).not.toEqual(epochs[2])
})

test('the order is the one of this release: a stored position means the same data in the next', () => {
  expect(take(new ShuffledIndices(10, { seed: 1 }), 20)).toEqual([8, 7, 5, 0, 2, 4, 6, 1, 9, 3, 3, 0, 8, 6, 2, 9, 1, 7, 5, 4])
})

test('another seed is another order, the same seed the same', () => {
  const order = (seed: number): number[] => take(new ShuffledIndices(100, { seed }), 100)
  expect(order(5)).toEqual(order(5))
  for (const seed of [6, 5 + 2 ** 31, 2 ** 32 - 1]) expect(order(seed)).not.toEqual(order(5))
})

test('from any position it goes on as if it had never stopped', () => {
  const whole = new ShuffledIndices(7, { seed: 3 })
  const all = Array.from({ length: 30 }, () => whole.next())
  for (const [i, { position }] of all.entries()) {
    const stored = JSON.parse(JSON.stringify(position)) as DataPosition
    const resumed = new ShuffledIndices(7, { seed: 3, position: stored })
    expect(resumed.position).toEqual(stored)
    expect(take(resumed, 29 - i)).toEqual(all.slice(i + 1).map(({ index }) => index))
  }
  expect(all[6]!.position).toEqual({ epoch: 1, offset: 0 })
  expect(all[7]!.position).toEqual({ epoch: 1, offset: 1 })
})

test('no index is likelier in a place than another', () => {
  const counts = new Float64Array(16)
  for (let seed = 0; seed < 4000; seed++) counts[4 * new ShuffledIndices(4, { seed }).next().index + take(new ShuffledIndices(4, { seed }), 4)[3]!]! += 1
  // Twelve pairs of first and last, 333 times each: the deviation is 17.
  for (const [pair, count] of counts.entries()) {
    if (pair % 5 === 0) expect(count).toBe(0)
    else expect(Math.abs(count - 4000 / 12)).toBeLessThan(90)
  }
})

test("unshuffled, the order is the dataset's", () => {
  expect(take(new ShuffledIndices(3, { seed: 1, shuffle: false }), 7)).toEqual([0, 1, 2, 0, 1, 2, 0])
})

test('unshuffled, any length takes no memory; shuffled, one whose order would is refused', async () => {
  const order = new ShuffledIndices(2 ** 32 - 1, { seed: 1, shuffle: false, position: { epoch: 0, offset: 2 ** 32 - 3 } })
  expect(take(order, 3)).toEqual([2 ** 32 - 3, 2 ** 32 - 2, 0])
  await expectDiffSalError(() => new ShuffledIndices(2 ** 27 + 1, { seed: 1 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'length'", '134217728')
})

test.each([
  [0, { seed: 1 }, /length/],
  [5, { seed: -1 }, /seed/],
  [5, { seed: 1, position: { epoch: 0, offset: 6 } }, /position\.offset/],
  [5, { seed: 1, position: { epoch: -1, offset: 0 } }, /position\.epoch/],
  [5, { seed: 1, order: 'random' }, /order/],
])('%i indices with %o are refused', async (length, options, why) => {
  await expectDiffSalError(() => new ShuffledIndices(length, options), 'ERR_DIFFSAL_INVALID_ARGUMENT', why)
})
