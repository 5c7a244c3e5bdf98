import { checkChoice, checkInteger, checkList, checkNumber, checkOptions } from '../checks/options.ts'
import { describe, invalidArgument, invalidArgumentText } from '../errors.ts'

/** How the learning rate changes from step to step. All lengths are in steps. */
export interface LearningRateSchedule {
  /** `constant`; `multistep`: times `gamma` at each milestone; `cosine`: falls to 0 after `total` along a half cosine. Default `constant`. */
  kind?: 'constant' | 'multistep' | 'cosine' | undefined
  /** Of `multistep`, which needs them: the steps after which the rate falls, ascending. */
  milestones?: readonly number[] | undefined
  /** Of `multistep`: what each milestone multiplies the rate by. Default 0.1. */
  gamma?: number | undefined
  /** Of `cosine`, which needs it: how many steps have a rate, those of the warm-up included; after them it is 0, and a fit that is longer warns. */
  total?: number | undefined
  /** Steps over which the rate rises in a line from nearly 0, before the rest applies. Default 0. */
  warmup?: number | undefined
}

/** A rate that stays as it is once it is warm. */
export interface ConstantSchedule {
  /** Which schedule. */
  kind: 'constant'
  /** Steps over which the rate rises. */
  warmup: number
}

/** A rate that falls at milestones. */
export interface MultistepSchedule {
  /** Which schedule. */
  kind: 'multistep'
  /** The steps after which the rate falls. */
  milestones: number[]
  /** What each milestone multiplies the rate by. */
  gamma: number
  /** Steps over which the rate rises. */
  warmup: number
}

/** A rate that falls to 0 along a half cosine. */
export interface CosineSchedule {
  /** Which schedule. */
  kind: 'cosine'
  /** How many steps have a rate, the warm-up's included. */
  total: number
  /** Steps over which the rate rises. */
  warmup: number
}

/** A complete, checked schedule. All lengths are in steps. */
export type ResolvedSchedule = ConstantSchedule | MultistepSchedule | CosineSchedule

/** Refuses what is no schedule, and what another kind's would silently ignore. */
export function resolveSchedule(argument: string, given: LearningRateSchedule | undefined): ResolvedSchedule {
  const { kind = 'constant', warmup = 0, ...rest } = checkOptions<LearningRateSchedule>(argument, given, ['kind', 'milestones', 'gamma', 'total', 'warmup'])
  checkChoice(`${argument}.kind`, kind, ['constant', 'multistep', 'cosine'])
  checkInteger(`${argument}.warmup`, warmup, 0)
  const known = { constant: [], multistep: ['milestones', 'gamma'], cosine: ['total'] }[kind] as string[]
  const idle = Object.entries(rest).find(([name, value]) => value !== undefined && !known.includes(name))
  if (idle) throw invalidArgumentText(`${argument}.${idle[0]}`, `left out of a schedule that is '${kind}'`, describe(idle[1]))
  if (kind === 'constant') return { kind, warmup }
  if (kind === 'cosine') return { kind, warmup, total: checkInteger(`${argument}.total`, rest.total, Math.max(1, warmup + 1)) }
  const { milestones, gamma = 0.1 } = rest
  const expected = 'an ascending list of steps, from 1'
  const steps = checkList(`${argument}.milestones`, milestones, expected)
  const ascending = steps.every((step, i) => Number.isSafeInteger(step) && (step as number) > ((steps[i - 1] as number) ?? 0))
  if (!ascending) throw invalidArgument(`${argument}.milestones`, expected, steps)
  return { kind, warmup, milestones: steps as number[], gamma: checkNumber(`${argument}.gamma`, gamma, 0, 1) }
}
