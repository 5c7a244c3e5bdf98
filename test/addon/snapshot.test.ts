import { expect, it } from 'vitest'
import { snapshot } from '../../lib/addon/snapshot.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

it('a snapshot is a frozen copy all the way down, without a prototype to inherit from', () => {
  const given = { a: [1, { b: 'c' }], d: null }
  const taken = snapshot(given) as typeof given
  given.a[0] = 2
  expect(taken).toEqual({ a: [1, { b: 'c' }], d: null })
  expect([taken, taken.a, taken.a[1]].map(Object.isFrozen)).toEqual([true, true, true])
  expect(Object.getPrototypeOf(taken)).toBeNull()
})

it('functions, typed arrays and what is no object are themselves', () => {
  for (const value of [() => 1, new Float32Array(2), 3, 'text', undefined, null]) expect(snapshot(value)).toBe(value)
})

it.each([
  [
    'an accessor',
    {
      get a() {
        return 1
      },
    },
  ],
  [
    'an accessor',
    {
      a: [
        {
          get b() {
            return 1
          },
        },
      ],
    },
  ],
  ['a proxy', new Proxy({}, {})],
  ['a proxy', { a: new Proxy([], {}) }],
])('%s is refused, since nobody can have checked it', async (what, value) => {
  await expectDiffSalError(() => snapshot(value), 'ERR_DIFFSAL_INTERNAL', what)
})
