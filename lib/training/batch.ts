import type { BatchShare, NativeTrainingBatch } from '../addon/native.ts'
import { ownOptions } from '../checks/options.ts'
import type { DiffSalConfig } from '../config.ts'
import { invalidArgument, invalidArgumentText } from '../errors.ts'
import { checkInputs, checkShape, frameCount, type ClipInput } from '../inputs.ts'
import { checkDiffusionTimes, checkMap } from '../predict.ts'
import { checkTensor, type Tensor } from '../tensor.ts'
import type { ResolvedTrainerOptions } from './options.ts'

/**
 * Clips and what was looked at in each: one step's worth of samples.
 *
 * A network of the dialect `paper` with S3D also takes stills, clips of one frame: uint8 (1, h, w, 3) or (B, 1, h, w, 3), float32 (B, 3, 1, H, W). A still
 * stands for the clip that shows it T times, and costs about half of it. S3D calculates one slot, in which a kernel over time has each tap as often as the
 * clip's slots see it, at their mean. The Saliency-UNet calculates two slots, the picture's and the noise's, and counts the first for all T / 2 that show it. What
 * differs between a clip's slots, its first and its last say, is left out. Of one process alone: where several train together, a still is refused.
 */
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

/** Whether a batch's frames, which are checked elsewhere, are stills. */
export function isStill({ frames }: TrainingBatch): boolean {
  return frames !== undefined && frameCount(frames) === 1
}

const names = ['frames', 'audio', 'mel', 'target', 'fixations', 't', 'noise'] as const

/** Checks a batch against the configuration and the trainer's options; the addon takes what comes out. */
export function checkBatch(config: DiffSalConfig, options: ResolvedTrainerOptions, batch: TrainingBatch, share?: BatchShare): NativeTrainingBatch {
  if (typeof batch !== 'object' || batch === null) throw invalidArgument('batch', "an object with a clip and its 'target'", batch)
  const { target, fixations, t, noise, ...clip } = ownOptions('batch', batch, names)
  const { inputs, batch: size } = checkInputs(config, clip, true)
  const checked = {
    target: checkMap('target', target, config, size),
    noise: noise === undefined ? undefined : checkMap('noise', noise, config, size),
    fixations: fixations === undefined ? undefined : checkFixations(fixations, [size, 1, ...config.size]),
    t: t === undefined ? undefined : checkDiffusionTimes(t, size, config.timesteps),
  }
  if (fixations === undefined && options.terms.nss !== 0) throw invalidArgument('fixations', "given, because 'terms.nss' has a weight", fixations)
  // What a fit shares may be of any size here; the whole is not.
  if (share === undefined && size % options.accumulate !== 0) {
    throw invalidArgumentText('batch', `of a size that 'accumulate' = ${options.accumulate} divides`, `${size} ${size === 1 ? 'sample' : 'samples'}`)
  }
  return { share, inputs, ...checked }
}

/**
 * Which samples of a batch are here, where each process gives some of it: of every part that is accumulated each has its share, if all give as many.
 *
 * @param sizes - how many each process gives
 */
export function shareOf(rank: number, sizes: readonly number[], accumulate: number): BatchShare {
  const whole = sizes.reduce((sum, size) => sum + size, 0)
  const own = sizes[rank]!
  const even = sizes.every((size) => size === own) && own % accumulate === 0
  const before = sizes.slice(0, rank).reduce((sum, size) => sum + size, 0)
  const each = own / accumulate
  const place = (i: number): number => (even ? Math.floor(i / each) * each * sizes.length + rank * each + (i % each) : before + i)
  return { whole, samples: Array.from({ length: own }, (_, i) => place(i)) }
}

/** Refuses what are no fixated pixels of this shape; gives what was checked. NaN is refused by the addon, in its copy. */
export function checkFixations(fixations: unknown, shape: readonly number[]): Tensor<'uint8' | 'float32'> {
  const checked = checkTensor<'uint8' | 'float32'>('fixations', fixations, ['uint8', 'float32'])
  checkShape('fixations', checked.shape, shape)
  return checked
}
