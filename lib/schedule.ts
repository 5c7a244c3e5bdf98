import { native } from './addon/native.ts'
import { checkChoice, checkInteger, checkNumber, checkOptions } from './checks/options.ts'
import { mostTimesteps, type DiffSalConfig } from './config.ts'
import { invalidArgumentText } from './errors.ts'
import { checkTensor, type Tensor } from './tensor.ts'

/** What decides the times of a DDIM run. */
export interface DdimTimesOptions {
  /** Diffusion times. Default 1000. */
  T?: number | undefined
  /** `paper`: Algorithm 2's linspace(-1, T - 1, steps + 1). `released`: range(0, T, ⌊T / steps⌋). Default `paper`. */
  dialect?: 'paper' | 'released' | undefined
}

/** What decides one DDIM update beside the two maps and times. */
export interface DdimStepOptions {
  /** Randomness, 0 to 1. Default 0. */
  eta?: number | undefined
  /** Standard normal noise of x's shape, needed where eta is not 0. */
  noise?: Tensor<'float32'> | undefined
  /** Diffusion times. Default 1000. */
  T?: number | undefined
}

/** The diffusion's cosine noise schedule (Nichol and Dhariwal 2021, s = 0.008). */
export const schedule = {
  /**
   * β_t for t = 0 … T - 1, at most 0.999.
   *
   * @param T - diffusion times, 2 to 100 000
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
   */
  betas(T = 1000): Float64Array {
    return native().betas(checkInteger('T', T, 2, mostTimesteps)).data
  },

  /**
   * ᾱ_t = ∏ (1 - β_s), s ≤ t, for t = 0 … T - 1, in the float32 that the sampler uses.
   *
   * @param T - diffusion times, 2 to 100 000
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
   */
  alphaBars(T = 1000): Float32Array {
    return native().alphaBars(checkInteger('T', T, 2, mostTimesteps)).data
  },

  /**
   * The (now, next) times of a DDIM run, descending. `next` = -1 means that the estimate is the result.
   *
   * @param steps - how many, 1 to T
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
   */
  ddimTimes(steps: number, options?: DdimTimesOptions): [now: number, next: number][] {
    const { T = 1000, dialect = 'paper' } = checkOptions('options', options, ['T', 'dialect'])
    checkInteger('T', T, 2, mostTimesteps)
    checkInteger('steps', steps, 1, T)
    checkChoice('dialect', dialect, ['paper', 'released'])
    return native().ddimTimes(T, steps, dialect === 'released')
  },

  /**
   * One DDIM update (eq. 3) of x from time `now` to `next` ≥ 0, given the estimate s0 of the clean map; all float32 of one shape.
   *
   * ε = (√(1/ᾱ_now) x − s0) / √(1/ᾱ_now − 1), σ = η √((1 − ᾱ_now/ᾱ_next)(1 − ᾱ_next)/(1 − ᾱ_now)),
   * x′ = √ᾱ_next s0 + √(1 − ᾱ_next − σ²) ε + σ noise
   *
   * @param x - the noisy map, of any shape
   * @param s0 - the estimate, as of `DiffSal.denoise`
   * @param now - x's time, 1 to T - 1
   * @param next - the result's time, 0 to now - 1
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
   */
  ddimStep(x: Tensor<'float32'>, s0: Tensor<'float32'>, now: number, next: number, options?: DdimStepOptions): Tensor<'float32'> {
    const { eta = 0, noise, T = 1000 } = checkOptions('options', options, ['eta', 'noise', 'T'])
    checkInteger('T', T, 2, mostTimesteps)
    checkInteger('now', now, 1, T - 1)
    checkInteger('next', next, 0, now - 1)
    checkNumber('eta', eta, 0, 1)
    const noisy = checkTensor('x', x, ['float32'])
    const estimate = checkSame('s0', s0, noisy)
    const drawn = noise === undefined ? undefined : checkSame('noise', noise, noisy)
    if (eta > 0 && drawn === undefined) throw invalidArgumentText('noise', 'given where eta is not 0', 'undefined')
    const bars = schedule.alphaBars(T)
    return native().ddimStep(noisy, estimate, bars[now]!, bars[next]!, eta, drawn)
  },
} as const

/** {@link schedule} as one model has it: at its own T and in its dialect. */
export interface ModelSchedule {
  /** Diffusion times. */
  readonly T: number
  /** β_t for t = 0 … T - 1. */
  betas(): Float64Array
  /** ᾱ_t for t = 0 … T - 1. */
  alphaBars(): Float32Array
  /** The (now, next) times of a run of so many steps, 1 to T. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT */
  ddimTimes(steps: number): [now: number, next: number][]
  /** One DDIM update, as of {@link schedule}. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT */
  ddimStep(x: Tensor<'float32'>, s0: Tensor<'float32'>, now: number, next: number, options?: Omit<DdimStepOptions, 'T'>): Tensor<'float32'>
}

/** The schedule of models of a configuration. */
export function scheduleOf({ timesteps: T, dialect }: Pick<DiffSalConfig, 'timesteps' | 'dialect'>): ModelSchedule {
  return {
    T,
    betas: () => schedule.betas(T),
    alphaBars: () => schedule.alphaBars(T),
    ddimTimes: (steps) => schedule.ddimTimes(steps, { T, dialect }),
    ddimStep: (x, s0, now, next, options) => schedule.ddimStep(x, s0, now, next, { ...checkOptions('options', options, ['eta', 'noise']), T }),
  }
}

function checkSame(argument: string, tensor: Tensor, like: Tensor): Tensor<'float32'> {
  const checked = checkTensor(argument, tensor, ['float32'])
  const [shape, wanted] = [checked.shape.join(', '), like.shape.join(', ')]
  if (shape !== wanted) throw invalidArgumentText(`${argument}.shape`, `x's (${wanted})`, `(${shape})`)
  return checked
}
