import { expect } from 'vitest'
import { startMember, type Said } from '../support/group.ts'
import { trainingConfig } from '../support/training.ts'

// Adam divides by the gradient's own size: without some epsilon, a gradient that is nothing but rounding would move its weight as far as any. And
// long steps would carry rounding over the kinks of ReLU.
export const trainer = { lr: 1e-5, eps: 1e-2, seed: 3 }
export const patience = 300_000

export const of = (said: readonly Said[], type: string) => said.filter((event) => event.type === type)
export const numbers = (said: readonly Said[]) =>
  of(said, 'step').map(({ step, epoch, samples, loss, gradNorm }) => ({ step, epoch, samples, loss, gradNorm }) as Record<string, number>)
export const hashOf = (said: readonly Said[]) => of(said, 'hash')[0]?.hash as string

/** One process by itself, without a group. */
export const alone = (scenario: object): Promise<Said[]> => startMember({ ...scenario, join: null }).events

/** How far losses and norms are from those of the same steps of another run, relatively. */
export function distances(actual: readonly Said[], expected: readonly Said[]): { loss: number[]; gradNorm: number[] } {
  const [now, then] = [numbers(actual), numbers(expected)]
  expect(now.length).toBe(then.length)
  for (const [i, { step, epoch, samples }] of then.entries()) expect(now[i]).toMatchObject({ step, epoch, samples })
  const of = (name: string): number[] => then.map((step, i) => Math.abs(now[i]![name]! / step[name]! - 1))
  return { loss: of('loss'), gradNorm: of('gradNorm') }
}

/** Refuses losses and norms that are further apart than rounding. */
export function expectSame(actual: readonly Said[], expected: readonly Said[]): void {
  const { loss, gradNorm } = distances(actual, expected)
  for (const [i, distance] of loss.entries()) expect(distance, `loss of step ${i + 1}`).toBeLessThan(1e-5)
  for (const [i, distance] of gradNorm.entries()) expect(distance, `norm of step ${i + 1}`).toBeLessThan(1e-5)
}

/** A fit of 21 samples: two of them are none, the last batch is not full and smaller than three processes, and the noise encoder drops values. */
export const uneven = { create: { ...trainingConfig, dropout: 0.1 }, trainer: { ...trainer, clip: 0.5, ema: 0.9 }, length: 21, nulls: [2, 7] }

/** Refuses weights of processes that are not the same, and samples of {@link uneven} that are not read by one of them each epoch. */
export function expectShared(all: readonly (readonly Said[])[], epochs: number): void {
  expect(new Set(all.map(hashOf)).size).toBe(1)
  expect(hashOf(all[0]!)).toMatch(/^[\da-f]{64}$/)
  const reads = all.map((said) => (of(said, 'read')[0]!.read as number[]).length)
  expect(reads.reduce((sum, each) => sum + each)).toBe(epochs * 21)
  for (const each of reads) expect(Math.abs(each - (epochs * 21) / all.length)).toBeLessThanOrEqual(epochs)
}
