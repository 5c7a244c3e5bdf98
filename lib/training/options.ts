import { checkBoolean, checkChoice, checkInteger, checkList, checkNumber, checkOptions, checkString, nearest } from '../checks/options.ts'
import { handsOf, type Group, type GroupHands } from '../distributed/group.ts'
import { invalidArgument, invalidArgumentText } from '../errors.ts'
import { checkSeed, drawSeed } from '../random/seed.ts'
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
  /** The full learning rate. Default 1e-4. */
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
   * Beginnings of the names of parameters that stay as they are; their running statistics still follow the batches. Default
   * ['audio_net.'], VGGish.
   */
  frozen?: readonly string[] | undefined
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

/** Who shares the steps of a trainer. */
export interface SharedTraining {
  readonly hands: GroupHands
  readonly synchronise: boolean
}

/** The options that say who trains, apart from those that say how: a checkpoint keeps only these. */
export function checkSharing(given: TrainerOptions | undefined): { sharing: SharedTraining | undefined; options: TrainerOptions } {
  const { group, synchronise = true, ...options } = checkOptions<TrainerOptions>('options', given, [...names, 'group', 'synchronise'])
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
  /** Beginnings of the names of parameters that stay as they are; of the default only what the model has. */
  frozen: string[]
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

const names = [
  ...(['lr', 'optimiser', 'betas', 'eps', 'weightDecay', 'clip', 'loss', 'terms', 'schedule', 'accumulate', 'ema', 'frozen', 'times'] as const),
  ...(['dequantisation', 'dropout', 'precision', 'seed'] as const),
]

/** What the options of a trainer depend on. */
export interface ModelFacts {
  device: string
  dropout: number
  timesteps: number
  /** Names of the parameters, without the running statistics. */
  parameters: readonly string[]
}

/** Checks options and fills in the defaults. */
export function resolveTrainerOptions(given: TrainerOptions | undefined, model: ModelFacts, sharedSeed?: number): ResolvedTrainerOptions {
  const options = checkOptions<TrainerOptions>('options', given, names)
  const { lr = 1e-4, optimiser = 'adam', betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, clip = 1, loss = 'mse' } = options
  const { accumulate = 1, ema = null, frozen = ['audio_net.'], dequantisation = 0.01, dropout = model.dropout, precision = 'float32', times = [{}] } = options
  const [kept, keptOfSquares] = checkList('betas', betas, 'two numbers', 2, 2)
  if (clip !== null && !(checkNumber('clip', clip, 0, Number.MAX_VALUE) > 0)) throw invalidArgument('clip', 'greater than 0, or null for none', clip)
  checkChoice('precision', precision, ['float32', 'bfloat16'])
  if (precision === 'bfloat16' && !model.device.startsWith('cuda')) {
    throw invalidArgumentText('precision', `'float32' on the device ${model.device}`, "'bfloat16'")
  }
  return {
    lr: checkNumber('lr', lr, 0, 1e3),
    optimiser: checkChoice('optimiser', optimiser, ['adam', 'adamw']),
    betas: [checkNumber('betas[0]', kept, 0, below1), checkNumber('betas[1]', keptOfSquares, 0, below1)],
    eps: checkNumber('eps', eps, leastEps, 1),
    weightDecay: checkNumber('weightDecay', weightDecay, 0, 1e3),
    clip,
    loss: checkChoice('loss', loss, ['mse', 'ce', 'kl']),
    terms: checkTerms(options.terms),
    schedule: resolveSchedule('schedule', options.schedule),
    accumulate: checkInteger('accumulate', accumulate, 1, 65536),
    ema: ema === null ? null : checkNumber('ema', ema, 0, below1),
    frozen: checkFrozen(frozen, options.frozen !== undefined, model.parameters),
    times: resolveTimes(times, model.timesteps),
    dequantisation: checkNumber('dequantisation', dequantisation, 0, 1),
    dropout: checkNumber('dropout', dropout, 0, 0.99),
    precision,
    seed: checkSeed('seed', options.seed ?? sharedSeed ?? drawSeed()),
  }
}

/** Far below what anyone means, and not yet 0 in a float32: a weight without a gradient would be divided by it. */
const leastEps = 1e-30

/** The greatest double below 1: a mean that keeps everything never moves. */
const below1 = 1 - Number.EPSILON / 2

/** Checks the weights of the loss's metrics. */
export function checkTerms(given: TrainerOptions['terms']): ResolvedTrainerOptions['terms'] {
  const { cc = 0, sim = 0, nss = 0 } = checkOptions('terms', given, ['cc', 'sim', 'nss'])
  const check = (name: string, weight: unknown) => checkNumber(`terms.${name}`, weight, -1e6, 1e6)
  return { cc: check('cc', cc), sim: check('sim', sim), nss: check('nss', nss) }
}

/** Beginnings that freeze nothing are spelling mistakes, but for the default's in a model that does not hear. */
function checkFrozen(frozen: unknown, given: boolean, parameters: readonly string[]): string[] {
  const beginnings = checkList('frozen', frozen, "a list of beginnings of parameters' names").map((beginning, i) => checkString(`frozen[${i}]`, beginning))
  beginnings.forEach((beginning, i) => {
    if (!given || parameters.some((name) => name.startsWith(beginning))) return
    const parts = parameters.flatMap((name) => name.split('.').map((_, j, words) => words.slice(0, j + 1).join('.')))
    const near = nearest(beginning, [...new Set(parts)])
    throw invalidArgument(`frozen[${i}]`, `the beginning of a parameter's name${near === undefined ? '' : ` (did you mean '${near}'?)`}`, beginning)
  })
  if (parameters.every((name) => beginnings.some((beginning) => name.startsWith(beginning)))) {
    throw invalidArgument('frozen', 'something that leaves a parameter to train', frozen)
  }
  // Of the default, what this model has: a checkpoint's options are checked as given ones.
  return given ? beginnings : beginnings.filter((beginning) => parameters.some((name) => name.startsWith(beginning)))
}
