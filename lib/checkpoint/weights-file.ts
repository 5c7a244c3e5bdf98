import { DiffSalError } from '../errors.ts'
import { withRegularFile } from '../files/regular-file.ts'

/** A weights file that is open for reading. */
export interface WeightsFile {
  readonly path: string
  /** Bytes of it when it was opened. */
  readonly size: number
  /** Tells this file from another that takes its name, or its place, later: device, inode, size and time of change. */
  readonly identity: string
  /** `length` bytes from `position`. */
  read(position: number, length: number): Promise<Buffer>
}

/**
 * Opens the weights file at `path`, gives it to `use`, and closes it.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE when it cannot be opened or read, ERR_DIFFSAL_CHECKPOINT when it becomes shorter meanwhile
 */
export function withWeightsFile<T>(path: string, use: (file: WeightsFile) => Promise<T>): Promise<T> {
  return withRegularFile(path, async (handle) => {
    const stats = await handle.stat({ bigint: true })
    const size = Number(stats.size)
    // Whole milliseconds, as the addon takes them: Deno tells a file's time no finer.
    const identity = [stats.dev, stats.ino, stats.size, stats.mtimeNs / 1_000_000n].join(':')
    const read = async (position: number, length: number): Promise<Buffer> => {
      const bytes = Buffer.allocUnsafeSlow(length)
      let done = 0
      // A read may be short.
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, position + done)
        if (bytesRead === 0) {
          throw damaged(path, 'the file became shorter while it was read', bytesOf(position + length), bytesOf(position + done))
        }
        done += bytesRead
      }
      return bytes
    }
    return use({ path, size, identity, read })
  })
}

/** The error for a weights file whose bytes are not what its format asks. */
export function damaged(path: string, what: string, expected: string, received: string, cause?: unknown): DiffSalError {
  return unusable(path, what, expected, received, 'Fetch or save the file again.', cause)
}

/** The error for a weights file that cannot be read, damaged or not, with the remedy. */
export function unusable(path: string, what: string, expected: string, received: string, remedy: string, cause?: unknown): DiffSalError {
  const message = `'${path}' cannot be used: ${what}. Expected was ${expected}, but ${received} came. ${remedy}`
  return new DiffSalError('ERR_DIFFSAL_CHECKPOINT', message, { argument: path, expected, received, cause })
}

/** A name out of a file, as it may stand in a message. */
export function shown(name: string): string {
  return (name.length > 120 ? `${name.slice(0, 117)}...` : name).replace(/[^ -~]/g, '?')
}

export function bytesOf(count: number | bigint): string {
  return `${count} byte${BigInt(count) === 1n ? '' : 's'}`
}
