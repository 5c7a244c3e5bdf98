import { describe, expect, it } from 'vitest'
import { runGroup } from '../support/group.ts'
import { hasGloo } from '../support/has-gloo.ts'
import { alone, distances, expectShared, numbers, patience, uneven } from './same-steps.ts'

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

describe.skipIf(!hasGloo)('several processes', () => {
  it(
    'take the steps that one takes over twenty steps, no further from them than rounding goes by itself',
    async () => {
      const fit = (batch: number) => ({ fit: { epochs: 5, batch } })
      const one = await alone({ ...uneven, ...fit(6) })
      expect(numbers(one).length).toBeGreaterThanOrEqual(20)
      // The gradient of a network with ReLUs jumps where rounding carries a value over zero, and with the next samples the jump is gone. How far that goes
      // one process shows by itself: these are the same steps, but that one weight's last bits were changed after the third, or the seventh.
      const changed = [await alone({ ...uneven, ...fit(6), tampersAt: 3 }), await alone({ ...uneven, ...fit(6), tampersAt: 7 })]
      const rounding = changed.map((said) => distances(said, one).gradNorm)
      const [most, usual] = [Math.max(...rounding.flat()), Math.max(...rounding.map(median))]
      for (const count of [2, 3]) {
        const all = await runGroup(count, { ...uneven, ...fit(6 / count) })
        for (const said of all) {
          const { loss, gradNorm } = distances(said, one)
          expect(Math.max(...loss)).toBeLessThan(1e-5)
          expect(gradNorm[0]).toBeLessThan(1e-5)
          expect(median(gradNorm)).toBeLessThan(Math.max(1e-5, 4 * usual))
          expect(Math.max(...gradNorm)).toBeLessThan(Math.max(1e-5, 10 * most))
        }
        expectShared(all, 5)
      }
    },
    patience,
  )
})
