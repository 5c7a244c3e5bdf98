import { constants } from 'node:fs'
import { access, copyFile, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { readCheckpoint } from '../checkpoint/checkpoint.ts'
import { verifyChecksum } from '../checkpoint/checksum.ts'
import { DiffSalError, fileError } from '../errors.ts'
import { parseJson } from '../files/json.ts'
import { makeFolders, OutputPlace } from '../files/output-place.ts'
import { log } from '../log.ts'
import { scored } from '../metrics/score.ts'
import { readTrainingHeader } from './checkpoint.ts'
import type { BestScore } from './fit-state.ts'

/** The best model's weights. */
const bestName = 'best.safetensors'
/** Where a best model's file says how it scored. */
const bestKey = 'validation'
const stepName = /^step-(\d{8,})\.safetensors$/
/** What a process that was killed while it wrote has left. */
const leftover = /^(((step-\d{8,}|best|last)\.safetensors|\.diffsal-([\da-f]{8}-\d+-)?[\da-f]{12}\.tmp)\.\d+|\.diffsal-([\da-f]{8}-\d+-)?[\da-f]{12})\.tmp$/

/** A best model's weights: how they scored, after which step, and where they lie. */
export interface BestWeights extends BestScore {
  readonly step: number
  readonly path: string
}

/** The checkpoint that a training was resumed from. */
export interface ResumedFrom {
  readonly path: string
  readonly step: number
  /** Later steps' checkpoints in its folder, which are damaged. */
  readonly passedOver?: readonly number[]
}

/** The checkpoints of one training: the last few, and the best model's weights. */
export class CheckpointFolder {
  /** Whether it already held this training's checkpoints. */
  readonly continues: boolean
  readonly #path: string
  readonly #keep: number

  private constructor(path: string, keep: number, continues: boolean) {
    this.#path = path
    this.#keep = keep
    this.continues = continues
  }

  /**
   * Makes the folder, or goes on in it, and removes what a killed process left of a file.
   *
   * @param resumed - the checkpoint that the training was resumed from
   * @throws DiffSalError ERR_DIFFSAL_FILE; ERR_DIFFSAL_INVALID_ARGUMENT where the folder holds checkpoints that the training would mix with
   */
  static async open(path: string, keep: number, resumed: ResumedFrom | undefined): Promise<CheckpointFolder> {
    await makeFolders(resolve(path))
    const names = await namesIn(path, 'write')
    await access(path, constants.W_OK | constants.X_OK).catch((cause: unknown) => {
      throw fileError('write', path, cause)
    })
    const steps = stepsOf(names)
    const inside = resumed !== undefined && (await sameFolder(join(resumed.path, '..'), path))
    if (!inside && (steps.length > 0 || names.includes(bestName))) {
      throw occupied(path, 'holds the checkpoints of another training', 'To go on with that one, use DiffSal.resume')
    }
    const later =
      resumed &&
      (await newestWhole(
        path,
        steps.filter((step) => step > resumed.step && !resumed.passedOver?.includes(step)),
      ))
    if (later !== undefined) {
      throw occupied(path, `holds '${later}', which is later than the checkpoint that was resumed`, 'Resume from the latest')
    }
    for (const name of names) if (leftover.test(name)) await remove(join(path, name))
    const folder = new CheckpointFolder(path, keep, inside)
    // A process may have been killed before it came to this.
    if (inside) await folder.#dropOld(resumed.step, unproven(keep))
    return folder
  }

  /**
   * Writes the checkpoint of a step by `write`, then removes all but the last few before it. Gives its path. That the training can go
   * on from it only the next step shows: call {@link settle} then. Until then the one before it stays.
   */
  async save(step: number, write: (path: string) => Promise<void>): Promise<string> {
    const path = pathOf(this.#path, step)
    await write(path)
    await this.#dropOld(step, unproven(this.#keep))
    return path
  }

  /** Removes what {@link save} left for the case that the checkpoint of this step is none to go on from. */
  async settle(step: number): Promise<void> {
    if (unproven(this.#keep) > this.#keep) await this.#dropOld(step, this.#keep)
  }

  /** The last checkpoint before this step's. */
  async before(step: number): Promise<{ readonly path: string; readonly step: number } | undefined> {
    const earlier = stepsOf(await namesIn(this.#path, 'read')).find((each) => each < step)
    return earlier === undefined ? undefined : { path: pathOf(this.#path, earlier), step: earlier }
  }

  /** Removes all checkpoints up to this step's but the last `keep`. */
  async #dropOld(step: number, keep: number): Promise<void> {
    const upToIt = stepsOf(await namesIn(this.#path, 'read')).filter((each) => each <= step)
    for (const each of upToIt.slice(keep)) await remove(pathOf(this.#path, each))
  }

  /** Takes over the best model's weights of another folder. */
  async copyBest({ path }: BestWeights): Promise<void> {
    const place = await OutputPlace.beside(this.best)
    try {
      await copyFile(path, place.temporary).catch((cause: unknown) => {
        throw fileError('write', this.best, cause)
      })
      await place.sync()
      await place.commit()
    } finally {
      await place.discard()
    }
  }

  /** Where the best model's weights go. */
  get best(): string {
    return join(this.#path, bestName)
  }
}

/**
 * The newest checkpoint of a folder that is whole, as `open` gives it: one that it refuses as damaged is passed over with a warning.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_CHECKPOINT where there is none; what else `open` throws
 */
export async function newestOf<T>(folder: string, open: (path: string, passedOver: readonly number[]) => Promise<T>): Promise<T> {
  const steps = stepsOf(await namesIn(folder, 'read'))
  for (const [i, step] of steps.entries()) {
    const opened = await unlessDamaged(() => open(pathOf(folder, step), steps.slice(0, i)))
    if (opened !== undefined) return opened
  }
  const why = steps.length === 0 ? 'holds no checkpoint of a training (step-….safetensors)' : `holds ${steps.length} checkpoints, but each is damaged`
  throw new DiffSalError('ERR_DIFFSAL_CHECKPOINT', `Nothing can be resumed: '${folder}' ${why}.`, { argument: folder })
}

/** The best model's weights that lie beside a checkpoint, undefined where there are none, or none that a fit wrote. */
export async function bestBeside(checkpoint: string): Promise<BestWeights | undefined> {
  const path = join(dirname(checkpoint), bestName)
  try {
    const { by, score, step } = parseJson((await readCheckpoint(path)).metadata[bestKey]!) as BestWeights
    return scored.includes(by) && Number.isFinite(score) && Number.isSafeInteger(step) ? { by, score, step, path } : undefined
  } catch {
    return undefined
  }
}

/** Whether a path is a folder. What cannot be looked at is none; who opens it will say why. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}

/** What a best model's file says beside its configuration. */
export function bestMetadata({ by, score }: BestScore, step: number): Record<string, string> {
  return { [bestKey]: JSON.stringify({ by, score, step }) }
}

/** How many checkpoints are kept while the last one may be none to go on from. */
function unproven(keep: number): number {
  return Math.max(keep, 2)
}

/** The first whole one, with a warning for each that is not. */
async function newestWhole(folder: string, steps: readonly number[]): Promise<string | undefined> {
  for (const step of steps) {
    const path = pathOf(folder, step)
    const whole = await unlessDamaged(async () => {
      const { checkpoint } = await readTrainingHeader(path)
      await verifyChecksum(path, checkpoint)
      return path
    })
    if (whole !== undefined) return whole
  }
  return undefined
}

/** What `open` gives; of a damaged checkpoint undefined, with a warning that names it. */
async function unlessDamaged<T>(open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof DiffSalError) || error.code !== 'ERR_DIFFSAL_CHECKPOINT') throw error
    log('warn', `A checkpoint is passed over. ${error.message}`)
    return undefined
  }
}

/** The steps of which there are checkpoints, the newest first. */
function stepsOf(names: readonly string[]): number[] {
  return names.flatMap((name) => stepName.exec(name)?.slice(1).map(Number) ?? []).sort((a, b) => b - a)
}

function pathOf(folder: string, step: number): string {
  return join(folder, `step-${String(step).padStart(8, '0')}.safetensors`)
}

async function namesIn(folder: string, doing: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (cause) {
    throw fileError(doing, folder, cause)
  }
}

async function sameFolder(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([stat(a).catch(() => undefined), stat(b)])
  return first?.dev === second.dev && first.ino === second.ino
}

/** A file that stays is no reason to stop a training. */
async function remove(path: string): Promise<void> {
  await rm(path, { force: true }).catch((error: unknown) => log('warn', `'${path}' cannot be removed: ${(error as Error).message}`))
}

function occupied(path: string, what: string, remedy: string): DiffSalError {
  return new DiffSalError(
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    `'checkpointDir' must be a folder of this training alone, but '${path}' ${what}. ${remedy}; or give another folder.`,
    {
      argument: 'checkpointDir',
      expected: 'a folder of this training alone',
      received: path,
    },
  )
}
