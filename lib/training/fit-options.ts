import { ownOptions } from '../checks/options.ts'
import { checkedBy, choice, integer, later, namesOf, readOptions, signal, text, yes, type OptionTable } from '../checks/table.ts'
import { checkDataset, type Dataset, type SaliencyDataset, type TrainingSample } from '../datasets/dataset.ts'
import { describe, invalidArgument, invalidArgumentText } from '../errors.ts'
import { checkEvaluation, evaluateTable, type EvaluateOptions } from '../evaluate.ts'
import { scored, type ScoreName } from '../metrics/score.ts'
import { seedOption } from '../random/seed.ts'
import { checkEarlyStop, type EarlyStopOptions } from './early-stop.ts'
import type { Trained } from './trained.ts'

/** How a fit scores the model between epochs. */
export interface ValidateOptions extends Omit<EvaluateOptions, 'signal' | 'group'> {
  /** What it is scored on. No video of it should be trained on, nor be what the final score is of. */
  dataset: SaliencyDataset
  /** Epochs from one validation to the next; the last epoch has one too. Default 1. */
  every?: number | undefined
}

/** How `Trainer.fit` trains. */
export interface FitOptions {
  /** Passes over the data in all, those before a resume included. The paper's: 5. */
  epochs: number
  /** Samples in a step; in a group, of each process, so that a step has as many times more. Default 4. */
  batch?: number | undefined
  /**
   * Scores the model, or the running average of its weights where one is kept (the option `ema` of the trainer). Of its own options
   * `batch` is the fit's by default.
   */
  validate?: ValidateOptions | undefined
  /** Where checkpoints go; made where it is missing. Default: none are written. */
  checkpointDir?: string | undefined
  /** Steps from one checkpoint to the next; each epoch ends with one too. Default: only these. */
  every?: number | undefined
  /**
   * How many checkpoints are kept, the last ones. Default 3. Of 1, the one before stays too until another step, or the end, shows that the
   * last can be gone on from.
   */
  keep?: number | undefined
  /** The score that decides which model is the best: the greatest, of `kl` the least. Default `cc`. */
  by?: ScoreName | undefined
  /**
   * Ends the training before its last epoch where the validations no longer get better; needs `validate`. How many have gone by without a better one is in
   * the checkpoints, so that a resumed fit ends where an unbroken one does. Default: it trains all epochs.
   */
  earlyStop?: EarlyStopOptions | undefined
  /**
   * A folder for TensorBoard, made where it is missing: each call of fit writes a file of events there, with the loss, gradient norm and learning rate of
   * each step, the mean loss of each epoch and the scores of each validation, under the steps done. `tensorboard --logdir` shows the folder, or several
   * in one above them. Default: none.
   */
  tensorboard?: string | undefined
  /** Samples that are read at the same time, as of `loadBatches`. Default the machine's cores, at most 8. */
  workers?: number | undefined
  /** Decides the data's order. Default: the trainer's seed. */
  seed?: number | undefined
  /** Whether an epoch's last batch is left out if it is not full. Default: only where the trainer's `accumulate` cuts batches. */
  dropLast?: boolean | undefined
  /** Rejects with the signal's reason when aborted, after a checkpoint of the last whole step is written. */
  signal?: AbortSignal | undefined
}

const table = {
  epochs: { ...integer(1), needed: true },
  batch: integer(1, 65_536, { usual: 4 }),
  validate: later(),
  checkpointDir: text(),
  every: integer(1),
  keep: integer(1),
  by: choice(scored),
  earlyStop: later(),
  tensorboard: text(),
  workers: integer(1, 1024),
  seed: seedOption(),
  dropLast: yes(),
  signal,
} satisfies OptionTable<FitOptions>

/**
 * Checks a fit's options and fills in the defaults.
 *
 * @param processes - how many share each step; the plan's batch is that of all together
 */
export function checkFit(trainer: Trained, dataset: Dataset<TrainingSample>, given: FitOptions, processes = 1) {
  const options = readOptions('options', given, table)
  checkDataset('dataset', dataset)
  const { accumulate, seed } = trainer.options
  const { batch: own, checkpointDir, every, keep, by, earlyStop, validate, dropLast = accumulate > 1 } = options
  const batch = own * processes
  if (batch % accumulate !== 0) throw invalidArgumentText('batch', `of a size that 'accumulate' = ${accumulate} divides`, `${batch}`)
  const last = dataset.length % batch
  if (!dropLast && last % accumulate !== 0) {
    const need = `true or left out, because an epoch's last batch has ${last} samples, which 'accumulate' = ${accumulate} does not divide`
    throw invalidArgumentText('dropLast', need, 'false')
  }
  const idle = Object.entries({ every, keep }).find(([, value]) => value !== undefined && checkpointDir === undefined)
  if (idle) throw invalidArgumentText(idle[0], "left out where no 'checkpointDir' is given", describe(idle[1]))
  if (by !== undefined && validate === undefined) throw invalidArgumentText('by', "left out where 'validate' is", describe(by))
  if (earlyStop !== undefined && validate === undefined) throw invalidArgumentText('earlyStop', "left out where 'validate' is", describe(earlyStop))
  return {
    ...options,
    batch,
    keep: keep ?? 3,
    by: by ?? ('cc' as const),
    earlyStop: earlyStop === undefined ? undefined : checkEarlyStop('earlyStop', earlyStop, by ?? 'cc'),
    seed: options.seed ?? seed,
    dropLast,
    validate: validate === undefined ? undefined : checkValidation(trainer, validate, own),
  }
}

/** Checked options of a fit. */
export type FitPlan = ReturnType<typeof checkFit>

const everyTable = { every: integer(1, undefined, { usual: 1 }) }

function checkValidation(trainer: Trained, given: ValidateOptions, batch: number) {
  if (typeof given !== 'object' || given === null) throw invalidArgument('validate', "an object with a 'dataset'", given)
  const { signal: _, group: _group, ...known } = evaluateTable()
  const { dataset, every, batch: own = batch, ...options } = ownOptions('validate', given, [...namesOf(known), 'dataset', 'every'])
  return {
    dataset,
    ...checkedBy({ every }, everyTable, 'validate.'),
    options: checkEvaluation(trainer.model, 'validate.dataset', dataset, { ...options, batch: own }),
  }
}
