import { access, lstat, realpath } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { DiffSalError, invalidArgumentText } from '../errors.ts'
import { isIn } from '../files/is-in.ts'
import { sweep } from '../files/leftovers.ts'
import { FileLock } from '../files/lock.ts'
import { filesMean } from '../files/meaning.ts'
import { fileId, same } from '../files/same-file.ts'
import { checkWritable } from '../files/write-whole.ts'
import { titleOf } from '../media/video-input.ts'
import { eachOnce, type Outcome } from './each-once.ts'
import type { FoundVideo } from './find-videos.ts'
import { fingerprint, finishedReport, writeRecord } from './record.ts'
import { partOf, shardOf, type Shard } from './shard.ts'

/** Seconds between two signs of life that a process gives of a video that it has. */
const beat = 20

/** How many videos are at work at once where nothing is said: while one is predicted, the next is opened and the last one written. */
export const usualJobs = 2

/** One of many videos, and what is made of it. */
export interface VideoTask extends FoundVideo {
  /** Its path in the folder of outputs, without its ending. */
  readonly place: string
  /** Files and folders. */
  readonly outputs: readonly string[]
  /** Written when all outputs are in their places. */
  readonly record: string
  /** There while a process has the video. */
  readonly lock: string
}

/** What is done with many videos. */
export interface ManyPlan<Result> {
  /** The folder to write into. */
  readonly output: string
  /** What it is called in errors. */
  readonly outputName: string
  /** What is made of a video at a {@link VideoTask.place}. */
  readonly made: (place: string) => { readonly outputs: readonly string[]; readonly record: string }
  /** What the outputs depend on besides the video; JSON. Asked for once it is known that there is something to do. */
  readonly settings: () => Promise<unknown>
  /** Makes the outputs. What it gives, JSON, is told again by later starts. */
  readonly work: (task: VideoTask, signal: AbortSignal) => Promise<Result>
  /** The files among the outputs that tell whether they are as they were made. */
  readonly files: (task: VideoTask, result: Result) => readonly string[]
  /** Whether a failure ends all, besides those that every video would meet. */
  readonly ends: (error: unknown) => boolean
  /** Called once, when nothing is left but videos that other processes have. */
  readonly waits: (tasks: readonly VideoTask[]) => void
  readonly jobs: number
  /** Which part. Default: as a scheduler says, else all. */
  readonly shard: Shard | undefined
  readonly signal: AbortSignal
}

/** Many videos that are known to be there, and how they end. */
export interface ManyVideos<Result> {
  /** How many there are in all parts. */
  readonly found: number
  /** How many this part has. */
  readonly count: number
  readonly part: Shard
  outcomes(): AsyncGenerator<Outcome<VideoTask, Result>, void, undefined>
}

/** Failures that the next video would meet too. */
const everybodys: readonly string[] = [
  ...['ERR_DIFFSAL_FFMPEG_MISSING', 'ERR_DIFFSAL_LIBTORCH_MISSING', 'ERR_DIFFSAL_LIBTORCH_VERSION', 'ERR_DIFFSAL_ADDON_MISSING'],
  ...['ERR_DIFFSAL_DEVICE', 'ERR_DIFFSAL_DISPOSED', 'ERR_DIFFSAL_NO_SPACE'],
]

/**
 * Finds the videos that inputs are, and looks that none is in another's way. Its `outcomes` does the work for each that is not finished, `jobs` at a
 * time, once among all processes that write into the same folder, and tells how each ended as it does.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_FILE
 */
export async function manyVideos<Result>(inputs: readonly string[], plan: ManyPlan<Result>): Promise<ManyVideos<Result>> {
  const { output, jobs, signal, work, files, ends, waits } = plan
  const part = plan.shard ?? shardOf(process.env) ?? { index: 1, count: 1 }
  // Loaded when it is needed: in a bundle its dependency would fail as it is loaded, before the package can say that it must not be bundled.
  const { findVideos } = await import('./find-videos.ts')
  const found = await filesMean('input', () => findVideos(inputs, output, signal))
  const tasks = found.videos.map((video) => taskOf(video, plan))
  await checkApart(tasks, plan, found.searched)
  const mine = partOf(tasks, part)
  await checkLinks(tasks, mine, plan)
  const settings = await plan.settings()
  if (mine[0] !== undefined) await filesMean('output', () => checkWritable(mine[0]!.record))
  for (const folder of new Set(mine.map(({ record }) => dirname(record)))) sweep(folder)
  const finish = async (task: VideoTask, stop: AbortSignal): Promise<Result> => {
    // Before it is read: what changes meanwhile is made again by the next start.
    const source = await filesMean('input', () => fingerprint(task.path))
    const result = await work(task, stop)
    await filesMean('output', () => writeRecord(task.record, { settings, source, report: result }, files(task, result)))
    return result
  }
  return {
    ...{ found: tasks.length, count: mine.length, part },
    outcomes: () =>
      eachOnce<VideoTask, Result>(
        mine,
        {
          finished: (task) => finished(task, settings),
          claim: ({ lock }) => filesMean('output', () => claim(lock)),
          work: finish,
          ends: (error) => ends(error) || (error instanceof DiffSalError && everybodys.includes(error.code)),
          waits: once(waits),
        },
        { jobs, signal },
      ),
  }
}

/** What is made of each video, in a folder of the output as the video lies below the folder of all. */
function taskOf(video: FoundVideo, { output, made }: Pick<ManyPlan<never>, 'output' | 'made'>): VideoTask {
  const place = join(output, dirname(video.below), titleOf(video.below))
  const { outputs, record } = made(place)
  return { ...video, place, outputs, record, lock: `${record.replace(/\.json$/, '')}.lock` }
}

/**
 * Looks that nothing that is written replaces a video or what is made of another one, or would be taken for a video by the next start.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
async function checkApart(tasks: readonly VideoTask[], { output, outputName }: Names, searched: readonly string[]): Promise<void> {
  const inputs = new Map(tasks.map(({ path }) => [resolve(path), path]))
  const taken = new Map<string, string>()
  const [place, ...roots] = await Promise.all([output, ...searched].map((folder) => realpath(folder).catch(() => resolve(folder))))
  for (const task of tasks) {
    for (const made of writtenOf(task)) {
      const whole = resolve(made)
      const other = taken.get(whole)
      if (other !== undefined) {
        throw invalidArgumentText(
          'input',
          'videos whose outputs have different names (predict one of them by itself, or into another folder)',
          `'${other}' and '${task.path}', which would both be '${made}',`,
        )
      }
      taken.set(whole, task.path)
      const input = inputs.get(whole)
      if (input !== undefined) throw replaced({ output, outputName }, input, task.path)
      const real = join(place!, relative(output, made))
      if (roots.some((root) => isIn(real, root) && !(isIn(place!, root) && place !== root))) {
        throw invalidArgumentText(
          outputName,
          'another folder than the one that is searched, where outputs would be taken for videos the next time',
          `'${output}'`,
        )
      }
    }
  }
}

/** As {@link checkApart}, where a link hides which video an output is: of those outputs that this process writes. */
async function checkLinks(tasks: readonly VideoTask[], mine: readonly VideoTask[], names: Names): Promise<void> {
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
    if (input !== undefined) throw replaced(names, input[0], path)
  }
}

type Names = Pick<ManyPlan<never>, 'output' | 'outputName'>

function writtenOf({ outputs, record }: VideoTask): string[] {
  return [...outputs, record]
}

function replaced({ output, outputName }: Names, input: string, path: string): DiffSalError {
  return invalidArgumentText(outputName, 'a folder in which no input is replaced', `'${output}', where '${input}' is what would be made of '${path}',`)
}

async function finished<Result>({ record, path, lock }: VideoTask, settings: unknown): Promise<Result | undefined> {
  const report = await filesMean('input', () => finishedReport<Result>(record, path, settings))
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

/** Only the first of several calls. */
function once<T>(call: (value: T) => void): (value: T) => void {
  let called = false
  return (value) => {
    if (!called) call(value)
    called = true
  }
}
