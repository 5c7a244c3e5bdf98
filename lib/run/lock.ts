import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DiffSalError, fileError, isMissing } from '../errors.ts'
import { parseJson } from '../files/json.ts'
import { makeFolders, removeFolders, temporaryIn, writeSynced } from '../files/output-place.ts'
import { readText } from '../files/regular-file.ts'
import { shown, type RunFolder } from './folder.ts'

/** The process that holds a lock. */
interface Owner {
  readonly pid: number
  /** When the process began, as the system counts; null where that cannot be told. With `pid`, it means one process only. */
  readonly began: string | null
  readonly host: string
  readonly since: string
}

/** Milliseconds in which a lock that is being written becomes whole, where files cannot be linked. */
const patience = 1000

/** A run's folder for one process at a time: a file `run.lock`, which a process that died leaves to the next. */
export class RunLock {
  readonly #path: string
  readonly #text: string
  readonly #made: readonly string[]

  private constructor(path: string, text: string, made: readonly string[]) {
    this.#path = path
    this.#text = text
    this.#made = made
  }

  /**
   * Takes a folder, which is made where it is missing.
   *
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where another process has it; ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE
   */
  static async take({ path: folder, lock: path }: RunFolder): Promise<RunLock> {
    const made = await makeFolders(dirname(path))
    const own = temporaryIn(dirname(path))
    try {
      const owner: Owner = { pid: process.pid, began: (await stateOf(process.pid))?.began ?? null, host: hostname(), since: new Date().toISOString() }
      const text = `${JSON.stringify(owner)}\n`
      await writeSynced(own, Buffer.from(text)).catch((cause: unknown) => Promise.reject(fileError('write', path, cause)))
      await claim(folder, path, own, text)
      await rm(own, { force: true })
      return new RunLock(path, text, made)
    } catch (error) {
      await rm(own, { force: true })
      await removeFolders(made)
      throw error
    }
  }

  /** Lets the folder go; one that was made for the lock and is empty goes too. A lock that cannot be removed is of a dead process soon. */
  async release(): Promise<void> {
    const found = await textOf(this.#path).catch(() => undefined)
    if (found === this.#text) await rm(this.#path, { force: true }).catch(() => undefined)
    await removeFolders(this.#made)
  }
}

/** Makes the lock `path`, of what `own` holds, or takes it from a process that is dead. */
async function claim(folder: string, path: string, own: string, text: string): Promise<void> {
  for (;;) {
    if (await placed(path, own, text)) return
    const { found, owner } = await ownerOf(path)
    if (found === undefined) continue
    if (owner !== undefined && (await isAlive(owner))) throw taken(folder, path, owner)
    // Only who has the next lock may replace this one, so that two that find the same dead process do not both go on.
    const next = `${path}.next`
    await claim(folder, next, own, text)
    if ((await textOf(path)) === found) {
      await rename(next, path).catch((cause: unknown) => Promise.reject(fileError('write', path, cause)))
      return
    }
    await rm(next, { force: true })
  }
}

/** Puts a file in its place, whole, unless there is one. */
async function placed(path: string, own: string, text: string): Promise<boolean> {
  try {
    await link(own, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error
      // A file system without links.
      return writeFile(path, text, { flag: 'wx' })
    })
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw fileError('write', path, cause)
  }
}

/** What a lock says; no owner where that is not to be read, now and a while later. */
async function ownerOf(path: string): Promise<{ found: string | undefined; owner?: Owner }> {
  for (const begin = performance.now(); ; await sleep(50)) {
    const found = await textOf(path)
    if (found === undefined) return { found }
    const owner = parsed(found)
    if (owner !== undefined) return { found, owner }
    if (performance.now() - begin > patience) return { found }
  }
}

function parsed(text: string): Owner | undefined {
  try {
    const owner = parseJson(text) as Owner | null
    return Number.isInteger(owner?.pid) && owner!.pid > 0 ? owner! : undefined
  } catch {
    return undefined
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readText(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Whether a process runs; of another machine that cannot be told. */
async function isAlive({ pid, began, host }: Owner): Promise<boolean> {
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const state = await stateOf(pid)
  // The number may be another process's by now; and one that has ended keeps it until its parent has asked how.
  return state === undefined || !(state.ended || (began !== null && state.began !== began))
}

/** What Linux tells of a process. */
async function stateOf(pid: number): Promise<{ began: string; ended: boolean } | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The program's name, in brackets, may hold anything.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  const ticks = fields[18]
  if (state === undefined || ticks === undefined) return undefined
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return { began: `${ticks} ${boot.trim()}`, ended: state === 'Z' || state === 'X' }
}

function taken(folder: string, path: string, { pid, host, since }: Owner): DiffSalError {
  const elsewhere = host !== hostname()
  const remedy = elsewhere
    ? `Wait for its end, or give another folder with --output. If it does not run any more, remove '${shown(path)}'.`
    : 'Wait for its end, or give another folder with --output.'
  const who = `the process ${pid}${elsewhere ? ` on the machine ${host}` : ''}`
  return new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `In '${shown(folder)}' ${who} is training, since ${since}. ${remedy}`, {
    argument: 'output',
    received: folder,
  })
}
