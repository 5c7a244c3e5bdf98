import { checkInteger, checkList, checkNumber, checkOptions } from '../checks/options.ts'
import { invalidArgument } from '../errors.ts'

/**
 * Diffusion times that a training draws from. At a late time little of the target is left in the noisy map, and the clip has to tell
 * where it is; at an early one the noisy map gives the answer away.
 */
export interface TimeRange {
  /** The earliest, 0 to T − 1. Default 0. */
  first?: number | undefined
  /** The latest. Default T − 1. */
  last?: number | undefined
  /** How often times come from this range, in proportion to the others' weights. Default 1. */
  weight?: number | undefined
}

/** A complete, checked range. */
export interface ResolvedTimeRange {
  /** The earliest time. */
  first: number
  /** The latest time. */
  last: number
  /** How often times come from this range, in proportion to the others' weights. */
  weight: number
}

/** Checks ranges and fills in what they leave out. */
export function resolveTimes(given: unknown, timesteps: number): ResolvedTimeRange[] {
  return checkList('times', given, 'a list of ranges of diffusion times', 1).map((range, i) => {
    const name = `times[${i}]`
    if (range === undefined) throw invalidArgument(name, 'a range of diffusion times', range)
    const { first = 0, last = timesteps - 1, weight = 1 } = checkOptions<TimeRange>(name, range as TimeRange, ['first', 'last', 'weight'])
    checkInteger(`${name}.first`, first, 0, timesteps - 1)
    checkInteger(`${name}.last`, last, first, timesteps - 1)
    if (!(checkNumber(`${name}.weight`, weight, 0, 1e6) > 0)) throw invalidArgument(`${name}.weight`, 'greater than 0', weight)
    return { first, last, weight }
  })
}
