import { createHash, randomBytes } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Tells those from each other among whom numbers of processes mean something: machines, their starts, and containers on them. */
export const machine = createHash('sha256').update(whereNumbersCount()).digest('hex').slice(0, 8)

/** Which machine and process a temporary file is of; one of an older version has neither. */
const named = /^\.diffsal-(?:([\da-f]{8})-(\d+)-)?[\da-f]{12}\.tmp(?:\.|$)/

/** Milliseconds after which a file is left over whose process cannot be asked for. */
const day = 24 * 60 * 60 * 1000

/**
 * A name in a folder that nothing has yet. A process that is killed leaves what it wrote there: whoever writes into the folder next removes it,
 * which the name makes possible.
 */
export function temporaryName(folder: string): string {
  sweep(folder)
  return join(folder, `.diffsal-${machine}-${process.pid}-${randomBytes(6).toString('hex')}.tmp`)
}

/** Removes the temporary files in a folder whose process is gone; those of other machines once they are a day old. */
export function sweep(folder: string): void {
  for (const name of namesIn(folder)) {
    const [, owner, pid] = named.exec(name) ?? []
    if (!named.test(name)) continue
    const path = join(folder, name)
    try {
      const left = owner === machine ? !isRunning(Number(pid)) : Date.now() - lstatSync(path).mtimeMs > day
      if (left) rmSync(path, { recursive: true, force: true })
    } catch {
      // What cannot be removed stays: it is in nobody's way.
    }
  }
}

function whereNumbersCount(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1') + readlinkSync('/proc/self/ns/pid')
  } catch {
    return randomBytes(8).toString('hex') // nobody can be asked for: all are another's
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // writing there tells what is the matter
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
