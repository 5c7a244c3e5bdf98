import type { DataPosition } from '../datasets/shuffled-indices.ts'
import { describe, DiffSalError } from '../errors.ts'
import { scored, type ScoreName } from '../metrics/score.ts'
import { isStandstill, type Standstill } from './early-stop.ts'
import type { FitPlan } from './fit-options.ts'

/** How a validation scored the model. */
export interface BestScore {
  readonly by: ScoreName
  readonly score: number
}

/** What a fit's checkpoint holds beside the trainer's state: all that going on takes. */
export interface FitState {
  /** What decides the order of the data. Whoever goes on must give the same. */
  readonly data: { readonly length: number; readonly batch: number; readonly seed: number; readonly dropLast: boolean }
  /** Where the next batch begins. */
  position: DataPosition
  /** Epochs that have ended, with their validation; `position` may be past the end of one more. */
  ended: number
  /** The losses of the epoch so far: their sum over its samples, and how many these are. */
  loss: { sum: number; samples: number }
  /** The best validation so far. */
  best: BestScore | null
  /** How long the validations have not got better, where an early stop asks. */
  standstill: Standstill | null
}

/** A training's checkpoint, and where its fit was. */
export interface Resumed {
  readonly path: string
  readonly step: number
  readonly state: FitState | undefined
  /** Later steps' checkpoints in its folder, which are damaged. */
  readonly passedOver?: readonly number[]
}

/** A fit's beginning. */
export function freshState(length: number, { batch, seed, dropLast }: FitPlan): FitState {
  return { data: { length, batch, seed, dropLast }, position: { epoch: 0, offset: 0 }, ended: 0, loss: { sum: 0, samples: 0 }, best: null, standstill: null }
}

/** The fit's state that a checkpoint holds, checked; undefined where no fit wrote it. */
export function fitStateOf(path: string, stored: unknown): FitState | undefined {
  if (stored === undefined) return undefined
  const state = stored as FitState | null
  const { data, position, ended, loss, best, standstill = null } = state ?? {}
  const counts = [data?.length, data?.batch, data?.seed, position?.epoch, position?.offset, ended, loss?.samples]
  const whole = counts.every((count) => Number.isSafeInteger(count) && count! >= 0)
  const inside = whole && position!.offset < data!.length && (position!.epoch === ended || (position!.epoch === ended! + 1 && position!.offset === 0))
  const scoredSo = best === null || (scored.includes(best?.by as ScoreName) && typeof best?.score === 'number')
  const stands = standstill === null || isStandstill(standstill)
  const told = typeof loss?.sum === 'number' && typeof data?.dropLast === 'boolean'
  if (inside && scoredSo && stands && told && data.batch > 0) return { ...state!, standstill }
  throw new DiffSalError('ERR_DIFFSAL_CHECKPOINT', `'${path}' cannot be resumed: its place in the data is damaged.`, {
    argument: path,
    received: describe(state),
  })
}

/**
 * A copy of the state that a checkpoint holds, for a fit that goes on the same way; refuses one that would go another.
 *
 * @param stored - the best model's score that lies beside the checkpoint
 */
export function resumedState({ path, state }: Resumed & { state: FitState }, stored: BestScore | undefined, length: number, plan: FitPlan): FitState {
  const { batch, seed, dropLast, by, validate, earlyStop } = plan
  const refuse = (name: string, now: unknown, then: unknown) => {
    const remedy = 'To train differently, load its weights with DiffSal.load and make a new trainer'
    throw new DiffSalError(
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      `'${name}' must be ${describe(then)}, as in the checkpoint '${path}' that is resumed, but ${describe(now)} came. ${remedy}.`,
      { argument: name, expected: describe(then), received: describe(now) },
    )
  }
  const now = { 'dataset.length': length, batch, seed, dropLast }
  const { length: samples, ...rest } = state.data
  for (const [name, then] of Object.entries({ 'dataset.length': samples, ...rest })) {
    const value = now[name as keyof typeof now]
    if (value !== then) refuse(name, value, then)
  }
  const best = state.best ?? stored
  if (validate && best && best.by !== by) refuse('by', by, best.by)
  const { standstill } = state
  if (earlyStop && standstill && standstill.by !== earlyStop.by) refuse('earlyStop.by', earlyStop.by, standstill.by)
  return { ...structuredClone(state), standstill: earlyStop ? standstill : null }
}
