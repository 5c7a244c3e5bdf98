import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runGroup, startMember, type Said } from '../support/group.ts'
import { hasGloo } from '../support/has-gloo.ts'
import { nightly } from '../support/nightly.ts'
import { temporaryPath } from '../support/temporary.ts'
import { trainingConfig } from '../support/training.ts'

// Adam divides by the gradient's own size: without some epsilon, a gradient that is nothing but rounding would move its weight as far as any. And
// long steps would carry rounding over the kinks of ReLU.
const trainer = { lr: 1e-5, eps: 1e-2, seed: 3 }
const patience = 300_000

const of = (said: readonly Said[], type: string) => said.filter((event) => event.type === type)
const numbers = (said: readonly Said[]) =>
  of(said, 'step').map(({ step, epoch, samples, loss, gradNorm }) => ({ step, epoch, samples, loss, gradNorm }) as Record<string, number>)
const hashOf = (said: readonly Said[]) => of(said, 'hash')[0]?.hash as string

/** One process by itself, without a group. */
const alone = (scenario: object): Promise<Said[]> => startMember({ ...scenario, join: null }).events

/** How far losses and norms are from those of the same steps of another run, relatively. */
function distances(actual: readonly Said[], expected: readonly Said[]): { loss: number[]; gradNorm: number[] } {
  const [now, then] = [numbers(actual), numbers(expected)]
  expect(now.length).toBe(then.length)
  for (const [i, { step, epoch, samples }] of then.entries()) expect(now[i]).toMatchObject({ step, epoch, samples })
  const of = (name: string): number[] => then.map((step, i) => Math.abs(now[i]![name]! / step[name]! - 1))
  return { loss: of('loss'), gradNorm: of('gradNorm') }
}

/** Refuses losses and norms that are further apart than rounding. */
function expectSame(actual: readonly Said[], expected: readonly Said[]): void {
  const { loss, gradNorm } = distances(actual, expected)
  for (const [i, distance] of loss.entries()) expect(distance, `loss of step ${i + 1}`).toBeLessThan(1e-5)
  for (const [i, distance] of gradNorm.entries()) expect(distance, `norm of step ${i + 1}`).toBeLessThan(1e-5)
}

/** A fit of 21 samples: two of them are none, the last batch is not full and smaller than three processes, and the noise encoder drops values. */
const uneven = { create: { ...trainingConfig, dropout: 0.1 }, trainer: { ...trainer, clip: 0.5, ema: 0.9 }, length: 21, nulls: [2, 7] }

/** Refuses weights of processes that are not the same, and samples of {@link uneven} that are not read by one of them each epoch. */
function expectShared(all: readonly (readonly Said[])[], epochs: number): void {
  expect(new Set(all.map(hashOf)).size).toBe(1)
  expect(hashOf(all[0]!)).toMatch(/^[\da-f]{64}$/)
  const reads = all.map((said) => (of(said, 'read')[0]!.read as number[]).length)
  expect(reads.reduce((sum, each) => sum + each)).toBe(epochs * 21)
  for (const each of reads) expect(Math.abs(each - (epochs * 21) / all.length)).toBeLessThanOrEqual(epochs)
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

describe.skipIf(!hasGloo)('several processes', () => {
  it(
    'take the steps that one takes, each with its part of the data, and have the same weights bit for bit',
    async () => {
      const fit = (batch: number) => ({ fit: { epochs: 1, batch } })
      const one = await alone({ ...uneven, ...fit(6) })
      const all = await runGroup(3, { ...uneven, ...fit(2) })
      for (const said of all) {
        const { loss, gradNorm } = distances(said, one)
        expect(Math.max(...loss)).toBeLessThan(1e-5)
        // Of the later ones a kink of ReLU may make more: the next test has their measure.
        expect(gradNorm[0]).toBeLessThan(1e-5)
      }
      expectShared(all, 1)
    },
    patience,
  )

  it.runIf(nightly)(
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

  it(
    'accumulate and freeze as one does',
    async () => {
      const scenario = { create: trainingConfig, trainer: { ...trainer, accumulate: 2, frozen: ['audio_net.', 'visual_net.'] }, length: 8 }
      const one = await alone({ ...scenario, fit: { epochs: 1, batch: 4 } })
      const all = await runGroup(2, { ...scenario, fit: { epochs: 1, batch: 2 } })
      for (const said of all) expectSame(said, one)
      expect(new Set(all.map(hashOf)).size).toBe(1)
    },
    patience,
  )

  it(
    'validate and score as one does',
    async () => {
      const scenario = { create: trainingConfig, trainer, length: 7, evaluate: {} }
      const fit = (batch: number) => ({ fit: { epochs: 1, batch, validated: { batch: 1 } } })
      const one = await alone({ ...scenario, ...fit(2) })
      const all = await runGroup(2, { ...scenario, ...fit(1) })
      const scores = of(one, 'scores')[0]!.scores as { frames: number; mean: Record<string, number> }
      expect(scores.frames).toBe(7)
      for (const said of all) {
        for (const found of [of(said, 'scores')[0]!.scores, of(said, 'validation')[0]!.scores] as (typeof scores)[]) {
          expect(found.frames).toBe(7)
          for (const [name, value] of Object.entries(scores.mean)) expect(found.mean[name], name).toBeCloseTo(value, 4)
        }
      }
      // The two ranks' are one result.
      expect(of(all[0]!, 'scores')).toEqual(of(all[1]!, 'scores'))
    },
    patience,
  )

  it(
    'go on from a checkpoint, bit for bit with as many processes, and with the same data with another number',
    async () => {
      const scenario = { create: trainingConfig, trainer, length: 12 }
      const fit = (batch: number, checkpointDir: string) => ({ fit: { epochs: 2, batch, checkpointDir, every: 1, keep: 9 } })
      const whole = temporaryPath('whole')
      const through = await runGroup(2, { ...scenario, ...fit(2, whole) })
      // One process writes them.
      expect(readdirSync(whole).sort()).toEqual([1, 2, 3, 4, 5, 6].map((step) => `step-0000000${step}.safetensors`))
      expect(of(through[0]!, 'checkpoint').length).toBe(6)
      expect(of(through[1]!, 'checkpoint')).toEqual([])

      const from = `${whole}/step-00000002.safetensors`
      const again = await runGroup(2, { ...scenario, resume: from, ...fit(2, temporaryPath('again')) })
      for (const [rank, said] of again.entries()) {
        expect(numbers(said)).toEqual(numbers(through[rank]!).slice(2))
        expect(hashOf(said)).toBe(hashOf(through[0]!))
      }
      const single = await alone({ ...scenario, resume: from, ...fit(4, temporaryPath('single')) })
      expect(numbers(single).map(({ samples, step }) => [samples, step])).toEqual([3, 4, 5, 6].map((step) => [4, step]))
      for (const [i, { loss }] of numbers(single).entries()) expect(Math.abs(loss! / numbers(through[0]!)[2 + i]!.loss! - 1)).toBeLessThan(1e-5)
    },
    patience,
  )
})
