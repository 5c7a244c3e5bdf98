import { basename, dirname, extname, resolve } from 'node:path'
import { inFile, nested } from '../checks/fields.ts'
import { checkBoolean, checkChoice, checkInteger, checkOptions, checkString } from '../checks/options.ts'
import { checkedBy, integer, namesOf, readNested } from '../checks/table.ts'
import { resolveConfig, type PartialDiffSalConfig } from '../config.ts'
import { invalidArgument } from '../errors.ts'
import { evaluateTable, type EvaluateOptions } from '../evaluate.ts'
import { parseJsonFile } from '../files/json.ts'
import { filesMean } from '../files/meaning.ts'
import { readText } from '../files/regular-file.ts'
import type { ScoreName } from '../metrics/score.ts'
import { checkEarlyStop, type EarlyStop, type EarlyStopOptions } from '../training/early-stop.ts'
import { checkSeed } from '../random/seed.ts'
import { resolveTrainerOptions } from '../training/options.ts'
import { checkEntry, type DatasetEntry } from './datasets.ts'
import { scheduleInSteps, type RunTrainerOptions } from './schedule.ts'

/** A run's configuration, checked and complete; paths are absolute. As JSON it is a configuration of the same run. */
export interface RunConfig {
  /** What shall differ from the paper's network, or from the network of `weights`. */
  readonly model: PartialDiffSalConfig
  /** The file to begin with. */
  readonly weights?: string
  /** Files of encoders to begin with. */
  readonly pretrained?: readonly string[]
  /** Decides initial weights and the data's order, and times, noise and dropout where `trainer.seed` does not. Default: drawn. */
  readonly seed?: number
  readonly device: string
  readonly threads?: number
  readonly train: readonly DatasetEntry[]
  readonly validate: readonly DatasetEntry[]
  readonly test: readonly DatasetEntry[]
  readonly trainer: RunTrainerOptions
  readonly epochs: number
  readonly batch: number
  /** Whether an epoch's last batch is left out if it is not full. Default: where `trainer.accumulate` cuts batches. */
  readonly dropLast: boolean
  /** Steps between checkpoints; there is also one at each epoch's end. */
  readonly every?: number
  /** How many checkpoints are kept. */
  readonly keep: number
  /** The score that decides which weights are the best. */
  readonly by: ScoreName
  /** When it ends before its last epoch. Default: never. */
  readonly earlyStop?: EarlyStop
  /** Whether events for TensorBoard are written too. */
  readonly tensorboard: boolean
  readonly workers?: number
  readonly validation: { /** Epochs from one to the next. */ readonly every: number /** Samples, evenly spaced. */; readonly limit?: number | undefined }
  /** How maps are sampled where they are scored. */
  readonly sampling: { readonly steps?: number | undefined; readonly eta: number; readonly seed: number; readonly batch: number }
  /** Samples in the report. */
  readonly pictures: number
  /** The folder of all that the run writes. */
  readonly output: string
}

const names = [
  ...(['model', 'weights', 'pretrained', 'seed', 'device', 'threads', 'train', 'validate', 'test', 'trainer', 'epochs', 'batch'] as const),
  ...(['dropLast', 'every', 'keep', 'by', 'earlyStop', 'tensorboard', 'workers', 'validation', 'sampling', 'pictures', 'output'] as const),
]

/** What a configuration file may hold. */
type Given = { readonly [name in (typeof names)[number]]?: unknown }

/**
 * Reads a run's configuration. Relative paths are relative to the file.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE; ERR_DIFFSAL_INVALID_ARGUMENT, naming file and field
 */
export async function readRunConfig(file: string): Promise<RunConfig> {
  const text = await filesMean('input', () => readText(file))
  const given = parseJsonFile(file, text)
  return inFile(file, () => nested('', () => check(file, given)))
}

function check(file: string, given: unknown): RunConfig {
  if (given === undefined || given === null) throw invalidArgument('options', 'an object', given)
  const options = checkOptions<Given>('options', given, names)
  const folder = dirname(resolve(file))
  const path = (name: string): string => resolve(folder, name)
  const epochs = checkInteger('epochs', options.epochs, 1, 1e6)
  const batch = checkInteger('batch', options.batch, 1, 65_536)
  const { weights, pretrained, threads, every, earlyStop, workers } = options
  const trainer = checkTrainer(options.trainer, epochs)
  const { accumulate = 1 } = trainer
  if (batch % accumulate !== 0) throw invalidArgument('batch', `a multiple of 'trainer.accumulate' = ${accumulate}`, batch)
  const list = typeof pretrained === 'string' ? [pretrained] : pretrained
  if (list !== undefined && !Array.isArray(list)) throw invalidArgument('pretrained', 'a path or a list of paths', pretrained)
  if (weights !== undefined && list !== undefined)
    throw invalidArgument('pretrained', "left out where 'weights' are given, which hold the encoders too", pretrained)
  const by = checkChoice('by', options.by ?? 'cc', ['cc', 'sim', 'nss', 'aucJudd', 'kl'])
  const validate = checkEntries('validate', options.validate, path)
  if (earlyStop !== undefined && validate.length === 0) throw invalidArgument('earlyStop', "left out of a run whose 'validate' names no dataset", earlyStop)
  return {
    model: checkModel(options.model, weights === undefined && list === undefined),
    ...(weights !== undefined && { weights: path(checkString('weights', weights)) }),
    ...(list !== undefined && { pretrained: list.map((one, i) => path(checkString(`pretrained[${i}]`, one))) }),
    ...(options.seed !== undefined && { seed: checkSeed('seed', options.seed) }),
    device: checkString('device', options.device ?? 'auto'),
    ...(threads !== undefined && { threads: checkInteger('threads', threads, 1, 1024) }),
    train: checkEntries('train', options.train, path, 1),
    validate,
    test: checkEntries('test', options.test, path),
    trainer,
    epochs,
    batch,
    dropLast: checkBoolean('dropLast', options.dropLast ?? accumulate > 1),
    ...(every !== undefined && { every: checkInteger('every', every, 1) }),
    keep: checkInteger('keep', options.keep ?? 3, 1, 10_000),
    by,
    ...(earlyStop !== undefined && { earlyStop: checkEarlyStop('earlyStop', earlyStop as EarlyStopOptions, by) }),
    tensorboard: checkBoolean('tensorboard', options.tensorboard ?? false),
    ...(workers !== undefined && { workers: checkInteger('workers', workers, 1, 1024) }),
    validation: checkValidation(options.validation),
    sampling: checkSampling(options.sampling, batch),
    pictures: checkInteger('pictures', options.pictures ?? 8, 0, 1000),
    output: path(options.output === undefined ? `runs/${basename(file, extname(file))}` : checkString('output', options.output)),
  }
}

/** Where a file has a part in the configuration, it is checked whole only with that. */
function checkModel(given: unknown, whole: boolean): PartialDiffSalConfig {
  const model = given as PartialDiffSalConfig | undefined
  if (given === null) throw invalidArgument('model', 'an object', given)
  if (whole) nested('model', () => resolveConfig(model), 'config')
  else if (model !== undefined && (typeof model !== 'object' || Array.isArray(model))) throw invalidArgument('model', 'an object', given)
  return model ?? {}
}

function checkEntries(field: string, given: unknown, path: (name: string) => string, least = 0): DatasetEntry[] {
  const entries = given ?? []
  if (!Array.isArray(entries) || entries.length < least) {
    throw invalidArgument(field, `a list of${least > 0 ? ' at least one of' : ''} datasets, such as [{ "dataset": "AVAD", "root": "data" }]`, given)
  }
  return entries.map((entry, i) => checkEntry(`${field}[${i}]`, entry, path))
}

function checkTrainer(given: unknown, epochs: number): RunTrainerOptions {
  const trainer = { ...checkOptions<RunTrainerOptions>('trainer', (given ?? {}) as RunTrainerOptions, Object.keys(Object(given)) as never) }
  // The model is not there yet: what depends on it is checked when it is.
  nested('trainer', () => {
    const { frozen: _, groups: __, ...options } = scheduleInSteps(trainer, 1000, epochs)
    resolveTrainerOptions(options, { device: 'cuda', dropout: 0, timesteps: 100_000, parameters: ['any'] })
  })
  return trainer
}

const { steps, eta, seed, batch: evaluated, limit } = evaluateTable()
const validationTable = { every: integer(1, undefined, { usual: 1 }), limit }
const samplingTable = { steps, eta, seed, batch: evaluated }

function checkValidation(given: unknown): RunConfig['validation'] {
  return readNested('validation', given ?? {}, validationTable)
}

function checkSampling(given: unknown, batch: number): RunConfig['sampling'] {
  type Sampling = Pick<EvaluateOptions, 'steps' | 'eta' | 'seed' | 'batch'>
  const { batch: own = batch, ...sampling } = checkOptions<Sampling>('sampling', (given ?? {}) as Sampling, namesOf(samplingTable))
  return checkedBy({ ...sampling, batch: own }, samplingTable, 'sampling.')
}
