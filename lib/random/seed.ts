import { randomInt } from 'node:crypto'
import { checkInteger, checkOneOrEach } from '../checks/options.ts'
import { integer, type Declared } from '../checks/table.ts'

/** The greatest seed: libtorch's generator takes 32 bits of one. */
export const maxSeed = 2 ** 32 - 1

/** An integer from 0 to {@link maxSeed}. */
export function checkSeed(argument: string, seed: unknown): number {
  return checkInteger(argument, seed, 0, maxSeed)
}

/** A seed as an option. */
export const seedOption = <U extends number | undefined = undefined>(more: { readonly usual?: U; readonly help?: string } = {}): Declared<number, U> =>
  integer(0, maxSeed, more)

/** One seed for all samples of a batch, or one each. */
export function checkSeeds(seed: unknown, batch: number): number[] {
  return checkOneOrEach('seed', seed, batch, checkSeed)
}

/** A seed by chance. */
export function drawSeed(): number {
  return randomInt(maxSeed + 1)
}
