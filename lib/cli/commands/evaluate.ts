import { basename, resolve } from 'node:path'
import { Command } from 'commander'
import { asFlags, flagOf, inFile, nested } from '../../checks/fields.ts'
import { checkChoice, checkInteger } from '../../checks/options.ts'
import type { Precision } from '../../checks/precision.ts'
import { DiffSal } from '../../diffsal.ts'
import { DiffSalError } from '../../errors.ts'
import { evaluateTable } from '../../evaluate.ts'
import { filesMean } from '../../files/meaning.ts'
import { checkWritable, writeWhole } from '../../files/write-whole.ts'
import { durationText } from '../../report/duration.ts'
import { reportHtml } from '../../report/report.ts'
import { scoresText } from '../../report/scores.ts'
import { readRunConfig, type RunConfig } from '../../run/config.ts'
import { checkEntry, entryNames, openEntries, runDatasetNames, sampleForm, type DatasetEntry, type OpenedDataset } from '../../run/datasets.ts'
import { runFolder, runWeights, shown } from '../../run/folder.ts'
import { samplingNote } from '../../run/report.ts'
import { datasetPictures, scoreDatasets, type ScoringOptions } from '../../run/scores.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { print, printJson, printText } from '../terminal/print.ts'
import { showWarnings } from '../terminal/warnings.ts'
import { showTrainingProgress } from '../terminal/training-progress.ts'
import { addFlags, integer, names, number, numberOrNames, precisionOption, threadsOption } from './flags.ts'

interface EvaluateFlags {
  readonly weights?: string
  readonly dataset?: string
  readonly root?: string
  readonly fold?: number
  readonly split?: string
  readonly stride?: number
  readonly heldOut?: number | string[]
  readonly recordings?: string[]
  readonly sigma?: number
  readonly sound?: string
  readonly limit?: number
  readonly steps?: number
  readonly eta?: number
  readonly seed?: number
  readonly mirror?: true
  readonly batch?: number
  readonly workers?: number
  readonly device?: string
  readonly precision: Precision
  readonly threads?: number
  readonly report?: string
  readonly output?: string
  readonly json?: true
}

const notes = `
With CONFIG, the configuration of a run, its test sets are scored, by the run's best weights or those of --weights. Without, a dataset
that --dataset names. Scores are as published: mean over each video's frames, then over the videos. On eye tracking (--dataset gaze) there are also sAUC, against
fixations of the set's other videos, IG, in bits over the set's best centre Gaussian, and 95 % bootstrap intervals over the videos.`

/** `diffsal evaluate`: the scores of weights on datasets. */
export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description('score weights on datasets: CC, SIM, NSS, AUC-Judd and KL, each video and their mean')
    .argument('[config]', "a run's configuration, JSON")
    .option('--weights <file>', "the weights, safetensors or .pth (default: the run's best)")
    .option('-o, --output <dir>', "the run's folder (default: the configuration's 'output')")
    .option('--dataset <name>', `without a configuration: ${runDatasetNames.join(', ')}`)
    .option('--root <dir>', 'where the dataset is')
    .option('--split <name>', 'train, validation or test (default: test)')
    .option('--fold <n>', 'of the audio-visual sets: 1, 2 or 3', integer(1, 3))
    .option('--stride <n>', 'score every n-th frame only', integer(1))
    .option('--held-out <list>', 'of gaze: score every n-th picture or video by name, or these names, commas between (default: all)', numberOrNames)
    .option('--recordings <list>', "of gaze: tables of each video that count, commas between; 'second' is NAME.second.csv, '' NAME.csv (default: all)", names)
    .option('--sigma <x>', 'of gaze: the Gaussian on each fixation, as a share of the width (default: 1/40)', number)
    .option('--sound <which>', 'of gaze: what videos with sound are heard with: right, silence, other (the next such video)')
  const table = evaluateTable()
  addFlags(command, table, ['limit', 'steps', 'eta', 'seed', 'mirror', 'batch', 'workers'], {
    steps: `${table.steps.help} (default: the configuration's, else the model's)`,
    eta: table.eta.help,
    seed: `${table.seed.help} (default: the configuration's, else ${table.seed.usual})`,
    batch: table.batch.help,
  })
  return command
    .option('--device <name>', 'auto, cpu, cuda or cuda:N')
    .addOption(precisionOption())
    .addOption(threadsOption())
    .option('--report <file>', 'write the scores, with pictures, as one HTML page')
    .option('--json', 'print one JSON object on standard output')
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action((file: string | undefined, flags: EvaluateFlags) => interruptible((signal) => evaluate(file, flags, signal)))
}

/** What is to be scored. */
interface Plan {
  readonly weights: string
  readonly entries: readonly DatasetEntry[]
  readonly scoring: ScoringOptions
  readonly load: { readonly device: string; readonly precision: Precision; readonly threads?: number; readonly config?: RunConfig['model'] }
  readonly pictures: number
  readonly locate: <T>(i: number, work: () => T) => T
  /** Gives the error of a check of `sampling` its file, where it comes from one. */
  readonly sampled: <T>(work: () => T) => T
}

async function evaluate(file: string | undefined, flags: EvaluateFlags, signal: AbortSignal): Promise<void> {
  const begin = performance.now()
  const plan = file === undefined ? planOfFlags(flags) : await planOfConfig(file, flags)
  const { weights, scoring } = plan
  const { report } = flags
  if (report !== undefined) await filesMean('output', () => checkWritable(report))
  const progress = showTrainingProgress({ epochs: 0, stepsPerEpoch: 0 })
  using warnings = showWarnings()
  warnings.above(progress)
  try {
    await using model = await filesMean('weights', () => DiffSal.load(weights, { ...plan.load, signal }))
    const { timesteps } = model.config
    if (scoring.steps !== undefined) plan.sampled(() => checkInteger(flags.steps === undefined ? 'sampling.steps' : '--steps', scoring.steps, 1, timesteps))
    const datasets = await openEntries(plan.entries, 'test', sampleForm(model.config, false), plan.locate)
    const scores = await scoreDatasets(model, datasets, scoring, signal, (...done) => progress.scoring(...done))
    progress.stop()
    const seconds = Math.round(performance.now() - begin) / 1000
    if (flags.json) printJson({ weights, device: model.device, precision: model.precision, ...scoring, datasets: scores, seconds })
    else printText([`'${shown(weights)}', scored in ${durationText(seconds)}. ${samplingNote(scoring)}`, '', scoresText(scores)].join('\n'))
    if (report === undefined) return
    // The scores are told before: they took long, and what goes wrong here does not take them away.
    await writeReport(report, model, datasets, scores, plan, signal)
    if (!flags.json) print(`The report is '${report}'.`)
  } finally {
    progress.stop()
  }
}

const ofDatasets = ['dataset', 'root', 'split', 'fold', 'stride', 'heldOut', 'recordings', 'sigma', 'sound'] as const

async function planOfConfig(file: string, flags: EvaluateFlags): Promise<Plan> {
  const idle = ofDatasets.find((name) => flags[name] !== undefined)
  if (idle !== undefined)
    throw misused(
      flagOf(idle),
      `'${flagOf(idle)}' goes without a configuration${idle === 'dataset' ? '' : ', with --dataset'}: '${file}' says what is scored. Leave out one of them.`,
    )
  const config = await readRunConfig(file)
  if (config.test.length === 0) throw misused('test', `In '${file}', 'test' names no dataset: there is nothing to score.`)
  const output = flags.output === undefined ? config.output : resolve(flags.output)
  const found = await runWeights(runFolder(output))
  const weights = flags.weights ?? found
  if (weights === undefined) {
    throw misused(
      '--weights',
      `The run in '${shown(output)}' has no weights yet: train it to the end with 'diffsal train', or give --weights FILE, or the run's folder with --output.`,
    )
  }
  const { device, model, sampling, workers } = config
  const threads = flags.threads ?? config.threads
  return {
    weights,
    entries: config.test,
    scoring: scoringOf(flags, { ...sampling, ...(workers !== undefined && { workers }) }),
    load: {
      device: flags.device ?? device,
      precision: flags.precision,
      ...(threads !== undefined && { threads }),
      // A run's own weights say what network they are of.
      ...(flags.weights !== undefined && { config: model }),
    },
    pictures: config.pictures,
    locate: (i, work) => inFile(file, () => nested(`test[${i}]`, work)),
    sampled: (work) => (flags.steps === undefined ? inFile(file, work) : work()),
  }
}

function planOfFlags(flags: EvaluateFlags): Plan {
  const { weights, dataset, device = 'auto', precision, threads } = flags
  if (weights === undefined || dataset === undefined) {
    throw misused('--weights', 'What is to be scored? Give a configuration, or --weights FILE --dataset NAME --root DIR.')
  }
  if (flags.output !== undefined) throw misused('--output', "'--output' goes with a configuration: the folder of its run. Leave it out.")
  const name = checkChoice('--dataset', dataset, runDatasetNames)
  const takes = ofDatasets.filter((option) => entryNames(name).includes(option))
  const idle = ofDatasets.find((option) => flags[option] !== undefined && !takes.includes(option))
  if (idle !== undefined) {
    const list = takes.flatMap((option) => (option === 'dataset' ? [] : [flagOf(option)])).join(', ')
    throw misused(flagOf(idle), `'${flagOf(idle)}' does not go with '--dataset ${name}', which takes ${list}. Leave it out.`)
  }
  const given = Object.fromEntries(ofDatasets.flatMap((option) => (flags[option] === undefined ? [] : [[option, flags[option]]])))
  const entry = checkEntry('--dataset', given, (path) => resolve(path), flagOf)
  return {
    weights,
    entries: [entry],
    scoring: scoringOf(flags, { eta: 0, seed: 1, batch: 1 }),
    load: { device, precision, ...(threads !== undefined && { threads }) },
    pictures: 8,
    locate: (_, work) => asFlags(ofDatasets, work),
    sampled: (work) => work(),
  }
}

function scoringOf(flags: EvaluateFlags, base: ScoringOptions): ScoringOptions {
  const { limit, steps, eta, seed, mirror, batch, workers } = flags
  return { ...base, ...Object.fromEntries(Object.entries({ limit, steps, eta, seed, mirror, batch, workers }).filter(([, value]) => value !== undefined)) }
}

async function writeReport(
  path: string,
  model: DiffSal,
  datasets: readonly OpenedDataset[],
  scores: Awaited<ReturnType<typeof scoreDatasets>>,
  { weights, entries, scoring, pictures }: Plan,
  signal: AbortSignal,
): Promise<void> {
  const frames = scores.reduce((sum, one) => sum + one.scores.frames, 0)
  const page = reportHtml({
    title: `Scores of ${basename(weights)}`,
    state: `${frames} frames of ${datasets.length} ${datasets.length === 1 ? 'dataset' : 'datasets'} were scored.`,
    facts: [
      ['Device', model.device],
      ['Precision', model.precision],
    ],
    scores,
    scoresNote: `Mean over each video's frames, then over the videos. ${samplingNote(scoring)}`,
    pictures: await datasetPictures(model, datasets, pictures, scoring, signal),
    picturesNote: 'Evenly spaced over the samples.',
    config: { weights, sampling: scoring, datasets: entries, model: model.config },
  })
  await filesMean('output', () => writeWhole(path, page))
}

function misused(argument: string, message: string): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', message, { argument })
}
