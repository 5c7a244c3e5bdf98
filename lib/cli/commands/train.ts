import { availableParallelism } from 'node:os'
import { basename, relative, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { inFile, nested } from '../../checks/fields.ts'
import { checkInteger } from '../../checks/options.ts'
import type { SaliencyDataset } from '../../datasets/dataset.ts'
import { takesStills } from '../../config.ts'
import { DiffSal } from '../../diffsal.ts'
import { devices } from '../../devices.ts'
import { isLaunched, placementOf } from '../../distributed/environment.ts'
import { handsOf, type Group } from '../../distributed/group.ts'
import { join } from '../../distributed/join.ts'
import { DiffSalError, invalidArgument } from '../../errors.ts'
import { filesMean } from '../../files/meaning.ts'
import { writeWhole } from '../../files/write-whole.ts'
import { durationText } from '../../report/duration.ts'
import type { PictureRow } from '../../report/picture-row.ts'
import { scoresLine, scoresText, type ScoredDataset } from '../../report/scores.ts'
import { readRunConfig, type RunConfig } from '../../run/config.ts'
import { checkStills, joined, openEntries, sampleForm, type OpenedDataset } from '../../run/datasets.ts'
import { beginRun, hasCheckpoints, planRun, runFolder, shown, type RunFolder, type SeededRun } from '../../run/folder.ts'
import { lockRun } from '../../run/lock.ts'
import { RunLog } from '../../run/log.ts'
import { trainingReport } from '../../run/report.ts'
import { scheduleInSteps } from '../../run/schedule.ts'
import { datasetPictures, scoreDatasets } from '../../run/scores.ts'
import { unwrittenLog, type SessionLog } from '../../run/session-log.ts'
import type { Trainer } from '../../trainer.ts'
import { stepsOf } from '../../training/epoch-steps.ts'
import { checkFit, type FitOptions } from '../../training/fit-options.ts'
import { exitCodeHelp } from '../exit-codes.ts'
import { startProcesses } from '../terminal/start-processes.ts'
import { integer, number } from './flags.ts'
import { Interrupted } from '../terminal/interrupt.ts'
import { interruptible } from '../terminal/interrupt.ts'
import { printText } from '../terminal/print.ts'
import { showWarnings } from '../terminal/warnings.ts'
import { hiddenProgress, showTrainingProgress, type TrainingProgress } from '../terminal/training-progress.ts'

interface TrainFlags {
  readonly resume?: true
  readonly output?: string
  readonly processes?: number
  readonly timeout?: number
  readonly backend?: 'gloo' | 'nccl'
}

const notes = `
CONFIG is JSON: the model, the datasets to train, validate and test on, the trainer's options, epochs, batch; docs/training.md has an example. In the
output folder come config.json, log.jsonl (an event a line), checkpoints/ and report.html, which a browser shows; with test sets
also scores.json, by the best weights; with "tensorboard": true also tensorboard/. Ctrl-C writes a checkpoint, and --resume goes on from it as if nothing had happened.

With --processes, or under torchrun or srun (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT, or SLURM's own variables), several processes train together:
docs/distributed.md. The configuration's batch is that of all of them together.`

/** `diffsal train`: a training from a configuration file. */
export function trainCommand(): Command {
  return new Command('train')
    .description('train a network as a configuration file says, with checkpoints, a log and a report')
    .argument('<config>', "the run's configuration, JSON")
    .option('--resume', 'go on with the run in the output folder, from its newest checkpoint')
    .option('-o, --output <dir>', "the run's folder (default: the configuration's 'output')")
    .option('--processes <n>', 'train on so many processes of this machine together (default: 1)', integer(1, 1024))
    .option('--timeout <s>', 'of several processes: seconds after which one that is silent is given up (default: 60)', number)
    .addOption(
      new Option('--backend <name>', "of several processes: what carries their sums; nccl between NVIDIA's devices (default: gloo)").choices(['gloo', 'nccl']),
    )
    .addHelpText('after', `${notes}\n${exitCodeHelp()}`)
    .action((file: string, flags: TrainFlags) => interruptible((signal) => train(file, flags, signal)))
}

async function train(file: string, flags: TrainFlags, signal: AbortSignal): Promise<void> {
  const config = await readRunConfig(file)
  const { processes = 1, timeout, backend } = flags
  if (isLaunched(process.env)) {
    const { output: _, ...shared } = config
    const joining = { ...(timeout !== undefined && { timeout }), ...(backend !== undefined && { backend }) }
    await using group = await join({ configuration: JSON.parse(JSON.stringify(shared)) as unknown, signal, ...joining })
    checkBatch(file, config, group.worldSize)
    await trainAsOne(file, config, flags, signal, group)
  } else if (processes > 1) {
    checkBatch(file, config, processes)
    process.exitCode = await startProcesses(processes, process.argv.slice(2), signal)
  } else {
    await trainAsOne(file, config, flags, signal, undefined)
  }
}

/** The part of this process, which may be the only one. */
async function trainAsOne(file: string, config: RunConfig, flags: TrainFlags, signal: AbortSignal, group: Group | undefined): Promise<void> {
  const output = flags.output === undefined ? config.output : resolve(flags.output)
  const folder = runFolder(output)
  const goOn = commandThatGoesOn(file, flags)
  const first = (group?.rank ?? 0) === 0
  try {
    // One process has the folder, for all.
    const lock = first ? await filesMean('output', () => lockRun(folder)) : undefined
    try {
      await trainIn(folder, file, { ...config, output }, flags.resume ?? false, goOn, signal, group)
    } finally {
      await lock?.release()
    }
  } catch (error) {
    if (group) await handsOf(group).fail(error)
    throw error
  }
}

/** Refuses a batch that cannot be shared evenly. */
function checkBatch(file: string, { batch }: RunConfig, processes: number): void {
  if (batch % processes === 0) return
  inFile(file, () => {
    throw invalidArgument('batch', `a multiple of the ${processes} processes that share it`, batch)
  })
}

async function trainIn(
  folder: RunFolder,
  file: string,
  config: RunConfig,
  resume: boolean,
  goOn: string,
  signal: AbortSignal,
  group: Group | undefined,
): Promise<void> {
  const first = (group?.rank ?? 0) === 0
  const plan = first ? await filesMean('output', () => planRun(folder, config, resume, goOn)) : undefined
  // The seeds that the first has drawn are all processes'.
  const run = group ? (await handsOf(group).exchange<SeededRun | null>('run', plan ?? null, signal))[0]! : plan!
  using warnings = showWarnings()
  const session = await Session.open(file, folder, run, resume, signal, group)
  warnings.above(session.progress)
  try {
    await session.run(goOn)
  } finally {
    warnings.above(undefined)
    await session.close()
  }
}

interface RunDatasets {
  readonly train: readonly OpenedDataset[]
  readonly validate: readonly OpenedDataset[]
  readonly test: readonly OpenedDataset[]
  /** Those of `train` as one, and those of `validate`, if there are any. */
  readonly trained: SaliencyDataset
  readonly validated: SaliencyDataset | undefined
}

/** One process's part of a run. */
class Session {
  readonly progress: TrainingProgress
  readonly #file: string
  readonly #folder: RunFolder
  readonly #run: SeededRun
  readonly #signal: AbortSignal
  readonly #trainer: Trainer<DiffSal>
  readonly #device: string
  readonly #datasets: RunDatasets
  readonly #log: SessionLog
  readonly #group: Group | undefined
  #pictures: readonly PictureRow[] = []
  #picturesNote = ''
  #epochs: number
  #trained = false

  private constructor(
    file: string,
    folder: RunFolder,
    run: SeededRun,
    signal: AbortSignal,
    trainer: Trainer<DiffSal>,
    datasets: RunDatasets,
    log: SessionLog,
    group: Group | undefined,
  ) {
    this.#group = group
    this.#file = file
    this.#folder = folder
    this.#run = run
    this.#epochs = run.epochs
    this.#signal = signal
    this.#trainer = trainer
    this.#device = trainer.model.device
    this.#datasets = datasets
    this.#log = log
    this.progress = this.#isFirst() ? showTrainingProgress({ epochs: run.epochs, stepsPerEpoch: stepsPerEpoch(run, datasets) }) : hiddenProgress()
  }

  /** Whether this process writes, shows and scores for all. */
  #isFirst(): boolean {
    return (this.#group?.rank ?? 0) === 0
  }

  /** Opens everything first: what is wrong with the configuration shows before the folder holds a run. */
  static async open(file: string, folder: RunFolder, run: SeededRun, resume: boolean, signal: AbortSignal, group: Group | undefined): Promise<Session> {
    const running = runningOf(run, group)
    const sharing = group && { group }
    const processes = group?.worldSize ?? 1
    const resumed =
      resume && (await hasCheckpoints(folder))
        ? await filesMean('weights', () => DiffSal.resume(folder.checkpoints, { ...running, ...sharing, signal }))
        : undefined
    const model = resumed?.model ?? (await openModel(file, run, running, signal))
    try {
      signal.throwIfAborted()
      if (run.sampling.steps !== undefined) inFile(file, () => checkInteger('sampling.steps', run.sampling.steps, 1, model.config.timesteps))
      const datasets = await openDatasets(file, run, model)
      const trainer =
        resumed ??
        inFile(file, () => nested('trainer', () => model.trainer({ ...scheduleInSteps(run.trainer, stepsPerEpoch(run, datasets), run.epochs), ...sharing })))
      inFile(file, () => checkFit(trainer, datasets.trained, fitOptions(run, folder, datasets, signal, processes), processes))
      const writes = (group?.rank ?? 0) === 0
      if (writes) await filesMean('output', () => beginRun(folder, run))
      const log = writes ? await filesMean('output', () => RunLog.open(folder.log, trainer.steps)) : unwrittenLog()
      return new Session(file, folder, run, signal, trainer, datasets, log, group)
    } catch (error) {
      await model.dispose()
      throw error
    }
  }

  /** Trains what is left, then scores. `goOn` is the command that goes on where this one is stopped. */
  async run(goOn: string): Promise<void> {
    const begin = performance.now()
    try {
      await filesMean('output', () => inFile(this.#file, () => this.#train()))
      if (!this.#isFirst()) return
      const scores = await this.#score()
      this.progress.stop()
      printText(this.#summary(scores, (performance.now() - begin) / 1000))
    } catch (error) {
      this.progress.stop()
      // The report as far as it goes; why the run ended matters more than why that could not be written.
      if (this.#isFirst() && this.#log.events.length > 0) await this.#writeReport([]).catch(() => undefined)
      throw this.#ended(error, goOn)
    }
  }

  async close(): Promise<void> {
    this.progress.stop()
    this.#log.close()
    await this.#trainer.model.dispose()
  }

  async #train(): Promise<void> {
    const { trained, validate } = this.#datasets
    const { model } = this.#trainer
    const onProgress = (done: number, total: number): void => this.progress.scoring('validation', done, total)
    for await (const event of this.#trainer.fit(
      trained,
      fitOptions(this.#run, this.#folder, this.#datasets, this.#signal, this.#group?.worldSize ?? 1, onProgress),
    )) {
      if (this.#log.append(event)) this.progress.event(event)
      if (event.type === 'stop') this.#epochs = event.epoch + 1
      if (event.type !== 'validation' || !this.#isFirst()) continue
      this.#pictures = await datasetPictures(model, validate, this.#run.pictures, this.#run.sampling, this.#signal)
      this.#picturesNote = `Evenly spaced over the validation samples; predicted by the weights after step ${event.step}.`
      await this.#writeReport([])
    }
    this.#trained = true
  }

  /** Scores the test sets with the best weights, and writes what a finished run has. */
  async #score(): Promise<ScoredDataset[]> {
    const { test, validate } = this.#datasets
    const { model, options } = this.#trainer
    const validated = this.#log.events.some((event) => event.type === 'validation' && event.best)
    const { best, last } = this.#folder
    if (!validated) await filesMean('output', () => (options.ema === null ? model.save(last) : this.#trainer.saveAverage(last)))
    const { device, threads } = model
    await model.dispose()
    const shownSets = test.length > 0 ? test : validate
    let scores: ScoredDataset[] = []
    if (shownSets.length > 0) {
      const { sampling, workers, pictures } = this.#run
      const scoring = { ...sampling, ...(workers !== undefined && { workers }) }
      await using weights = await filesMean('weights', () => DiffSal.load(validated ? best : last, { device, threads, signal: this.#signal }))
      scores = await scoreDatasets(weights, test, scoring, this.#signal, (...done) => this.progress.scoring(...done))
      this.#pictures = await datasetPictures(weights, shownSets, pictures, scoring, this.#signal)
      this.#picturesNote = `Evenly spaced over the ${test.length > 0 ? 'test' : 'validation'} samples; predicted by the ${validated ? 'best' : 'last'} weights.`
      if (test.length > 0) {
        const written = { weights: validated ? best : last, sampling, datasets: scores }
        await filesMean('output', () => writeWhole(this.#folder.scores, `${JSON.stringify(written, undefined, 2)}\n`))
      }
    }
    await this.#writeReport(scores)
    return scores
  }

  async #writeReport(scores: readonly ScoredDataset[]): Promise<void> {
    const state = {
      events: this.#log.events,
      device: this.#device,
      finished: this.#trained,
      scores,
      pictures: this.#pictures,
      picturesNote: this.#picturesNote,
    }
    await filesMean('output', () => writeWhole(this.#folder.report, trainingReport(this.#run, state)))
  }

  #summary(scores: readonly ScoredDataset[], seconds: number): string {
    const best = this.#log.events.findLast((event) => event.type === 'validation' && event.best)
    const weights = best?.type === 'validation' ? this.#folder.best : this.#folder.last
    const words = best?.type === 'validation' ? `The best weights, after epoch ${best.epoch + 1} (${scoresLine(best.scores.mean)}), are` : 'The weights are'
    return [
      `Trained ${this.#epochs} epochs${this.#epochs < this.#run.epochs ? ` of ${this.#run.epochs}` : ''}, ${this.#trainer.steps} steps; this took ${durationText(seconds)}.`,
      `${words} '${shown(weights)}'.`,
      ...(scores.length > 0 ? ['', scoresText(scores), ''] : []),
      `The report is '${shown(this.#folder.report)}'.`,
    ].join('\n')
  }

  /** What the run ends with, and how to go on. */
  #ended(error: unknown, goOn: string): unknown {
    const { steps } = this.#trainer
    if (error instanceof Interrupted) {
      const what = this.#trained ? 'Interrupted while scoring; the training is done.' : `Interrupted after step ${steps}.`
      return new Interrupted(`${what} Go on with: ${goOn}`)
    }
    if (!this.#isFirst()) return error
    const diverged = error instanceof DiffSalError && error.code === 'ERR_DIFFSAL_DIVERGED'
    if (diverged) this.progress.line("To try a lower learning rate, begin another run: its 'weights' can be the last checkpoint, if there is one.")
    else if (this.#log.events.some((event) => event.type === 'checkpoint'))
      this.progress.line(`The checkpoints are kept. When the cause is mended, go on with: ${goOn}`)
    return error
  }
}

/** Where this process runs: of several on one machine each has its device, or its part of the cores. */
function runningOf({ device, threads }: SeededRun, group: Group | undefined): { device: string; threads?: number } {
  if (group === undefined) return { device, ...(threads !== undefined && { threads }) }
  const { localRank = 0 } = placementOf(process.env)
  const beside = Math.max(1, Number(process.env.LOCAL_WORLD_SIZE ?? process.env.SLURM_NTASKS_PER_NODE) || 1)
  const own = device === 'auto' || device === 'cuda' ? devices().find(({ id }) => id === `cuda:${localRank}`)?.id : undefined
  return { device: own ?? device, threads: threads ?? Math.max(1, Math.floor(availableParallelism() / beside)) }
}

async function openModel(file: string, run: SeededRun, running: { device: string; threads?: number }, signal: AbortSignal): Promise<DiffSal> {
  const { model, weights, pretrained, seed } = run
  const open = (): Promise<DiffSal> =>
    weights === undefined
      ? DiffSal.create(model, { ...running, seed, ...(pretrained && { pretrained }) })
      : DiffSal.load(weights, { ...running, config: model, signal })
  return inFile(file, () => filesMean('weights', () => nested('model', open, 'config')))
}

async function openDatasets(file: string, run: SeededRun, { config }: DiffSal): Promise<RunDatasets> {
  inFile(file, () => checkStills(run, takesStills(config)))
  const scored = sampleForm(config, false)
  const trained = sampleForm(config, (run.trainer.terms?.nss ?? 0) !== 0)
  const place =
    (list: string) =>
    <T>(i: number, work: () => T): T =>
      inFile(file, () => nested(`${list}[${i}]`, work))
  const train = await openEntries(run.train, 'train', trained, place('train'))
  const validate = await openEntries(run.validate, 'validation', scored, place('validate'))
  const test = await openEntries(run.test, 'test', scored, place('test'))
  const whole = (list: string, opened: readonly OpenedDataset[]): SaliencyDataset => inFile(file, () => nested(list, () => joined(opened), 'datasets'))
  return { train, validate, test, trained: whole('train', train), validated: validate.length > 0 ? whole('validate', validate) : undefined }
}

function fitOptions(
  { epochs, batch, dropLast, every, keep, by, earlyStop, tensorboard, workers, seed, validation, sampling }: SeededRun,
  { checkpoints, tensorboard: board }: RunFolder,
  { validated }: RunDatasets,
  signal: AbortSignal,
  processes: number,
  onProgress?: (done: number, total: number) => void,
): FitOptions {
  const reading = workers === undefined ? {} : { workers }
  return {
    ...{ epochs, batch: batch / processes, dropLast, keep, seed, checkpointDir: checkpoints, signal, ...reading },
    ...(every !== undefined && { every }),
    ...(earlyStop && { earlyStop }),
    ...(tensorboard && { tensorboard: board }),
    ...(validated && { by, validate: { dataset: validated, ...validation, ...sampling, ...reading, ...(onProgress && { onProgress }) } }),
  }
}

/** As far as can be told before: samples without a map are passed over. */
function stepsPerEpoch(run: SeededRun, { train }: RunDatasets): number {
  const samples = train.reduce((sum, { dataset }) => sum + dataset.length, 0)
  return Math.max(1, stepsOf(samples, run))
}

/** What to type. */
function commandThatGoesOn(file: string, { output, processes, backend }: TrainFlags): string {
  const [, script = ''] = process.argv
  const program = basename(script) === 'main.js' ? `node ${quoted(relative('', script))}` : `${process.env.npm_command === 'exec' ? 'npx ' : ''}diffsal`
  const flags = [
    ...(output === undefined ? [] : ['--output', quoted(output)]),
    ...(processes === undefined ? [] : ['--processes', processes]),
    ...(backend === undefined ? [] : ['--backend', backend]),
  ]
  return [program, 'train', quoted(file), ...flags, '--resume'].join(' ')
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
