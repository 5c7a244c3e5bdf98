import { native } from './native.ts'
import { checkChoice, checkInteger, checkOptions } from './options.ts'

/** What decides the times of a DDIM run. */
export interface DdimTimesOptions {
  /** Diffusion times. Default 1000. */
  T?: number
  /** `paper`: Algorithm 2's linspace(-1, T - 1, steps + 1). `released`: range(0, T, ⌊T / steps⌋). Default `paper`. */
  dialect?: 'paper' | 'released'
}

/** The diffusion's cosine noise schedule (Nichol and Dhariwal 2021, s = 0.008). */
export const schedule = {
  /** β_t for t = 0 … T - 1, at most 0.999. */
  betas(T = 1000): Float64Array {
    return native().betas(checkInteger('T', T, 2, 100_000)).data
  },

  /** ᾱ_t = ∏ (1 - β_s), s ≤ t, for t = 0 … T - 1, in the float32 that the sampler uses. */
  alphaBars(T = 1000): Float32Array {
    return native().alphaBars(checkInteger('T', T, 2, 100_000)).data
  },

  /** The (now, next) times of a DDIM run of `steps` steps, descending. `next` = -1 means that the estimate is the result. */
  ddimTimes(steps: number, options?: DdimTimesOptions): [now: number, next: number][] {
    const { T = 1000, dialect = 'paper' } = checkOptions('options', options, ['T', 'dialect'])
    checkInteger('T', T, 2, 100_000)
    checkInteger('steps', steps, 1, T)
    checkChoice('dialect', dialect, ['paper', 'released'])
    return native().ddimTimes(T, steps, dialect === 'released')
  },
} as const
