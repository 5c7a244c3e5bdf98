import { link, open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileError, isMissing, type DiffSalError } from '../errors.ts'
import { parseJson } from './json.ts'
import { machine } from './leftovers.ts'
import { makeFolders, removeFolders, temporaryIn, writeFor } from './output-place.ts'
import { readText } from './regular-file.ts'

/** The process that holds a lock. */
export interface LockOwner {
  readonly pid: number
  /** When the process began, as the system counts; null where that cannot be told. With `pid`, it means one process only. */
  readonly began: string | null
  readonly host: string
  /** Tells those from each other among whom numbers of processes mean something: containers on one machine have one host's name, say. */
  readonly machine?: string
  readonly since: string
  /** Seconds between two signs of life, of a lock that gives them. */
  readonly beat?: number
}

/** How a lock is taken. */
export interface LockOptions {
  /** The error for a lock that a process has which lives, or may live. */
  readonly taken: (owner: LockOwner) => DiffSalError
  /**
   * Seconds between two signs of life. Machines that see the file but not the process take the lock over after eight that did not come. Without it,
   * another machine's lock stays until somebody removes it, and that of this one is taken over once it was started anew.
   */
  readonly beat?: number
}

/** Milliseconds in which a lock that is being written becomes whole, where files cannot be linked. */
const patience = 1000

/** How many signs of life may be missing. Some file systems tell other machines of a change only after a minute. */
const missed = 8

/** A file that one process has at a time, and that a process that died leaves to the next. */
export class FileLock {
  readonly #path: string
  readonly #text: string
  readonly #made: readonly string[]
  readonly #life: SignsOfLife | undefined

  private constructor(path: string, text: string, made: readonly string[], life: SignsOfLife | undefined) {
    this.#path = path
    this.#text = text
    this.#made = made
    this.#life = life
  }

  /**
   * Takes a lock. The folder of its file is made where it is missing.
   *
   * @throws what `taken` gives where another process has it; ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE
   */
  static async take(path: string, { taken, beat }: LockOptions): Promise<FileLock> {
    const own = temporaryIn(dirname(path))
    let made: readonly string[] = []
    try {
      const began = (await stateOf(process.pid))?.began ?? null
      const owner: LockOwner = { pid: process.pid, began, host: hostname(), machine, since: new Date().toISOString(), ...(beat !== undefined && { beat }) }
      const text = `${JSON.stringify(owner)}\n`
      made = await makeFolders(dirname(path), () => writeFor(path, own, Buffer.from(text)))
      await claim(path, own, text, taken)
      const life = beat === undefined ? undefined : await SignsOfLife.begin(path, text, beat)
      await rm(own, { force: true })
      return new FileLock(path, text, made, life)
    } catch (error) {
      await rm(own, { force: true }).catch(() => undefined)
      await removeFolders(made)
      throw error
    }
  }

  /** Lets it go; folders that were made for it and are empty go too. A lock that cannot be removed is of a dead process soon. */
  async release(): Promise<void> {
    await this.#life?.end()
    const found = await textOf(this.#path).catch(() => undefined)
    if (found === this.#text) await rm(this.#path, { force: true }).catch(() => undefined)
    await removeFolders(this.#made)
  }
}

/** Writes a lock again from time to time, so that its time of change shows that its owner lives, by the clock of whoever keeps the files. */
class SignsOfLife {
  readonly #file: FileHandle
  readonly #timer: NodeJS.Timeout
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(file: FileHandle, text: string, beat: number) {
    this.#file = file
    // One that fails is missing, and no more.
    this.#timer = setInterval(() => (this.#writing = this.#writing.then(() => file.write(text, 0)).catch(() => undefined)), beat * 1000).unref()
  }

  static async begin(path: string, text: string, beat: number): Promise<SignsOfLife> {
    // The file itself, not its name: after a take-over that is another's.
    const file = await open(path, 'r+').catch(async (cause: unknown) => {
      await rm(path, { force: true })
      throw fileError('write', path, cause)
    })
    return new SignsOfLife(file, text, beat)
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
    await this.#file.close().catch(() => undefined)
  }
}

/** Makes the lock `path`, of what `own` holds, or takes it from a process that is dead. */
async function claim(path: string, own: string, text: string, taken: LockOptions['taken']): Promise<void> {
  for (;;) {
    if (await placed(path, own, text)) return
    const { found, owner } = await ownerOf(path)
    if (found === undefined) continue
    if (owner !== undefined && (await isAlive(owner, path, own))) throw taken(owner)
    // Only who has the next lock may replace this one, so that two that find the same dead process do not both go on.
    const next = `${path}.next`
    await claim(next, own, text, taken)
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
async function ownerOf(path: string): Promise<{ found: string | undefined; owner?: LockOwner }> {
  for (const begin = performance.now(); ; await sleep(50)) {
    const found = await textOf(path)
    if (found === undefined) return { found }
    const owner = parsed(found)
    if (owner !== undefined) return { found, owner }
    if (performance.now() - begin > patience) return { found }
  }
}

function parsed(text: string): LockOwner | undefined {
  try {
    const owner = parseJson(text) as LockOwner | null
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

/** Whether a lock's process lives, as far as that can be told: `own` is a file beside it that was written just now. */
async function isAlive(owner: LockOwner, path: string, own: string): Promise<boolean> {
  const { pid, began } = owner
  if (!isNear(owner)) return owner.beat === undefined ? !(await isOfFormerStart(owner)) : isBeating(owner, path, own)
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const state = await stateOf(pid)
  // The number may be another process's by now; and one that has ended keeps it until its parent has asked how.
  return state === undefined || !(state.ended || (began !== null && state.began !== began))
}

/** Whether the process is one that can be asked for by its number. */
export function isNear({ host, machine: its }: LockOwner): boolean {
  return its === undefined ? host === hostname() : its === machine
}

/** Whether another machine's process gave a sign of life lately; one that gives none may live. */
async function isBeating({ beat }: LockOwner, path: string, own: string): Promise<boolean> {
  if (typeof beat !== 'number' || !(beat > 0)) return true
  const [last, now] = await Promise.all([path, own].map((each) => stat(each).catch(() => undefined)))
  return last === undefined || now === undefined || now.mtimeMs - last.mtimeMs <= missed * beat * 1000
}

/** Whether the process was of this host before it was started anew, which no process outlives. */
async function isOfFormerStart({ host, began }: LockOwner): Promise<boolean> {
  const [, boot] = began?.split(' ') ?? []
  const now = await bootId()
  return host === hostname() && Boolean(boot) && now !== '' && boot !== now
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim()
}

/** What Linux tells of a process. */
async function stateOf(pid: number): Promise<{ began: string; ended: boolean } | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The program's name, in brackets, may hold anything.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  const ticks = fields[18]
  if (state === undefined || ticks === undefined) return undefined
  return { began: `${ticks} ${await bootId()}`, ended: state === 'Z' || state === 'X' }
}
