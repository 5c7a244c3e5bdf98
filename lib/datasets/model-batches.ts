import { slotsOf, takesStills, type DiffSalConfig } from '../config.ts'
import { describe, DiffSalError, invalidArgument, invalidArgumentText } from '../errors.ts'
import { checkExcerpt, checkShape, type ClipInput } from '../inputs.ts'
import { checkTensor } from '../tensor.ts'
import type { MelShape } from './clip-mel.ts'
import type { SampleBatch } from './collate.ts'
import type { Dataset, TrainingSample } from './dataset.ts'

/**
 * The dataset, with samples refused by number and name that a model of this configuration cannot take.
 *
 * @param stills whether samples of one frame are meant too, as {@link checkInputs} has it
 */
export function checkedSamples(dataset: Dataset<TrainingSample>, config: DiffSalConfig, stills = false): Dataset<TrainingSample> {
  const lengths = stills && takesStills(config) ? [config.clipLength, 1] : [config.clipLength]
  return {
    length: dataset.length,
    async get(index, epoch) {
      const sample = await dataset.get(index, epoch)
      if (sample !== null) named(index, sample, () => checkSample(sample, config, lengths))
      return sample
    },
  }
}

/** The log-mel slices that `loadBatches` makes for a model of this configuration; none for one that does not hear. */
export function melShape(config: DiffSalConfig): MelShape | false {
  const { audio, size } = config
  return audio && { size: [size[0] / 2, size[1] / 2], slots: slotsOf(config) }
}

/** What a model of this configuration takes of a batch: pictures where it sees, sound where it hears. */
export function clipsOf(batch: SampleBatch, config: DiffSalConfig): ClipInput {
  if (!config.video && batch.mel === undefined) {
    throw invalidArgumentText('dataset', 'of samples with sound, because this model only hears', 'a batch without any')
  }
  return { ...(config.video && { frames: batch.frames }), ...(config.audio && (batch.mel ? { mel: batch.mel } : { audio: null })) }
}

/** Runs a check of a sample; what it throws names the sample. */
export function named(index: number, sample: TrainingSample, check: () => void): void {
  try {
    check()
  } catch (cause) {
    if (!(cause instanceof DiffSalError)) throw cause
    const which = typeof sample?.video === 'string' ? ` (frame ${sample.frame} of '${sample.video}')` : ''
    throw new DiffSalError(cause.code, `Sample ${index} of the dataset${which} cannot be used: ${cause.message}`, {
      argument: `dataset.get(${index})`,
      cause,
    })
  }
}

function checkSample(sample: TrainingSample, config: DiffSalConfig, lengths: readonly number[]): void {
  const { size } = config
  if (typeof sample !== 'object') throw invalidArgument('sample', 'an object, or null for none', sample)
  const { frames, audio, target, fixations, video, frame } = sample
  if (typeof video !== 'string') throw invalidArgument('video', 'a name', video)
  if (!Number.isInteger(frame)) throw invalidArgument('frame', 'an integer', frame)
  const { shape } = checkTensor('frames', frames, ['uint8'])
  if (shape.length !== 4 || !lengths.includes(shape[0]!) || shape[3] !== 3) {
    throw invalidArgumentText('frames.shape', lengths.map((length) => `(${length}, h, w, 3)`).join(' or '), describe([...shape]))
  }
  checkShape('target', checkTensor('target', target, ['float32']).shape, [1, ...size])
  if (fixations !== undefined) checkShape('fixations', checkTensor('fixations', fixations, ['uint8']).shape, [1, ...size])
  if (audio === null) return
  checkExcerpt('audio', audio, config)
}
