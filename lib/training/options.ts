import { checkBoolean, checkList, checkNumber, checkOptions, orUsual } from '../checks/options.ts'
import { choice, integer, later, namesOf, number, readNested, readOptions, yes, type Option, type OptionTable } from '../checks/table.ts'
import { handsOf, type Group, type GroupHands } from '../distributed/group.ts'
import { invalidArgument, invalidArgumentText } from '../errors.ts'
import { drawSeed, seedOption } from '../random/seed.ts'
import { checkPatterns, isMeant, membersOf, resolveGroups, type ParameterGroup, type ResolvedParameterGroup } from './groups.ts'
import { resolveSchedule, type LearningRateSchedule, type ResolvedSchedule } from './learning-rate.ts'
import { resolveTimes, type ResolvedTimeRange, type TimeRange } from './times.ts'

/** Weights of metrics in a loss; a negative one rewards the metric. The authors' program offers −0.1 of each. */
export interface LossTerms {
  /** Of the linear correlation coefficient of map and target. Default 0. */
  cc?: number | undefined
  /** Of their similarity. Default 0. */
  sim?: number | undefined
  /** Of the normalised scanpath saliency, which needs a batch's fixations. Default 0. */
  nss?: number | undefined
}

/** How to train. The defaults are the paper's (section 4.1). */
export interface TrainerOptions {
  /** The full learning rate, which `Trainer.lr` may change later. Default 1e-4. */
  lr?: number | undefined
  /** Adam, or AdamW, whose weights decay by themselves instead of through the gradient. Default `adam`. */
  optimiser?: 'adam' | 'adamw' | undefined
  /** How much of the running means of gradient and squared gradient a step keeps. Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined
  /** Added to the root of the squared gradient's mean, at least 1e-30. Default 1e-8. */
  eps?: number | undefined
  /** How fast weights shrink towards 0, at least 0: `adam` adds it times the weight to the gradient, `adamw` takes it off times the rate. Default 0. */
  weightDecay?: number | undefined
  /** The greatest norm of all gradients together; they are scaled down to it. `null` for none. Default 1. */
  clip?: number | null | undefined
  /**
   * Table 5's losses between map and target, each the mean over the batch. `mse`: the squares summed over the pixels; `ce`: binary
   * cross-entropy summed over the pixels; `kl`: the divergence of both scaled to sum 1. Default `mse`.
   */
  loss?: 'mse' | 'ce' | 'kl' | undefined
  /** Metrics that are added to the loss. Default: none. */
  terms?: LossTerms | undefined
  /** How the rate changes from step to step. Default: it stays as it is. */
  schedule?: LearningRateSchedule | undefined
  /**
   * Into how many parts each batch is cut; they are computed one after the other and their gradients added, which takes the memory of
   * one part. Only BatchNorm sees the difference. Divides the batch. Default 1.
   */
  accumulate?: number | undefined
  /** Keeps a running average of the weights too, of which each step keeps this part (0.999, say). Default: none. */
  ema?: number | null | undefined
  /**
   * Parameters that are trained another way than the rest: with a part of the learning rate, another weight decay, or not at all. One that
   * several groups mean belongs to the first of them. What `frozen` names stays as it is in any group. Default: none.
   */
  groups?: readonly ParameterGroup[] | undefined
  /**
   * Parameters that stay as they are: beginnings of names (`visual_net.`), or, with `*` for any text, whole names (`*.bias`). Their running
   * statistics still follow the batches. Default ['audio_net.'], VGGish.
   */
  frozen?: readonly string[] | undefined
  /** Whether each step's gradients are kept for `Trainer.gradients`, which takes once more the memory of the weights. Default false. */
  keepGradients?: boolean | undefined
  /** Where the diffusion times are drawn from. Default [{ first: 0, last: T − 1 }], all alike, as the paper does. */
  times?: readonly TimeRange[] | undefined
  /** Deviation of the normal noise that is added to the target (Gaussian dequantisation); 0 for none. Default 0.01. */
  dequantisation?: number | undefined
  /** Share of values that the noise encoder's blocks drop while training, 0 to 0.99. Default: the configuration's, the paper's 0.1. */
  dropout?: number | undefined
  /** `bfloat16`: matrix products and convolutions in bfloat16 (autocast), on CUDA only. Default `float32`. */
  precision?: 'float32' | 'bfloat16' | undefined
  /** Decides times, noise and dropout, 0 to 2^32 - 1. Default: drawn; in a group, by rank 0 for all. */
  seed?: number | undefined
  /**
   * Processes that share each step: each computes its part of the batch, and all take the same step. Rank 0's weights are taken by all. Default:
   * none, this process trains alone.
   */
  group?: Group | undefined
  /**
   * Whether BatchNorm's statistics, in a group, are those of the whole batch, as of one process alone. With false they are each process's own, which
   * saves a message a layer, and the running ones are rank 0's. Default true.
   */
  synchronise?: boolean | undefined
}

/** How to train, whoever takes part. */
type OwnTrainerOptions = Omit<TrainerOptions, 'group' | 'synchronise'>

/** Who shares the steps of a trainer. */
export interface SharedTraining {
  readonly hands: GroupHands
  readonly synchronise: boolean
}

/** The options that say who trains, apart from those that say how: a checkpoint keeps only these. */
export function checkSharing(given: TrainerOptions | undefined): { sharing: SharedTraining | undefined; options: OwnTrainerOptions } {
  const { group, synchronise = true, ...options } = checkOptions<TrainerOptions>('options', given, [...namesOf(trainerTable), 'group', 'synchronise'])
  checkBoolean('synchronise', synchronise)
  return { sharing: group === undefined ? undefined : { hands: handsOf(group), synchronise }, options }
}

/** Complete, checked options, as a checkpoint keeps them. */
export interface ResolvedTrainerOptions {
  /** The full learning rate. */
  lr: number
  /** Adam or AdamW. */
  optimiser: 'adam' | 'adamw'
  /** How much of the running means of gradient and squared gradient a step keeps. */
  betas: [number, number]
  /** Added to the root of the squared gradient's mean. */
  eps: number
  /** How fast weights shrink towards 0. */
  weightDecay: number
  /** The greatest norm of all gradients together; null for none. */
  clip: number | null
  /** Table 5's loss. */
  loss: 'mse' | 'ce' | 'kl'
  /** Weights of the metrics that are added to the loss, 0 for none. */
  terms: {
    /** Of the linear correlation coefficient. */
    cc: number
    /** Of the similarity. */
    sim: number
    /** Of the normalised scanpath saliency. */
    nss: number
  }
  /** How the rate changes from step to step. */
  schedule: ResolvedSchedule
  /** Into how many parts each batch is cut. */
  accumulate: number
  /** How much of the weights' running average a step keeps; null where none is kept. */
  ema: number | null
  /** Parameters that are trained another way than the rest. */
  groups: ResolvedParameterGroup[]
  /** Beginnings or patterns of the names of parameters that stay as they are; of the default only what the model has. */
  frozen: string[]
  /** Whether each step's gradients are kept. */
  keepGradients: boolean
  /** Where the diffusion times are drawn from. */
  times: ResolvedTimeRange[]
  /** Deviation of the normal noise that is added to the target. */
  dequantisation: number
  /** Share of values that the noise encoder's blocks drop while training. */
  dropout: number
  /** The type of matrix products and convolutions. */
  precision: 'float32' | 'bfloat16'
  /** Decides times, noise and dropout; drawn where none was given. */
  seed: number
}

/** What the options of a trainer depend on. */
export interface ModelFacts {
  device: string
  dropout: number
  timesteps: number
  /** Names of the parameters, without the running statistics. */
  parameters: readonly string[]
}

/** Far below what anyone means, and not yet 0 in a float32: a weight without a gradient would be divided by it. */
const leastEps = 1e-30

/** The greatest double below 1: a mean that keeps everything never moves. */
const below1 = 1 - Number.EPSILON / 2

/** As another option, or null. */
function orNull<T>({ check }: Option<T>): Option<T | null> {
  return { check: (argument, value) => (value === null ? null : check(argument, value)) }
}

const positive: Option<number> = {
  check(argument, value) {
    if (checkNumber(argument, value, 0, Number.MAX_VALUE) > 0) return value as number
    throw invalidArgument(argument, 'greater than 0, or null for none', value)
  },
}

const [optimisers, losses, types] = [['adam', 'adamw'] as const, ['mse', 'ce', 'kl'] as const, ['float32', 'bfloat16'] as const]

/** A loss and its terms, which `trainingLoss` has too. */
export const lossTable = { loss: choice(losses, { usual: 'mse' }), terms: later<LossTerms>() }

const betas: Option<[number, number]> = {
  check(argument, value) {
    const [kept, keptOfSquares] = checkList(argument, value, 'two numbers', 2, 2)
    return [checkNumber(`${argument}[0]`, kept, 0, below1), checkNumber(`${argument}[1]`, keptOfSquares, 0, below1)]
  },
}

/** The full learning rate. */
export const lrOption = number(0, 1e3, { usual: 1e-4 })

/** What there is to know of {@link TrainerOptions}. */
export const trainerTable = {
  lr: lrOption,
  optimiser: choice(optimisers, { usual: 'adam' }),
  betas,
  eps: number(leastEps, 1, { usual: 1e-8 }),
  weightDecay: number(0, 1e3, { usual: 0 }),
  clip: orNull(positive),
  ...lossTable,
  accumulate: integer(1, 65_536, { usual: 1 }),
  ema: orNull(number(0, below1)),
  keepGradients: yes({ usual: false }),
  dequantisation: number(0, 1, { usual: 0.01 }),
  dropout: number(0, 0.99),
  precision: choice(types, { usual: 'float32' }),
  seed: seedOption(),
  // What these must be depends on the model, or on each other.
  schedule: later<LearningRateSchedule>(),
  groups: later<readonly ParameterGroup[]>(),
  frozen: later<readonly string[]>(),
  times: later<readonly TimeRange[]>(),
} satisfies OptionTable<OwnTrainerOptions>

/** Checks options and fills in the defaults. */
export function resolveTrainerOptions(given: OwnTrainerOptions | undefined, model: ModelFacts, sharedSeed?: number): ResolvedTrainerOptions {
  const options = readOptions<OwnTrainerOptions, typeof trainerTable>('options', given, trainerTable)
  const { lr, optimiser, eps, weightDecay, clip = 1, loss, accumulate, ema = null, keepGradients, dequantisation, dropout = model.dropout, precision } = options
  if (precision === 'bfloat16' && model.device === 'cpu') {
    throw invalidArgumentText('precision', `'float32' on the device ${model.device}`, "'bfloat16'")
  }
  const frozen = resolveFrozen(options.frozen, model.parameters)
  const groups = resolveGroups(orUsual(options.groups, []), { weightDecay, frozen, parameters: model.parameters })
  if (membersOf({ groups, frozen }, model.parameters).frozen.length === model.parameters.length) {
    throw invalidArgument(
      groups.some((group) => group.frozen) ? 'groups' : 'frozen',
      'something that leaves a parameter to train',
      options.frozen ?? options.groups,
    )
  }
  return {
    lr,
    optimiser,
    betas: [...(options.betas ?? [0.9, 0.999])],
    eps,
    weightDecay,
    clip,
    loss,
    terms: checkTerms(options.terms),
    schedule: resolveSchedule('schedule', options.schedule),
    accumulate,
    ema,
    groups,
    frozen,
    keepGradients,
    times: resolveTimes(orUsual(options.times, [{}]), model.timesteps),
    dequantisation,
    dropout,
    precision,
    seed: options.seed ?? sharedSeed ?? drawSeed(),
  }
}

const termsTable = {
  cc: number(-1e6, 1e6, { usual: 0 }),
  sim: number(-1e6, 1e6, { usual: 0 }),
  nss: number(-1e6, 1e6, { usual: 0 }),
} satisfies OptionTable<LossTerms>

/** Checks the weights of the loss's metrics. */
export function checkTerms(given: TrainerOptions['terms']): ResolvedTrainerOptions['terms'] {
  const { cc, sim, nss } = readNested<LossTerms, typeof termsTable>('terms', given, termsTable)
  return { cc, sim, nss }
}

/** What is frozen; of the default only what the model has, for a checkpoint's options are checked as given ones. */
function resolveFrozen(given: unknown, parameters: readonly string[]): string[] {
  if (given !== undefined) return checkPatterns('frozen', given, parameters)
  return ['audio_net.'].filter((pattern) => parameters.some((name) => isMeant(pattern, name)))
}
