import { native } from '../addon/native.ts'
import { later, readOptions, type OptionTable } from '../checks/table.ts'
import { invalidArgument } from '../errors.ts'
import { checkShape } from '../inputs.ts'
import { checkTensor, type Tensor } from '../tensor.ts'
import { checkFixations } from './batch.ts'
import { checkTerms, lossTable, type TrainerOptions } from './options.ts'

/** Which loss. */
export interface TrainingLossOptions extends Pick<TrainerOptions, 'loss' | 'terms'> {
  /** Fixated pixels, uint8 or float32 (B, 1, H, W), above 0 where fixated. Needed where `terms.nss` has a weight. */
  fixations?: Tensor<'uint8'> | Tensor<'float32'> | undefined
}

const table = { ...lossTable, fixations: later<Tensor<'uint8'> | Tensor<'float32'>>() } satisfies OptionTable<TrainingLossOptions>

/** A loss and its slope. */
export interface TrainingLoss {
  /** The mean over the batch. */
  loss: number
  /** Its derivative by each pixel of the maps, float32 (B, 1, H, W). */
  gradient: Tensor<'float32'>
}

/**
 * The loss that a trainer descends, of maps that are already there: for a validation curve, or to look at its gradient.
 *
 * @param map - float32 (B, 1, H, W), values 0 to 1
 * @param target - float32 (B, 1, H, W), values 0 to 1
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export async function trainingLoss(map: Tensor<'float32'>, target: Tensor<'float32'>, options?: TrainingLossOptions): Promise<TrainingLoss> {
  const { loss, terms, fixations } = readOptions('options', options, table)
  const weights = checkTerms(terms)
  const maps = checkTensor('map', map, ['float32'])
  checkShape('map', maps.shape, ['B', 1, 'H', 'W'])
  const targets = checkTensor('target', target, ['float32'])
  checkShape('target', targets.shape, maps.shape)
  if (fixations === undefined && weights.nss !== 0) throw invalidArgument('fixations', "given, because 'terms.nss' has a weight", fixations)
  const fixated = fixations === undefined ? undefined : checkFixations(fixations, maps.shape)
  return native().trainingLoss(maps, targets, fixated, { loss, terms: weights })
}
