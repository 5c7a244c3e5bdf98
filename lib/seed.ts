import { randomInt } from 'node:crypto'
import { invalidArgumentText } from './errors.ts'
import { checkInteger } from './options.ts'

/** The greatest seed: libtorch's generator takes 32 bits of one. */
export const maxSeed = 2 ** 32 - 1

/** An integer from 0 to {@link maxSeed}. */
export function checkSeed(argument: string, seed: unknown): number {
  return checkInteger(argument, seed, 0, maxSeed)
}

/** One seed for all samples of a batch, or one each. */
export function checkSeeds(seed: unknown, batch: number): number[] {
  if (!Array.isArray(seed)) return Array<number>(batch).fill(checkSeed('seed', seed))
  if (seed.length !== batch) throw invalidArgumentText('seed', `a number or ${batch} of them`, `${seed.length}`)
  return Array.from<unknown, number>(seed, (value, i) => checkSeed(`seed[${i}]`, value))
}

/** A seed by chance. */
export function drawSeed(): number {
  return randomInt(maxSeed + 1)
}
