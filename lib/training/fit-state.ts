import type { DataPosition } from '../datasets/shuffled-indices.ts'
import { describe, DiffSalError } from '../errors.ts'
import type { ScoreName } from '../metrics/score.ts'
import type { FitPlan } from './fit-options.ts'

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
  best: { readonly by: ScoreName; readonly score: number } | null
}

/** A training's checkpoint, and where its fit was. */
export interface Resumed {
  readonly path: string
  readonly step: number
  readonly state: FitState | undefined
}

/** A fit's beginning. */
export function freshState(length: number, { batch, seed, dropLast }: FitPlan): FitState {
  return { data: { length, batch, seed, dropLast }, position: { epoch: 0, offset: 0 }, ended: 0, loss: { sum: 0, samples: 0 }, best: null }
}

/** The fit's state of a checkpoint's `extra`; undefined where no fit wrote it. */
export function fitStateOf(path: string, extra: unknown): FitState | undefined {
  const state = (extra as { fit?: FitState } | null | undefined)?.fit
  if (state === undefined) return undefined
  const { data, position, ended, loss, best } = state ?? {}
  const counts = [data?.length, data?.batch, data?.seed, position?.epoch, position?.offset, ended, loss?.samples]
  const whole = counts.every((count) => Number.isSafeInteger(count) && count! >= 0)
  if (whole && typeof loss?.sum === 'number' && typeof data?.dropLast === 'boolean' && (best === null || typeof best?.score === 'number')) return state
  throw new DiffSalError('ERR_DIFFSAL_CHECKPOINT', `'${path}' cannot be resumed: its place in the data is damaged.`, {
    argument: path,
    received: describe(state),
  })
}

/** A copy of the state that a checkpoint holds, for a fit that goes on the same way; refuses one that would go another. */
export function resumedState({ path, state }: Resumed & { state: FitState }, length: number, plan: FitPlan): FitState {
  const { batch, seed, dropLast, by, validate } = plan
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
  if (validate && state.best && state.best.by !== by) refuse('by', by, state.best.by)
  return structuredClone(state)
}
