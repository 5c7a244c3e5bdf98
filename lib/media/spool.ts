import { rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { unlessAborted } from '../async/abort.ts'
import { DiffSalError, fileError } from '../errors.ts'
import { temporaryName } from '../files/leftovers.ts'
import { streamError, type ByteSource } from './byte-source.ts'
import { StallWatch } from './stall-watch.ts'

/** The most bytes that are spooled where nothing else is said. */
export const defaultSpoolLimit = 2 ** 32

/** How bytes are spooled. */
export interface SpoolOptions {
  /** The most bytes. */
  readonly spoolLimit: number
  /** Seconds without a byte after which the sender is given up. */
  readonly stallLimit: number
  readonly signal?: AbortSignal | undefined
}

/** A temporary file of ours. */
export interface SpooledFile {
  readonly path: string
  /** Takes it away. */
  remove(): Promise<void>
}

/** Those that are there now: a process that ends takes them along. One that is killed leaves them to the next that spools. */
const spooled = new Set<string>()
let hooked = false

/**
 * Writes bytes to a temporary file: ffmpeg must be able to go back in what it reads (an MP4 may have its index at its end), and reads it more
 * than once. On any failure nothing is left, and the source is stopped.
 *
 * @param name what messages call the source
 * @throws DiffSalError ERR_DIFFSAL_FILE where the source fails, stalls or is too long; ERR_DIFFSAL_NO_SPACE
 */
export async function spool(source: ByteSource, name: string, { spoolLimit, stallLimit, signal }: SpoolOptions): Promise<SpooledFile> {
  const folder = tmpdir()
  const path = temporaryName(folder)
  const unwritten = (cause: unknown): Promise<never> => Promise.reject(fileError('write a temporary file to', folder, cause))
  removeAtExit(path)
  try {
    const file = await open(path, 'wx', 0o600).catch(unwritten)
    try {
      let length = 0
      for (;;) {
        const piece = await patiently(source, name, stallLimit, signal)
        if (piece === undefined) break
        length += piece.length
        if (length > spoolLimit) throw tooLong(name, spoolLimit)
        await file.appendFile(piece).catch(unwritten)
        signal?.throwIfAborted()
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    source.stop()
    await remove(path)
    throw error
  }
  return { path, remove: () => remove(path) }
}

/** The error for a source of more bytes than are taken. */
export function tooLong(name: string, limit: number): DiffSalError {
  const expected = `at most ${limit} bytes long`
  const message = `Cannot read '${name}': it is longer than ${limit} bytes. Allow more by the spoolLimit option (--spool-limit), or save it to a file first.`
  return new DiffSalError('ERR_DIFFSAL_FILE', message, { argument: name, expected })
}

/** Waits for work of a sender that must not stall. @throws DiffSalError ERR_DIFFSAL_FILE */
export function unlessStalled<T>(work: Promise<T>, name: string, stallLimit: number, signal: AbortSignal | undefined): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const watch = new StallWatch(stallLimit, () => {
      const remedy = 'Look whether its sender works, or allow more time by the stallLimit option (--stall-limit)'
      reject(new DiffSalError('ERR_DIFFSAL_FILE', `Cannot read '${name}': it gave nothing for ${stallLimit} s. ${remedy}.`, { argument: name }))
    })
    watch.wait(unlessAborted(work, signal)).then(resolve, reject)
  })
}

async function patiently(source: ByteSource, name: string, stallLimit: number, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
  signal?.throwIfAborted()
  const next = source.next().catch((cause: unknown) => Promise.reject(streamError(name, cause)))
  return unlessStalled(next, name, stallLimit, signal)
}

async function remove(path: string): Promise<void> {
  await rm(path, { force: true })
  spooled.delete(path)
}

function removeAtExit(path: string): void {
  if (!hooked) {
    hooked = true
    process.on('exit', () => spooled.forEach((one) => rmSync(one, { force: true })))
  }
  spooled.add(path)
}
