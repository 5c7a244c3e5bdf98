import { checkInteger, checkOneOrEach } from './options.ts'
import type { Tensor } from './tensor.ts'

/** Diffusion times, 0 to T - 1: one for all of a batch's samples or one each. */
export function checkDiffusionTimes(t: unknown, batch: number, timesteps: number): Tensor<'int64'> {
  const times = checkOneOrEach('t', t, batch, (_, time) => checkInteger('t', time, 0, timesteps - 1))
  return { dtype: 'int64', shape: [batch], data: BigInt64Array.from(times, BigInt) }
}
