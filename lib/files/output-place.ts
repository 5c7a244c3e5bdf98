import { readlinkSync, statSync, type Stats } from 'node:fs'
import { link, mkdir, open, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { DiffSalError, fileError, isMissing } from '../errors.ts'
import { temporaryName } from './leftovers.ts'

/**
 * A temporary path beside a file to be written, so that the finished file is moved to its place in one step. Folders on the way
 * are made, and removed again by `discard` when they are empty. A symbolic link stays one: what it leads to is replaced.
 */
export class OutputPlace {
  /** Where the result goes, as the caller named it. */
  readonly target: string
  /** Where it is written first. A short name of our own, whatever the target is called. */
  readonly temporary: string
  readonly #made: string[]
  /** Where it goes in truth. */
  readonly #path: string
  /** After `commit`: where the file is kept that was there, null where there was none. */
  #replaced: string | null | undefined

  private constructor(target: string, path: string, temporary: string, made: string[]) {
    this.target = target
    this.#path = path
    this.temporary = temporary
    this.#made = made
  }

  /** @throws DiffSalError ERR_DIFFSAL_FILE when the folder cannot be made, or the target is there and no file. */
  static async beside(target: string, suffix = ''): Promise<OutputPlace> {
    checkReplaceable(target)
    const path = withoutLinks(target)
    const folder = dirname(path)
    const made = await makeFolders(folder)
    return new OutputPlace(target, path, temporaryIn(folder, suffix), made)
  }

  /**
   * As {@link beside}, with what is to go there, which the disk has.
   *
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE
   */
  static async holding(target: string, data: Uint8Array): Promise<OutputPlace> {
    checkReplaceable(target)
    const path = withoutLinks(target)
    const temporary = temporaryIn(dirname(path))
    try {
      return new OutputPlace(target, path, temporary, await makeFolders(dirname(path), () => writeFor(target, temporary, data)))
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined)
      throw error
    }
  }

  /** Waits until the disk has the bytes. */
  async sync(): Promise<void> {
    const file = await open(this.temporary, 'r+').catch((cause: unknown) => {
      throw fileError('write', this.target, cause)
    })
    try {
      await file.sync()
    } catch (cause) {
      throw fileError('write', this.target, cause)
    } finally {
      await file.close()
    }
  }

  /**
   * Moves the finished file to its place.
   *
   * @param keep keeps the file that was there, for `revert`, until `discard`
   */
  async commit({ keep = false } = {}): Promise<void> {
    try {
      if (keep) await this.#keep()
      await rename(this.temporary, this.#path)
    } catch (cause) {
      throw fileError('write', this.target, cause)
    }
  }

  async #keep(): Promise<void> {
    const kept = temporaryIn(dirname(this.#path))
    try {
      await link(this.#path, kept)
      this.#replaced = kept
    } catch (error) {
      // A file system without links keeps nothing, and the new file stays.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#replaced = null
    }
  }

  /** Undoes a `commit` that kept what was there. */
  async revert(): Promise<void> {
    if (this.#replaced === null) await rm(this.#path, { force: true })
    else if (this.#replaced !== undefined) await rename(this.#replaced, this.#path)
    this.#replaced = undefined
  }

  /** Removes the temporary file, and the folders that were made for it if nothing else is in them. */
  async discard(): Promise<void> {
    await rm(this.temporary, { force: true, recursive: true })
    if (typeof this.#replaced === 'string') await rm(this.#replaced, { force: true })
    await removeFolders(this.#made)
  }
}

/**
 * Refuses what must not be replaced by a file: a folder, a pipe, a device. At once, so that calls keep their order.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE
 */
export function checkReplaceable(path: string): void {
  let existing: Stats
  try {
    existing = statSync(path)
  } catch {
    return // writing tells what is the matter, if anything is
  }
  if (existing.isFile()) return
  throw fileError('write', path, Object.assign(new Error('it is not a regular file'), existing.isDirectory() && { code: 'EISDIR' }))
}

/** The whole path that a name leads to, which may not be there. */
export function withoutLinks(target: string): string {
  let path = resolve(target)
  for (let links = 0; ; links++) {
    const next = linkAt(path)
    if (next === undefined) return path
    if (links === 40) throw fileError('write', target, new Error('its symbolic links lead to each other'))
    path = resolve(dirname(path), next)
  }
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** Where the addon writes a file: first to `temporary`, which is then renamed to `place`. */
export interface WritingPlan {
  /** As the caller named it. */
  readonly path: string
  /** Where that leads to. */
  readonly place: string
  /** Beside `place`. */
  readonly temporary: string
}

/** How to write a file whole, or not at all. */
export function writingPlan(path: string): WritingPlan {
  const place = withoutLinks(path)
  return { path, place, temporary: temporaryIn(dirname(place)) }
}

/** A name that nothing has yet, in a folder. */
export function temporaryIn(folder: string, suffix = ''): string {
  return temporaryName(folder) + suffix
}

/** How often folders are made again that another process removed meanwhile. */
const mostTries = 50

/**
 * Makes a folder and those above it; gives the ones that were missing, outermost first. (Node's own `recursive` never ends where a
 * folder says that nothing is in it and lets nothing be made, as /proc does.)
 *
 * @param first writes something into it. Where another process made the folders, and removes them since they are empty, all is done again.
 */
export async function makeFolders(folder: string, first?: () => Promise<void>): Promise<string[]> {
  for (let tries = 1; ; tries++) {
    const made: string[] = []
    try {
      await makeMissing(resolve(folder), made)
      await first?.()
      return made
    } catch (cause) {
      await removeFolders(made)
      const isGone = isMissing(cause) || (cause as NodeJS.ErrnoException).code === 'ENOENT'
      if (!isGone || tries === mostTries) throw cause instanceof DiffSalError ? cause : fileError('write', folder, cause)
    }
  }
}

async function makeMissing(folder: string, made: string[]): Promise<void> {
  const existing = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  if (existing?.isDirectory()) return
  if (existing) throw Object.assign(new Error('a file is in its place'), { code: 'EEXIST' })
  await makeMissing(dirname(folder), made)
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Another process was faster.
    if (error.code !== 'EEXIST') throw error
  })
  made.push(folder)
}

/** Removes folders that {@link makeFolders} made, as far as they are empty. */
export async function removeFolders(made: readonly string[]): Promise<void> {
  for (const folder of made.toReversed()) await rmdir(folder).catch(() => undefined)
}

/** As {@link writeSynced}, of what becomes the file `target`. @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE */
export async function writeFor(target: string, path: string, data: Uint8Array): Promise<void> {
  await writeSynced(path, data).catch((cause: unknown) => Promise.reject(fileError('write', target, cause)))
}

/** Writes a new file whole and waits until the disk has it. */
export async function writeSynced(path: string, data: Uint8Array): Promise<void> {
  await writeFile(path, data, { flag: 'wx', flush: true })
}
