import type { DiffSalConfig } from '../config.ts'
import { invalidArgument, invalidArgumentText } from '../errors.ts'
import { checkInputs, checkShape, type ClipInput } from '../inputs.ts'
import type { NativeTrainingBatch } from '../native.ts'
import { checkInteger, checkNames } from '../options.ts'
import { checkMap } from '../predict.ts'
import { checkTensor, type Tensor } from '../tensor.ts'
import type { ResolvedTrainerOptions } from './options.ts'

/** Clips and what was looked at in each: one step's worth of samples. */
export interface TrainingBatch extends ClipInput {
  /** The saliency maps to learn, float32 (B, 1, H, W), values 0 to 1. */
  target: Tensor<'float32'>
  /** Fixated pixels, uint8 or float32 (B, 1, H, W), above 0 where fixated. Needed where `terms.nss` has a weight. */
  fixations?: Tensor<'uint8'> | Tensor<'float32'> | undefined
  /** The diffusion times, 0 to T - 1: one for all samples or one each. Default: drawn, one a sample (`released`: one a batch). */
  t?: number | readonly number[] | undefined
  /** The noise, float32 (B, 1, H, W). Default: drawn. */
  noise?: Tensor<'float32'> | undefined
}

const names = ['frames', 'audio', 'mel', 'target', 'fixations', 't', 'noise']

/** Checks a batch against the configuration and the trainer's options; the addon takes what comes out. */
export function checkBatch(config: DiffSalConfig, options: ResolvedTrainerOptions, batch: TrainingBatch): NativeTrainingBatch {
  if (typeof batch !== 'object' || batch === null) throw invalidArgument('batch', "an object with a clip and its 'target'", batch)
  checkNames('batch', batch, names)
  const { target, fixations, t, noise, ...clip } = batch
  const { inputs, batch: size } = checkInputs(config, clip)
  checkMap('target', target, config, size)
  if (noise !== undefined) checkMap('noise', noise, config, size)
  if (fixations !== undefined) checkFixations(fixations, [size, 1, ...config.size])
  else if (options.terms.nss !== 0) throw invalidArgument('fixations', "given, because 'terms.nss' has a weight", fixations)
  if (size % options.accumulate !== 0) {
    throw invalidArgumentText('batch', `of a size that 'accumulate' = ${options.accumulate} divides`, `${size} ${size === 1 ? 'sample' : 'samples'}`)
  }
  return { inputs, target, fixations, t: t === undefined ? undefined : checkTimes(t, size, config.timesteps), noise }
}

/** Refuses what are no fixated pixels of this shape; NaN would count as not fixated. */
export function checkFixations(fixations: unknown, shape: readonly number[]): void {
  const checked = checkTensor<'uint8' | 'float32'>('fixations', fixations, ['uint8', 'float32'])
  checkShape('fixations', checked.shape, shape)
  const at = checked.data.findIndex(Number.isNaN)
  if (at >= 0) throw invalidArgumentText('fixations', 'numbers', `NaN at element ${at}`)
}

function checkTimes(t: number | readonly number[], size: number, timesteps: number): Tensor<'int64'> {
  const times = Array.isArray(t) ? (t as number[]) : Array.from({ length: size }, () => t as number)
  if (times.length !== size) throw invalidArgumentText('t', `a number or ${size} of them`, `${times.length}`)
  const data = BigInt64Array.from(times, (time) => BigInt(checkInteger('t', time, 0, timesteps - 1)))
  return { dtype: 'int64', shape: [size], data }
}
