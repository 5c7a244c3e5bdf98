import { readCheckpoint, type Checkpoint } from '../checkpoint/checkpoint.ts'
import { withChecksum } from '../checkpoint/checksum.ts'
import { headerBytes, maxHeaderBytes } from '../checkpoint/safetensors.ts'
import type { DiffSalConfig } from '../config.ts'
import { describe, DiffSalError, invalidArgumentText } from '../errors.ts'
import type { ResolvedTrainerOptions } from './options.ts'

/** Where the names of a trainer's own tensors begin; the rest of a training checkpoint are the model's. */
export const trainingPrefix = 'training/'

/** What a training checkpoint says in words, beside its tensors. */
export interface TrainingMetadata {
  version: 1
  options: ResolvedTrainerOptions
  /** The full learning rate, where it is another than the options' by now. */
  lr?: number
  /** What the caller keeps with it. */
  extra?: unknown
  /** Where the fit was that wrote it. */
  fit?: unknown
}

/** What the options of before, which are complete but for these, mean by leaving them out. */
const addedOptions = { groups: [], keepGradients: false } satisfies Partial<ResolvedTrainerOptions>

/** A training checkpoint, of which no tensor is read yet. */
export interface TrainingCheckpoint {
  checkpoint: Checkpoint
  training: TrainingMetadata
}

/** The header of a training checkpoint with these tensors, all float32. */
export function trainingHeader(tensors: readonly { name: string; shape: number[] }[], config: Readonly<DiffSalConfig>, training: TrainingMetadata): Uint8Array {
  const header = weightsHeader(tensors, { diffsal: JSON.stringify(config), training: JSON.stringify(training) })
  if (header.length <= maxHeaderBytes) return header
  const most = `small enough for a header of ${maxHeaderBytes} bytes, which is what is read again`
  throw invalidArgumentText('extra', most, `something that makes it ${header.length}`)
}

/** The header of a weights file with these tensors, all float32. */
export function weightsHeader(tensors: readonly { name: string; shape: number[] }[], metadata: Record<string, string>): Uint8Array {
  return headerBytes(new Map(tensors.map(({ name, shape }) => [name, { dtype: 'F32', shape } as const])), withChecksum(metadata))
}

/** Reads what a training checkpoint holds. Its options are as `resolveTrainerOptions` takes them, not checked here. */
export async function readTrainingHeader(path: string): Promise<TrainingCheckpoint> {
  const checkpoint = await readCheckpoint(path)
  const text = checkpoint.metadata.training
  const fail = (what: string, received: string, cause?: unknown) =>
    new DiffSalError('ERR_DIFFSAL_CHECKPOINT', `'${path}' cannot be resumed: ${what}.`, {
      argument: path,
      expected: 'a file that Trainer.save wrote',
      received,
      cause,
    })
  if (text === undefined)
    throw fail('it holds weights, but no training state. Load it with DiffSal.load and begin a training with its weights', 'weights alone')
  let training: TrainingMetadata
  try {
    training = JSON.parse(text) as TrainingMetadata
  } catch (error) {
    throw fail("its 'training' metadata is not JSON", describe(text), error)
  }
  if (typeof training !== 'object' || training === null || training.version !== 1) {
    throw fail("its 'training' metadata is of another version of this package", describe(training?.version))
  }
  if (typeof training.options !== 'object' || training.options === null) {
    throw fail("its 'training' metadata is damaged", describe(text))
  }
  return { checkpoint, training: { ...training, options: { ...addedOptions, ...training.options } } }
}
