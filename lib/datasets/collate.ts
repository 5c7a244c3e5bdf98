import { describe, invalidArgumentText } from '../errors.ts'
import type { AudioExcerpt } from '../inputs.ts'
import { newArray, type DType, type DTypes } from '../dtype.ts'
import { checkTensor, type Tensor } from '../tensor.ts'
import type { TrainingSample } from './dataset.ts'

/** Samples that are trained on together. */
export interface SampleBatch {
  /** RGB pictures (B, T, H, W, 3). */
  readonly frames: Tensor<'uint8'>
  /** One excerpt a sample; null where none has sound. Left out where `mel` is there. */
  readonly audio?: AudioExcerpt[] | null | undefined
  /** Log-mel slices of the sound (B, 1, slots, h, w): where they were asked for and any sample has sound. */
  readonly mel?: Tensor<'float32'> | undefined
  /** The fixations' density (B, 1, H, W), 0 to 1. */
  readonly target: Tensor<'float32'>
  /** The fixated pixels (B, 1, H, W), 0 or how often; left out unless every sample has them. */
  readonly fixations?: Tensor<'uint8'> | undefined
}

/** The silence of a sample without sound beside others that have some. */
export const silence: AudioExcerpt = { samples: new Float32Array(25_600), sampleRate: 16_000 }

/** A sample and the log-mel slices of its sound (1, slots, h, w), where they were made. */
export interface HeardSample {
  readonly sample: TrainingSample
  readonly mel?: Tensor<'float32'>
}

/**
 * Joins samples into a batch.
 *
 * @param silentMel Slices of silence, for samples that have none beside others that have some.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where they are not of one shape.
 */
export function collate(heard: readonly HeardSample[], silentMel?: Tensor<'float32'>): SampleBatch {
  const samples = heard.map(({ sample }) => sample)
  const frames = samples.map((sample) => sample.frames)
  const targets = samples.map(({ target }) => target)
  const fixations = samples.map((sample) => sample.fixations)
  const names = samples.map(({ video, frame }) => `frame ${frame} of '${video}'`)
  return {
    frames: stack('frames', frames, 'uint8', 4, names),
    ...soundOf(heard, silentMel, names),
    target: stack('target', targets, 'float32', 3, names),
    ...(fixations.every((one) => one !== undefined) && { fixations: stack('fixations', fixations, 'uint8', 3, names) }),
  }
}

function soundOf(heard: readonly HeardSample[], silentMel: Tensor<'float32'> | undefined, names: readonly string[]): Pick<SampleBatch, 'audio' | 'mel'> {
  if (heard.every(({ sample }) => sample.audio === null)) return { audio: null }
  if (silentMel === undefined) return { audio: heard.map(({ sample }) => sample.audio ?? silence) }
  const slices = heard.map(({ mel }) => mel ?? silentMel)
  return { mel: stack('mel', slices, 'float32', 4, names) }
}

/**
 * Joins tensors of one shape along a new first dimension.
 *
 * @param names what messages call them
 */
export function stack<D extends DType>(name: string, parts: readonly Tensor<D>[], dtype: D, dimensions: number, names: readonly string[]): Tensor<D> {
  const tensors = parts.map((part, i) => checkTensor(`samples[${i}].${name}`, part, [dtype])) as [Tensor<D>]
  const [first] = tensors
  const { shape } = first
  if (shape.length !== dimensions) {
    throw invalidArgumentText(`samples[0].${name}.shape`, `of ${dimensions} dimensions`, describe([...shape]))
  }
  const size = first.data.length
  const data = newArray(dtype, size * tensors.length)
  for (const [i, part] of tensors.entries()) {
    if (part.shape.join() !== shape.join()) {
      throw invalidArgumentText(
        `samples[${i}].${name}.shape`,
        `the same as the batch's first, ${describe([...shape])}`,
        `${describe([...part.shape])}, ${names[i]},`,
      )
    }
    ;(data as { set(from: DTypes[D], at: number): void }).set(part.data, i * size)
  }
  return { dtype, shape: [tensors.length, ...shape], data }
}
