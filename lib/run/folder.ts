import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { describe, DiffSalError, printable, shortened } from '../errors.ts'
import { parseJson } from '../files/json.ts'
import { readText } from '../files/regular-file.ts'
import { writeWhole } from '../files/write-whole.ts'
import { drawSeed } from '../random/seed.ts'
import type { RunConfig } from './config.ts'

/** Where a run's files are. */
export interface RunFolder {
  readonly path: string
  readonly config: string
  readonly log: string
  /** There while a process trains. */
  readonly lock: string
  readonly checkpoints: string
  /** Events for TensorBoard, where they are asked for. */
  readonly tensorboard: string
  /** The weights that validated best. */
  readonly best: string
  /** The last weights, of a run that was not validated. */
  readonly last: string
  readonly report: string
  readonly scores: string
}

/** The files of the run in a folder. */
export function runFolder(path: string): RunFolder {
  const checkpoints = join(path, 'checkpoints')
  return {
    path,
    config: join(path, 'config.json'),
    log: join(path, 'log.jsonl'),
    lock: join(path, 'run.lock'),
    checkpoints,
    tensorboard: join(path, 'tensorboard'),
    best: join(checkpoints, 'best.safetensors'),
    last: join(checkpoints, 'last.safetensors'),
    report: join(path, 'report.html'),
    scores: join(path, 'scores.json'),
  }
}

/** Whether there are checkpoints to resume from. */
export async function hasCheckpoints({ checkpoints }: RunFolder): Promise<boolean> {
  const names = await readdir(checkpoints).catch(() => [])
  return names.some((name) => /^step-\d+\.safetensors$/.test(name))
}

/** The weights that a run has: its best, else its last; undefined where there are neither yet. */
export async function runWeights({ best, last }: RunFolder): Promise<string | undefined> {
  for (const path of [best, last]) if (await exists(path)) return path
  return undefined
}

/**
 * Looks whether a run can begin in a folder, or go on there. Nothing is written.
 *
 * @param goOn the command that goes on with the run, for messages
 * @returns the run's configuration, with the seeds that are drawn for it, or were when it began
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where the folder holds a run and none is to go on, or another run
 */
export async function planRun(folder: RunFolder, config: RunConfig, resume: boolean, goOn: string): Promise<SeededRun> {
  const holds = await Promise.all([folder.config, folder.log, folder.checkpoints].map(exists))
  if (!resume) {
    if (holds.includes(true)) {
      throw new DiffSalError(
        'ERR_DIFFSAL_INVALID_ARGUMENT',
        `'${shown(folder.path)}' holds a run already. Go on with it by '${goOn}', or give another folder with --output.`,
        { argument: 'output', received: folder.path },
      )
    }
    return seeded(config, drawSeed())
  }
  if (!holds[0]) {
    const message = `'${shown(folder.path)}' holds no run that could be resumed (config.json is missing): leave out --resume to begin one.`
    throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', message, { argument: '--resume', received: folder.path })
  }
  const before = await readSaved(folder.config)
  const now = seeded(config, before.seed)
  checkSame(folder, before, now)
  return now
}

/** Writes down a run's configuration: from here on the folder holds the run. */
export async function beginRun({ config }: RunFolder, run: SeededRun): Promise<void> {
  await writeWhole(config, `${JSON.stringify(run, undefined, 2)}\n`)
}

/** The configuration of a run that has begun. */
export type SeededRun = RunConfig & { readonly seed: number }

function seeded(config: RunConfig, drawn: number): SeededRun {
  const seed = config.seed ?? drawn
  return { ...config, seed, trainer: { ...config.trainer, seed: config.trainer.seed ?? seed } }
}

/** What a run is: who changes it gets another one. */
const fixed = ['model', 'weights', 'pretrained', 'seed', 'train', 'trainer', 'batch', 'dropLast', 'by'] as const

function checkSame({ config }: RunFolder, before: SeededRun, now: SeededRun): void {
  for (const name of fixed) {
    const [was, is] = [before[name], plain(now[name])]
    if (isDeepStrictEqual(was, is)) continue
    const [old, current] = [was, is].map((value) => (typeof value === 'object' ? shortened(JSON.stringify(value)) : describe(value))) as [string, string]
    throw new DiffSalError(
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      `'${name}' was ${old} when the run began ('${shown(config)}') and is ${current} now: it would not be the same training. Put it back, or begin another run with --output.`,
      { argument: name, expected: old, received: current },
    )
  }
  // The resumed trainer keeps its schedule, whose end was that of the epochs then.
  const { kind, unit, total } = now.trainer.schedule ?? {}
  if (kind !== 'cosine' || unit !== 'epochs' || total !== undefined || before.epochs === now.epochs) return
  throw new DiffSalError(
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    `'epochs' was ${before.epochs} when the run began ('${shown(config)}') and is ${now.epochs} now, but the cosine schedule, which was given no 'total', falls to 0 after the ${before.epochs}. ` +
      "Put it back, or begin another run with --output, whose 'weights' can be this run's.",
    { argument: 'epochs', expected: `${before.epochs}`, received: `${now.epochs}` },
  )
}

/** As it is after it was written and read. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

async function readSaved(path: string): Promise<SeededRun> {
  try {
    const saved = parseJson(await readText(path)) as SeededRun
    if (!Number.isInteger(saved?.seed)) throw new TypeError("it has no 'seed'")
    return saved
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause
    throw new DiffSalError('ERR_DIFFSAL_FILE', `'${path}' is not the configuration of a run: ${cause.message}.`, { argument: path, cause })
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** A path as short as it can be said from here. */
export function shown(path: string): string {
  const near = relative('', path)
  return near === '' ? '.' : printable(near.startsWith('..') && near.length >= path.length ? path : near)
}
