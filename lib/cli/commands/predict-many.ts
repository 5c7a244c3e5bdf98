import { AsyncLocalStorage } from 'node:async_hooks'
import { extname, join } from 'node:path'
import { InvalidArgumentError, Option } from 'commander'
import { isRefusal } from '../../checks/table.ts'
import { invalidArgumentText } from '../../errors.ts'
import { filesMean } from '../../files/meaning.ts'
import { sha256Of } from '../../files/sha256.ts'
import type { Outcome } from '../../many/each-once.ts'
import { manyVideos, usualJobs, type VideoTask } from '../../many/each-video.ts'
import { countVariable, readShard, type Shard } from '../../many/shard.ts'
import { pngName } from '../../media/png.ts'
import { probe } from '../../media/probe.ts'
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

/** `diffsal predict` of many videos. */
export async function predictMany(inputs: readonly string[], flags: PredictFlags, open: ModelOpener, signal: AbortSignal): Promise<void> {
  const start = performance.now()
  checkSpan(flags)
  const weights = chooseWeights(flags)
  const note = noteOf(weights)
  const output = outputFolder(flags.output, inputs)
  const look = lookOf(flags, planMany('', flags))
  const running = new AsyncLocalStorage<string[]>()
  let opening: Promise<OpenModel> | undefined
  let unopened: unknown
  const theModel = (): Promise<OpenModel> =>
    (opening ??= filesMean('weights', () => open(weights, flags, signal)).catch((error: unknown) => {
      unopened = error
      throw error
    }))
  const many = await manyVideos<PredictReport>(inputs, {
    output,
    outputName: '-o',
    made: (place) => {
      const outputs = planMany(place, flags)
      const [{ path, kind }] = outputs
      return { outputs: outputs.map((each) => each.path), record: `${path.slice(0, path.length - extname(kind === 'png' ? '' : path).length)}.json` }
    },
    settings: () => settingsOf(flags, weights, look),
    work: (task, stop) => running.run([], () => predictOne(task, { flags, weights, note, look, warnings: running.getStore()!, model: theModel, signal: stop })),
    files: (_, report) => report.outputs.flatMap((each) => filesOf(each, report)),
    ends: (error) => error === unopened || fileLimitSentence(error) !== undefined,
    waits: (tasks) => progress.line(`Waiting for ${videos(tasks.length)} that another process predicts: '${tasks[0]!.path}'${tasks.length > 1 ? ', …' : ''}`),
    jobs: flags.jobs ?? usualJobs,
    ...{ shard: flags.shard, signal },
  })
  using warnings = showWarnings(() => running.getStore())
  const progress = showProgress(many.count, flags)
  warnings.above(progress)
  if (note !== undefined) warnings.say(note)
  const failed: Failed[] = []
  const counts = { done: 0, skipped: 0, failed: 0 }
  try {
    for await (const outcome of many.outcomes()) {
      counts[outcome.status] += 1
      if (outcome.status === 'failed') failed.push(outcome)
      if (flags.json) printJson(lineOf(outcome))
      const ended = counts.done + counts.skipped + counts.failed
      if (outcome.status !== 'skipped') progress.line(`${ended}/${many.count} ${wordsOf(outcome)}`)
      progress.maps(ended)
    }
  } finally {
    warnings.above(undefined)
    progress.stop()
    await opening?.then((model) => model[Symbol.asyncDispose]()).catch(() => undefined)
  }
  if (!flags.json) {
    const { part, count, found } = many
    const of = part.count > 1 ? ` Part ${part.index} of ${part.count}: ${count} of ${videos(found)}.` : ''
    print(
      `Predicted ${videos(counts.done)}${counts.skipped > 0 ? `, ${counts.skipped} finished before` : ''}, in ${durationText((performance.now() - start) / 1000)}.${of}`,
    )
  }
  if (failed.length === 0) return
  tell(`diffsal: ${failed.length} of ${videos(many.count)} failed:`)
  for (const { item, error } of failed) tell(`  '${item.path}': ${messageOf(error)}`)
  process.exitCode = someFailed
}

type Failed = Outcome<VideoTask, PredictReport> & { readonly status: 'failed' }

function outputFolder(output: string | undefined, inputs: readonly string[]): string {
  const expected = `a folder to write into, since ${inputs.length === 1 ? `'${inputs[0]}' means` : 'several inputs are'} many videos`
  if (output === undefined || output === '') throw invalidArgumentText('-o', expected, output === '' ? "''" : 'nothing')
  if (/^\.(mp4|mov|mkv)$/i.test(extname(output)))
    throw invalidArgumentText('-o', `${expected} (write '${output}/' if a folder of this name is meant)`, `'${output}'`)
  return output
}

/** What the outputs depend on, as the record has it. */
async function settingsOf(flags: PredictFlags, weights: Weights, look: object): Promise<object> {
  const { stride, start, end, steps, eta, seed, shots, videoOnly, mirror, activity, overlay, maps, videoTrack, audioTrack, precision } = flags
  const file = 'file' in weights ? weights.file : 'preset' in weights ? presets[weights.preset].weights : undefined
  const digest = file === undefined ? weights : await filesMean('weights', () => sha256Of(file))
  return {
    weights: digest,
    look,
    ...{ stride, start, end, steps, eta, seed, shots, videoOnly, mirror, activity, overlay, maps, videoTrack, audioTrack, precision },
  }
}

interface Run {
  readonly flags: PredictFlags
  readonly weights: Weights
  readonly note: string | undefined
  readonly look: ReturnType<typeof lookOf>
  readonly warnings: readonly string[]
  readonly model: () => Promise<OpenModel>
  readonly signal: AbortSignal
}

async function predictOne({ path, place }: VideoTask, { model, ...run }: Run): Promise<PredictReport> {
  const start = performance.now()
  const { flags, weights, signal } = run
  const { videoTrack, audioTrack, stallLimit } = flags
  const outputs = planMany(place, flags)
  await filesMean('output', () => checkPlaces(outputs, 'file' in weights ? [path, weights.file] : [path]))
  const info = await filesMean('input', () => probe(path, { videoTrack, audioTrack, stallLimit, signal }))
  const opened = await model()
  signal.throwIfAborted()
  return predictFile(opened, info, { ...run, outputs, start })
}

/** What tells an output from another one: itself, or of pictures the first and the last. */
function filesOf({ kind, path }: PlannedOutput, { mapFrames: { first, step, count } }: PredictReport): string[] {
  if (kind !== 'png') return [path]
  return [first, first + step * (count - 1)].map((frame) => join(path, pngName(frame)))
}

/** A video's line of `--json`. */
function lineOf(outcome: Outcome<VideoTask, PredictReport>): object {
  const { status } = outcome
  if (status === 'failed') return { status, input: outcome.item.path, error: failureOf(outcome.error, exitCodeOf(outcome.error)) }
  return { status, ...outcome.result }
}

function wordsOf(outcome: Outcome<VideoTask, PredictReport>): string {
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
