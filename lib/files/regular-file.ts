import { constants } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { DiffSalError, fileError } from '../errors.ts'

/** The most that {@link readWhole} takes into memory where its caller names no other bound, in bytes. */
const most = 64 << 20

/**
 * Opens a file to read it, gives it to `use`, and closes it. This is the one place where files of others are opened: only regular ones, since
 * a pipe is waited for without end, a device such as /dev/zero never ends, and to open some devices is to do something with them.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE for what cannot be opened or read, or is no regular file; what `use` throws
 */
export async function withRegularFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    // By name first, so that no device is opened; then what was opened, which may be another by now. Without waiting, for the same reason.
    checkRegular(path, await stat(path))
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      checkRegular(path, await file.stat())
      return await use(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? fileError('read', path, error) : error
  }
}

/**
 * The whole of a regular file.
 *
 * @param limit the most bytes it may have
 * @throws DiffSalError ERR_DIFFSAL_FILE, also for a file that is longer
 */
export function readWhole(path: string, limit = most): Promise<Buffer> {
  return withRegularFile(path, async (file) => {
    const { size } = await file.stat()
    if (size > limit) throw tooLong(path, limit, size)
    const bytes = await bytesAt(file, 0, size)
    // What grows meanwhile is not waited for, but a file that says that it is empty (as those of /proc do) may not be.
    if (size > 0) return bytes
    return bytesAt(file, 0, limit)
  })
}

/** The whole of a regular file, as text. */
export async function readText(path: string, limit?: number): Promise<string> {
  return (await readWhole(path, limit)).toString('utf8')
}

/** The bytes from `position`, `length` of them or as many as there are. */
export async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (let filled = 0; filled < length; ) {
    const piece = Buffer.allocUnsafe(Math.min(length - filled, 1 << 22))
    const { bytesRead } = await file.read(piece, 0, piece.length, position + filled)
    if (bytesRead === 0) break
    pieces.push(piece.subarray(0, bytesRead))
    filled += bytesRead
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}

function checkRegular(path: string, stats: { isFile(): boolean; isDirectory(): boolean }): void {
  if (stats.isFile()) return
  throw fileError('read', path, Object.assign(new Error('it is not a regular file'), stats.isDirectory() && { code: 'EISDIR' }))
}

function tooLong(path: string, limit: number, size: number): DiffSalError {
  const expected = `a file of at most ${limit} bytes`
  return new DiffSalError('ERR_DIFFSAL_FILE', `Cannot read '${path}': it must be ${expected}, but has ${size}.`, {
    argument: path,
    expected,
    received: `${size} bytes`,
  })
}
