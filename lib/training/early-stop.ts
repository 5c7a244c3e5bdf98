import { choice, integer, number, readNested, type OptionTable } from '../checks/table.ts'
import { scored, type ScoreName } from '../metrics/score.ts'

/** When a fit ends before its last epoch. */
export interface EarlyStopOptions {
  /** How many validations in a row without a better one end it. Needed. */
  patience: number
  /** By how much a score must be better than the best one before to count as better. Default 0: any better one does. */
  minDelta?: number | undefined
  /** The score that is looked at: the greater, the better, of `kl` the less. Default: the fit's `by`. */
  by?: ScoreName | undefined
}

/** What there is to know of {@link EarlyStopOptions}. */
export const earlyStopTable = {
  patience: { ...integer(1), needed: true },
  minDelta: number(0, 1e6, { usual: 0 }),
  by: choice(scored),
} satisfies OptionTable<EarlyStopOptions>

/** Complete, checked options. */
export interface EarlyStop {
  readonly patience: number
  readonly minDelta: number
  readonly by: ScoreName
}

/** How a fit's validations went, as far as its early stop asks. */
export interface Standstill {
  readonly by: ScoreName
  /** The best score, of those that were better by more than `minDelta`; null where none was a number yet. */
  readonly best: number | null
  /** Validations since. */
  readonly validations: number
}

/** Checks options and fills in the defaults. */
export function checkEarlyStop(argument: string, given: EarlyStopOptions, by: ScoreName): EarlyStop {
  const options = readNested<EarlyStopOptions, typeof earlyStopTable>(argument, given, earlyStopTable)
  return { patience: options.patience, minDelta: options.minDelta, by: options.by ?? by }
}

/** Whether one score is better than another, by more than `margin`. */
export function isBetter(by: ScoreName, score: number, than: number, margin = 0): boolean {
  return by === 'kl' ? score < than - margin : score > than + margin
}

/** How it stands after one more validation. A score that is undefined, or infinite, is no better one. */
export function afterValidation({ by, minDelta }: EarlyStop, before: Standstill | null, score: number): Standstill {
  const { best = null, validations = 0 } = before ?? {}
  const better = Number.isFinite(score) && (best === null || isBetter(by, score, best, minDelta))
  return better ? { by, best: score, validations: 0 } : { by, best, validations: validations + 1 }
}

/** Whether what a checkpoint holds is one. */
export function isStandstill(stored: unknown): stored is Standstill {
  const { by, best, validations } = (stored ?? {}) as Partial<Standstill>
  return scored.includes(by as ScoreName) && (best === null || Number.isFinite(best)) && Number.isSafeInteger(validations) && validations! >= 0
}
