import { AsyncLocalStorage } from 'node:async_hooks'
import { access, lstat, realpath } from 'node:fs/promises'
import { dirname, extname, join, relative, resolve } from 'node:path'
import { InvalidArgumentError, Option } from 'commander'
import { isRefusal } from '../../checks/table.ts'
import { DiffSalError, invalidArgumentText } from '../../errors.ts'
import { sweep } from '../../files/leftovers.ts'
import { FileLock } from '../../files/lock.ts'
import { filesMean } from '../../files/meaning.ts'
import { fileId, same } from '../../files/same-file.ts'
import { sha256Of } from '../../files/sha256.ts'
import { checkWritable } from '../../files/write-whole.ts'
import { eachOnce, type Outcome } from '../../many/each-once.ts'
import { findVideos, isIn, type FoundVideo } from '../../many/find-videos.ts'
import { fingerprint, finishedReport, writeRecord } from '../../many/record.ts'
import { countVariable, partOf, readShard, shardOf, type Shard } from '../../many/shard.ts'
import { pngName } from '../../media/png.ts'
import { probe } from '../../media/probe.ts'
import { titleOf } from '../../media/video-input.ts'
import { checkSpan } from '../../predict-video.ts'
import { presets } from '../../presets.ts'
import { durationText } from '../../report/duration.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { failureOf } from '../json-failure.ts'
import { fileLimitSentence } from '../terminal/file-limit.ts'
import { showMapProgress, type MapProgress } from '../terminal/map-progress.ts'
import { print, printJson, tell } from '../terminal/print.ts'
import { showWarnings } from '../terminal/warnings.ts'
import { integer } from './flags.ts'
import { lookOf } from './map-look.ts'
import type { ModelOpener, OpenModel, Weights } from './open-model.ts'
import { checkPlaces, planMany, type PlannedOutput } from './outputs.ts'
import { predictFile, type PredictFlags, type PredictReport } from './predict-file.ts'
import { chooseWeights, noteOf } from './weights-flags.ts'

/** How many videos are at work at once where nothing is said: while one is predicted, the next is opened and the last one written. */
const usualJobs = 2

/** Seconds between two signs of life that a process gives of a video that it predicts. */
const beat = 20

/** What some of many videos failed with; the others are done. */
const someFailed = 9

/** The options of many videos. */
export function manyOptions(): Option[] {
  return [
    new Option(
      '--shard <k/n>',
      `of many videos the K-th of N parts (default: as a SLURM array or a Kubernetes indexed Job with ${countVariable} says, else all)`,
    ).argParser(shard),
    new Option('--jobs <n>', `how many of many videos are at work at once, with one model (default: ${usualJobs})`).argParser(integer(1, 64)),
  ]
}

function shard(text: string): Shard {
  try {
    return readShard(text)
  } catch (error) {
    throw isRefusal(error) ? new InvalidArgumentError(`It must be ${error.expected}.`) : error
  }
}

/** One of many videos, and what is made of it. */
interface Task extends FoundVideo {
  readonly outputs: readonly PlannedOutput[]
  /** Written when all outputs are in their places. */
  readonly record: string
  /** There while a process predicts it. */
  readonly lock: string
}

/** `diffsal predict` of many videos. */
export async function predictMany(inputs: readonly string[], flags: PredictFlags, open: ModelOpener, signal: AbortSignal): Promise<void> {
  const start = performance.now()
  checkSpan(flags)
  const weights = chooseWeights(flags)
  const note = noteOf(weights)
  const output = outputFolder(flags.output, inputs)
  const look = lookOf(flags, planMany('', flags))
  const part = flags.shard ?? shardOf(process.env) ?? { index: 1, count: 1 }
  const found = await filesMean('input', () => findVideos(inputs, output, signal))
  const tasks = plan(found.videos, output, flags)
  await checkApart(tasks, output, found.searched)
  const mine = partOf(tasks, part)
  await checkLinks(tasks, mine, output)
  const settings = await settingsOf(flags, weights, look)
  if (mine[0] !== undefined) await filesMean('output', () => checkWritable(mine[0]!.record))
  for (const folder of new Set(mine.map(({ record }) => dirname(record)))) sweep(folder)

  const running = new AsyncLocalStorage<string[]>()
  using warnings = showWarnings(() => running.getStore())
  const progress = showProgress(mine.length, flags)
  warnings.above(progress)
  let opening: Promise<OpenModel> | undefined
  let unopened: unknown
  const theModel = (): Promise<OpenModel> =>
    (opening ??= filesMean('weights', () => open(weights, flags, signal)).catch((error: unknown) => {
      unopened = error
      throw error
    }))
  const failed: Failed[] = []
  const counts = { done: 0, skipped: 0, failed: 0 }
  try {
    if (note !== undefined) warnings.say(note)
    const outcomes = eachOnce<Task, PredictReport>(
      mine,
      {
        finished: (task) => finished(task, settings),
        claim: ({ lock }) => filesMean('output', () => claim(lock)),
        work: (task, stop) =>
          running.run([], () => predictOne(task, { flags, weights, note, look, settings, warnings: running.getStore()!, model: theModel, signal: stop })),
        ends: (error) => error === unopened || isEverybodys(error),
        waits: once((tasks) =>
          progress.line(`Waiting for ${videos(tasks.length)} that another process predicts: '${tasks[0]!.path}'${tasks.length > 1 ? ', …' : ''}`),
        ),
      },
      { jobs: flags.jobs ?? usualJobs, signal },
    )
    for await (const outcome of outcomes) {
      counts[outcome.status] += 1
      if (outcome.status === 'failed') failed.push(outcome)
      if (flags.json) printJson(lineOf(outcome))
      const ended = counts.done + counts.skipped + counts.failed
      if (outcome.status !== 'skipped') progress.line(`${ended}/${mine.length} ${wordsOf(outcome)}`)
      progress.maps(ended)
    }
  } finally {
    warnings.above(undefined)
    progress.stop()
    await opening?.then((model) => model[Symbol.asyncDispose]()).catch(() => undefined)
  }
  if (!flags.json) {
    const of = part.count > 1 ? ` Part ${part.index} of ${part.count}: ${mine.length} of ${videos(tasks.length)}.` : ''
    print(
      `Predicted ${videos(counts.done)}${counts.skipped > 0 ? `, ${counts.skipped} finished before` : ''}, in ${durationText((performance.now() - start) / 1000)}.${of}`,
    )
  }
  if (failed.length === 0) return
  tell(`diffsal: ${failed.length} of ${videos(mine.length)} failed:`)
  for (const { item, error } of failed) tell(`  '${item.path}': ${messageOf(error)}`)
  process.exitCode = someFailed
}

type Failed = Outcome<Task, PredictReport> & { readonly status: 'failed' }

function outputFolder(output: string | undefined, inputs: readonly string[]): string {
  const expected = `a folder to write into, since ${inputs.length === 1 ? `'${inputs[0]}' means` : 'several inputs are'} many videos`
  if (output === undefined || output === '') throw invalidArgumentText('-o', expected, output === '' ? "''" : 'nothing')
  if (/^\.(mp4|mov|mkv)$/i.test(extname(output)))
    throw invalidArgumentText('-o', `${expected} (write '${output}/' if a folder of this name is meant)`, `'${output}'`)
  return output
}

/** What is made of each video, in a folder of `output` as the video lies below the folder of all. */
function plan(found: readonly FoundVideo[], output: string, flags: PredictFlags): Task[] {
  return found.map((video) => {
    const outputs = planMany(join(output, dirname(video.below), titleOf(video.below)), flags)
    const [{ path }] = outputs
    const name = path.slice(0, path.length - extname(outputs[0].kind === 'png' ? '' : path).length)
    return { ...video, outputs, record: `${name}.json`, lock: `${name}.lock` }
  })
}

/**
 * Looks that nothing that is written replaces a video or what is made of another one, or would be taken for a video by the next start.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
async function checkApart(tasks: readonly Task[], output: string, searched: readonly string[]): Promise<void> {
  const inputs = new Map(tasks.map(({ path }) => [resolve(path), path]))
  const taken = new Map<string, string>()
  const [place, ...roots] = await Promise.all([output, ...searched].map((folder) => realpath(folder).catch(() => resolve(folder))))
  for (const { path, outputs, record } of tasks) {
    for (const made of writtenOf({ outputs, record })) {
      const whole = resolve(made)
      const other = taken.get(whole)
      if (other !== undefined) {
        throw invalidArgumentText(
          'input',
          'videos whose outputs have different names (predict one of them by itself, or into another folder)',
          `'${other}' and '${path}', which would both be '${made}',`,
        )
      }
      taken.set(whole, path)
      const input = inputs.get(whole)
      if (input !== undefined) throw replaced(output, input, path)
      const real = join(place!, relative(output, made))
      if (roots.some((root) => isIn(real, root) && !(isIn(place!, root) && place !== root))) {
        throw invalidArgumentText('-o', 'another folder than the one that is searched, where outputs would be taken for videos the next time', `'${output}'`)
      }
    }
  }
}

/** As {@link checkApart}, where a link hides which video an output is: of those outputs that this process writes. */
async function checkLinks(tasks: readonly Task[], mine: readonly Task[], output: string): Promise<void> {
  const links: (readonly [path: string, made: string])[] = []
  for (const task of mine) {
    for (const made of writtenOf(task)) {
      const found = await lstat(made).catch(() => undefined)
      if (found?.isSymbolicLink() || (found?.isFile() && found.nlink > 1)) links.push([task.path, made])
    }
  }
  if (links.length === 0) return
  const inputs = await Promise.all(tasks.map(async ({ path }) => [path, await fileId(path)] as const))
  for (const [path, made] of links) {
    const file = await fileId(made)
    const input = inputs.find(([, each]) => same(each, file))
    if (input !== undefined) throw replaced(output, input[0], path)
  }
}

function writtenOf({ outputs, record }: Pick<Task, 'outputs' | 'record'>): string[] {
  return [...outputs.map(({ path }) => path), record]
}

function replaced(output: string, input: string, path: string): DiffSalError {
  return invalidArgumentText('-o', 'a folder in which no input is replaced', `'${output}', where '${input}' is what would be made of '${path}',`)
}

/** What the outputs depend on, as the record has it. */
async function settingsOf(flags: PredictFlags, weights: Weights, look: object): Promise<object> {
  const { stride, start, end, steps, eta, seed, shots, videoOnly, activity, overlay, maps, videoTrack, audioTrack, precision } = flags
  const file = 'file' in weights ? weights.file : 'preset' in weights ? presets[weights.preset].weights : undefined
  const digest = file === undefined ? weights : await filesMean('weights', () => sha256Of(file))
  return { weights: digest, look, ...{ stride, start, end, steps, eta, seed, shots, videoOnly, activity, overlay, maps, videoTrack, audioTrack, precision } }
}

async function finished({ record, path, lock }: Task, settings: object): Promise<PredictReport | undefined> {
  const report = await filesMean('input', () => finishedReport<PredictReport>(record, path, settings))
  // A process that was killed after the last of its work has left it.
  if (
    report !== undefined &&
    (await access(lock).then(
      () => true,
      () => false,
    ))
  )
    await (await claim(lock))?.release()
  return report
}

/** Takes a video for this process; undefined where another one has it. */
async function claim(lock: string): Promise<FileLock | undefined> {
  let other: DiffSalError | undefined
  try {
    return await FileLock.take(lock, {
      beat,
      taken: ({ pid, host }) => (other = new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `The process ${pid} of ${host} has it.`)),
    })
  } catch (error) {
    if (error === other) return undefined
    throw error
  }
}

interface Run {
  readonly flags: PredictFlags
  readonly weights: Weights
  readonly note: string | undefined
  readonly look: ReturnType<typeof lookOf>
  readonly settings: object
  readonly warnings: readonly string[]
  readonly model: () => Promise<OpenModel>
  readonly signal: AbortSignal
}

async function predictOne({ path, outputs, record }: Task, { settings, model, ...run }: Run): Promise<PredictReport> {
  const start = performance.now()
  const { flags, weights, signal } = run
  const { videoTrack, audioTrack, stallLimit } = flags
  await filesMean('output', () => checkPlaces(outputs, 'file' in weights ? [path, weights.file] : [path]))
  const info = await filesMean('input', () => probe(path, { videoTrack, audioTrack, stallLimit, signal }))
  // Before it is read: what changes meanwhile is predicted again by the next start.
  const source = await filesMean('input', () => fingerprint(path))
  const opened = await model()
  signal.throwIfAborted()
  const report = await predictFile(opened, info, { ...run, outputs, start })
  await filesMean('output', () =>
    writeRecord(
      record,
      { settings, source, report },
      outputs.flatMap((output) => filesOf(output, report)),
    ),
  )
  return report
}

/** What tells an output from another one: itself, or of pictures the first and the last. */
function filesOf({ kind, path }: PlannedOutput, { mapFrames: { first, step, count } }: PredictReport): string[] {
  if (kind !== 'png') return [path]
  return [first, first + step * (count - 1)].map((frame) => join(path, pngName(frame)))
}

/** Failures that the next video would meet too. */
const everybodys: readonly string[] = [
  ...['ERR_DIFFSAL_FFMPEG_MISSING', 'ERR_DIFFSAL_LIBTORCH_MISSING', 'ERR_DIFFSAL_LIBTORCH_VERSION', 'ERR_DIFFSAL_ADDON_MISSING'],
  ...['ERR_DIFFSAL_DEVICE', 'ERR_DIFFSAL_DISPOSED', 'ERR_DIFFSAL_NO_SPACE'],
]

function isEverybodys(error: unknown): boolean {
  return fileLimitSentence(error) !== undefined || (error instanceof DiffSalError && everybodys.includes(error.code))
}

/** A video's line of `--json`. */
function lineOf(outcome: Outcome<Task, PredictReport>): object {
  const { status } = outcome
  if (status === 'failed') return { status, input: outcome.item.path, error: failureOf(outcome.error, exitCodeOf(outcome.error)) }
  return { status, ...outcome.result }
}

function wordsOf(outcome: Outcome<Task, PredictReport>): string {
  const { path } = outcome.item
  if (outcome.status === 'failed') return `'${path}' failed: ${messageOf(outcome.error)}`
  const { maps, seconds } = outcome.result
  return `'${path}': ${maps} map${maps === 1 ? '' : 's'} in ${durationText(seconds)}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function videos(count: number): string {
  return `${count} video${count === 1 ? '' : 's'}`
}

/** A bar on a terminal, unless lines of JSON go to it too. Elsewhere the lines of the videos show how it goes on. */
function showProgress(count: number, { json }: PredictFlags): MapProgress {
  if (process.stderr.isTTY && !(json && process.stdout.isTTY)) return showMapProgress(count, process.stderr, { doing: 'Predicting', unit: 'videos' })
  return { step: () => undefined, maps: () => undefined, line: (text) => tell(text), stop: () => undefined }
}

/** Only the first of several calls. */
function once<T>(call: (value: T) => void): (value: T) => void {
  let called = false
  return (value) => {
    if (!called) call(value)
    called = true
  }
}
