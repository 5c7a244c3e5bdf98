import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { describe, DiffSalError, fileError } from '../errors.ts'
import type { RunConfig } from './run-config.ts'
import { writeWhole } from './write-whole.ts'

/** Where a run's files are. */
export interface RunFolder {
  readonly path: string
  readonly config: string
  readonly log: string
  readonly checkpoints: string
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
    checkpoints,
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
 * Begins a run in a folder, or goes on with the one in it.
 *
 * @returns the run's configuration: where it goes on, with the seeds that were drawn for it
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where the folder holds a run and none is to go on, or another run
 */
export async function enterRun(folder: RunFolder, config: RunConfig, resume: boolean, goOn: string, given: ReadonlySet<string>): Promise<RunConfig> {
  const holds = await Promise.all([folder.config, folder.log, folder.checkpoints].map(exists))
  if (!resume) {
    if (holds.includes(true)) {
      throw new DiffSalError(
        'ERR_DIFFSAL_INVALID_ARGUMENT',
        `'${shown(folder.path)}' holds a run already. Go on with it by '${goOn}', or give another folder with --output.`,
        { argument: 'output', received: folder.path },
      )
    }
    await writeWhole(folder.config, `${JSON.stringify(config, undefined, 2)}\n`)
    return config
  }
  if (!holds[0]) {
    const message = `'${shown(folder.path)}' holds no run that could be resumed (config.json is missing): leave out --resume to begin one.`
    throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', message, { argument: '--resume', received: folder.path })
  }
  const before = await readSaved(folder.config)
  const merged = { ...config, ...(given.has('seed') ? {} : { seed: before.seed, trainer: { ...config.trainer, seed: before.trainer.seed } }) } as RunConfig
  checkSame(folder, before, merged)
  await writeWhole(folder.config, `${JSON.stringify(merged, undefined, 2)}\n`)
  return merged
}

/** What a run is: who changes it gets another one. */
const fixed = ['model', 'weights', 'pretrained', 'seed', 'train', 'trainer', 'batch', 'dropLast'] as const

function checkSame({ config }: RunFolder, before: RunConfig, now: RunConfig): void {
  for (const name of fixed) {
    const [was, is] = [before[name], now[name]].map((value) => JSON.stringify(value))
    if (was === is) continue
    const words = (value: unknown, json: string | undefined): string => (typeof value === 'object' ? json! : describe(value))
    const [old, current] = [words(before[name], was), words(now[name], is)]
    throw new DiffSalError(
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      `'${name}' was ${old} when the run began ('${shown(config)}') and is ${current} now: it would not be the same training. Put it back, or begin another run with --output.`,
      { argument: name, expected: old, received: current },
    )
  }
}

async function readSaved(path: string): Promise<RunConfig> {
  try {
    const saved = JSON.parse(await readFile(path, 'utf8')) as RunConfig
    if (typeof saved?.trainer !== 'object' || saved.trainer === null) throw new TypeError("it has no 'trainer'")
    return saved
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw fileError('read', path, cause)
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
  return near === '' ? '.' : near.startsWith('..') && near.length >= path.length ? path : near
}
