import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { anySignal } from './async/abort.ts'
import { stoppable } from './async/stoppable.ts'
import { checkList, checkString, isList } from './checks/options.ts'
import { callback, integer, later, readOptions, text, type OptionTable } from './checks/table.ts'
import { describe, DiffSalError, invalidArgumentText } from './errors.ts'
import { filesMean } from './files/meaning.ts'
import { manyVideos, usualJobs, type VideoTask } from './many/each-video.ts'
import { readShard } from './many/shard.ts'
import { checkTogether, predictVideo, videoTable, type Predictor, type PredictVideoOptions, type VideoMap } from './predict-video.ts'
import { checkExtra } from './training/extra.ts'

/** One of many videos. */
export interface ManyVideo {
  /** The video, as it can be opened from the current folder. */
  readonly path: string
  /** What is made of it: the paths that the option `outputs` gave. */
  readonly outputs: readonly string[]
}

/** A video whose outputs are there. */
export interface ManyVideoMade<Result> extends ManyVideo {
  /** `done` where it was predicted now, `skipped` where it was finished before. */
  readonly status: 'done' | 'skipped'
  /** What `write` gave when it was predicted. */
  readonly result: Result
}

/** A video that could not be predicted; the others go on. */
export interface ManyVideoFailed extends ManyVideo {
  /** Always `failed`. */
  readonly status: 'failed'
  /** Why. */
  readonly error: unknown
}

/** How it ended with a video. */
export type ManyVideoOutcome<Result> = ManyVideoMade<Result> | ManyVideoFailed

/** How to predict many videos, and what to make of them. */
export interface PredictVideosOptions<Result = unknown> extends Omit<PredictVideoOptions, 'onProgress'> {
  /** The folder to write into. It gets the folders of the videos below the one that all inputs share. */
  output: string
  /**
   * The paths of what is made of a video: files, or folders of files. `place` is the video's path in `output` without its ending:
   * `out/talks/one` for `videos/talks/one.mp4`. Two videos must not share one.
   */
  outputs: (place: string) => string | readonly string[]
  /**
   * Takes a video's maps, and makes its outputs, which must all be there when it resolves. What it gives is told as `result`, and kept: JSON must
   * hold it. Where it throws, the video counts as failed. `signal` is aborted where the loop is left.
   */
  write: (maps: AsyncGenerator<VideoMap, void, undefined>, video: ManyVideo, signal: AbortSignal) => Promise<Result>
  /** What the outputs depend on besides the video and these options, such as the weights' name; JSON. With other settings a video is predicted again. Default: nothing. */
  settings?: unknown
  /** How many videos are at work at once, 1 to 64: while one is predicted, the next is opened and the last one written. Default 2. */
  jobs?: number | undefined
  /** The K-th of N parts of the videos, `K/N`. Default: as a SLURM array or a Kubernetes indexed Job says, else all. */
  shard?: string | undefined
}

const { onProgress: _, ...predictingTable } = videoTable

const videosTable = {
  ...predictingTable,
  output: { ...text(), needed: true },
  outputs: { ...callback<PredictVideosOptions['outputs']>(), needed: true },
  write: { ...callback<PredictVideosOptions['write']>(), needed: true },
  settings: later<unknown>(),
  jobs: integer(1, 64, { usual: usualJobs }),
  shard: text(),
} satisfies OptionTable<PredictVideosOptions>

/** Options of a prediction that change no map. */
const harmless: readonly string[] = ['batch', 'priority', 'stallLimit', 'network', 'spoolLimit']

/** What a start leaves of a video for the next one. */
interface Made<Result> {
  readonly result: Result
  /** The files that tell whether the outputs are as they were made. */
  readonly files: readonly string[]
}

/** `DiffSal.predictVideos`. @param ending - the model's own end */
export function predictVideos<Result>(
  model: Predictor,
  inputs: string | readonly string[],
  options: PredictVideosOptions<Result>,
  ending?: AbortSignal,
): AsyncGenerator<ManyVideoOutcome<Result>, void, undefined> {
  return stoppable(async function* (stop) {
    const list = checkInputs(inputs)
    const read = checkTogether(model, readOptions<PredictVideosOptions, typeof videosTable>('options', options, videosTable))
    const { output, outputs, write: given, jobs, shard, settings, signal: stopping, ...video } = read
    const write = given as PredictVideosOptions<Result>['write']
    const extra = checkExtra(settings, 'settings')
    const signal = anySignal(stopping, ending, stop)
    signal.throwIfAborted()
    const many = await manyVideos<Made<Result>>(list, {
      ...{ output, outputName: 'output', jobs, signal },
      shard: shard === undefined ? undefined : readShard(shard, 'shard'),
      made: (place) => {
        const made = checkOutputs(outputs(place))
        return { outputs: made, record: `${made[0]}.json` }
      },
      settings: async () => ({ config: model.config, settings: extra, options: harmfulOf(video) }),
      work: async (task, inner) => {
        const result = await write(predictVideo(model, task.path, { ...video, signal: inner }), { path: task.path, outputs: task.outputs }, inner)
        return { result, files: await filesOf(task) }
      },
      files: (_, { files }) => files,
      ends: () => false,
      waits: () => undefined,
    })
    for await (const outcome of many.outcomes()) {
      const one = { path: outcome.item.path, outputs: outcome.item.outputs }
      yield outcome.status === 'failed'
        ? { ...one, status: outcome.status, error: outcome.error }
        : { ...one, status: outcome.status, result: outcome.result.result }
    }
  })
}

function checkInputs(inputs: unknown): readonly string[] {
  if (!isList(inputs)) return [checkString('inputs', inputs)]
  return checkList('inputs', inputs, 'files, folders and patterns', 1).map((one, i) => checkString(`inputs[${i}]`, one))
}

function checkOutputs(made: unknown): readonly string[] {
  const expected = 'a function that gives one or more paths'
  const list = isList(made) ? checkList('outputs', made, expected, 1) : [made]
  if (list.every((each) => typeof each === 'string' && each !== '')) return list as string[]
  throw invalidArgumentText('outputs', expected, describe(made))
}

/** The options that maps depend on. */
function harmfulOf(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !harmless.includes(name)))
}

/** Files that tell whether the outputs are there: themselves, and of a folder its first file and its last. */
async function filesOf({ path, outputs }: VideoTask): Promise<string[]> {
  const files: string[] = []
  for (const output of outputs) {
    const found = await stat(output).catch(() => undefined)
    if (found === undefined) {
      throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `'write' has made no '${output}' of '${path}', though 'outputs' names it.`, { argument: 'write' })
    }
    const names = found.isDirectory() ? (await filesMean('output', () => readdir(output))).sort() : undefined
    if (names === undefined) files.push(output)
    else for (const name of new Set([names[0], names.at(-1)])) if (name !== undefined) files.push(join(output, name))
  }
  return files
}
