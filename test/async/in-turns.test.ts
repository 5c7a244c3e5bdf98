import { expect, test } from 'vitest'
import { inTurns } from '../../lib/async/in-turns.ts'

const reason = new Error('left')

test('work goes on in the order in which it was asked for, so many pieces at a time', async () => {
  const inTurn = inTurns(2, new AbortController().signal)
  const ends: (() => void)[] = []
  const begun: number[] = []
  const all = [0, 1, 2, 3].map((i) =>
    inTurn(() => {
      begun.push(i)
      return new Promise<number>((resolve) => ends.push(() => resolve(i)))
    }),
  )
  for (const expected of [2, 3, 4, 4]) {
    await new Promise(setImmediate)
    expect(begun).toEqual([0, 1, 2, 3].slice(0, expected))
    ends.shift()!()
  }
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3])
})

test('nothing begins after an abort, whether it waits or its turn has come', async () => {
  const stopped = new AbortController()
  const inTurn = inTurns(1, stopped.signal)
  const begun: string[] = []
  const turns = ['come', 'waits'].map((name) => inTurn(async () => begun.push(name)))
  stopped.abort(reason)
  turns.push(inTurn(async () => begun.push('late')))
  const settled = await Promise.allSettled(turns)
  expect(settled).toEqual(turns.map(() => ({ status: 'rejected', reason })))
  expect(begun).toEqual([])
})
