import { checkChoice, checkNumber } from '../checks/options.ts'
import { describe, invalidArgumentText, type DiffSalError } from '../errors.ts'
import type { LearningRateSchedule } from '../training/learning-rate.ts'
import type { TrainerOptions } from '../training/options.ts'

/** A schedule whose lengths may be in epochs: who writes a configuration does not know the steps of one. */
export interface RunSchedule extends LearningRateSchedule {
  /** What `milestones`, `total` and `warmup` count. Fractions of epochs are fine. Default `steps`. */
  unit?: 'steps' | 'epochs'
}

/** The options of a trainer, as a run's configuration has them. */
export type RunTrainerOptions = Omit<TrainerOptions, 'schedule'> & { schedule?: RunSchedule }

/** The trainer's own options. The `total` of a cosine in epochs is by default all of them. */
export function scheduleInSteps({ schedule, ...options }: RunTrainerOptions, stepsPerEpoch: number, epochs: number): TrainerOptions {
  if (schedule === undefined) return options
  if (typeof schedule !== 'object' || schedule === null || Array.isArray(schedule)) throw invalidArgumentText('schedule', 'an object', describe(schedule))
  const { unit = 'steps', ...rest } = schedule
  if (checkChoice('schedule.unit', unit, ['steps', 'epochs']) === 'steps') return { ...options, schedule: rest }
  const steps = (name: string, value: unknown): number => Math.round(checkNumber(`schedule.${name}`, value, 0, 1e6) * stepsPerEpoch)
  const scaled: LearningRateSchedule = { ...rest }
  if (rest.warmup !== undefined) scaled.warmup = steps('warmup', rest.warmup)
  if (rest.kind === 'cosine') {
    scaled.total = steps('total', rest.total ?? epochs)
    if (scaled.warmup !== undefined && scaled.warmup >= scaled.total) throw tooLongWarmup(rest.warmup!, scaled.warmup, rest.total ?? epochs, scaled.total)
  }
  if (Array.isArray(rest.milestones)) {
    const inEpochs = rest.milestones as number[]
    // In an epoch of few steps two milestones may fall together; the second then comes a step later.
    let last = 0
    scaled.milestones = inEpochs.map((value, i) => {
      if (i > 0 && value <= inEpochs[i - 1]!) throw invalidArgumentText('schedule.milestones', 'an ascending list of epochs', describe(inEpochs))
      return (last = Math.max(last + 1, steps(`milestones[${i}]`, value)))
    })
  }
  return { ...options, schedule: scaled }
}

/** A cosine needs steps after its warm-up. In epochs of few steps the two may fall together though the epochs do not. */
function tooLongWarmup(warmup: number, warmupSteps: number, total: number, totalSteps: number): DiffSalError {
  const epochs = (count: number): string => `${count} ${count === 1 ? 'epoch' : 'epochs'}`
  if (warmup >= total) return invalidArgumentText('schedule.warmup', `less than the whole schedule of ${epochs(total)}`, epochs(warmup))
  const steps = (count: number): string => `${count} ${count === 1 ? 'step' : 'steps'}`
  return invalidArgumentText(
    'schedule.warmup',
    `less than the whole schedule of ${epochs(total)}, which is ${steps(totalSteps)} here`,
    `${epochs(warmup)}, which is ${steps(warmupSteps)},`,
  )
}
