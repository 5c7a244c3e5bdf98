import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DiffSalError, fileError } from '../errors.ts'

const prefix = '.diffsal-'
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const day = 24 * 60 * 60 * 1000

/**
 * Runs `work` with a fresh temporary folder in `parent` (so that a rename out of it stays on one disk), and removes the folder
 * whatever happens: success, failure, process exit or one of the signals that end a process, on which `work`'s own signal
 * aborts too. What a killed process left is removed by the next call.
 */
export async function withStaging<T>(parent: string, work: (folder: string, signal: AbortSignal) => Promise<T>): Promise<T> {
  let folder: string
  try {
    mkdirSync(parent, { recursive: true })
    sweep(parent)
    folder = mkdtempSync(join(parent, `${prefix}${hostname()}-${process.pid}-`))
  } catch (error) {
    const { code, message, argument } = fileError('write', parent, error)
    throw new DiffSalError(code, `${message} Set DIFFSAL_CACHE to a folder that can be written.`, { argument: argument ?? parent, cause: error })
  }
  // Files may still be written by the thread pool while this runs: retry until the folder is really empty.
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
  const controller = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    release()
    controller.abort(new Error(`stopped by ${signal}`))
    remove()
    // Whoever else listens decides what the signal means; without others it ends the process, as it would have.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  }
  const release = (): void => {
    process.off('exit', remove)
    for (const signal of signals) process.off(signal, onSignal)
  }
  process.on('exit', remove)
  for (const signal of signals) process.on(signal, onSignal)
  try {
    return await work(folder, controller.signal)
  } finally {
    release()
    remove()
  }
}

/** Removes the staging folders whose process is gone, and those of other machines that share the disk once they are a day old. */
function sweep(parent: string): void {
  const host = hostname()
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue
    const path = join(parent, name)
    const owner = name.startsWith(`${prefix}${host}-`) ? Number(name.slice(prefix.length + host.length + 1).split('-')[0]) : undefined
    const abandoned = owner === undefined ? age(path) > day : !isRunning(owner)
    if (abandoned) rmSync(path, { recursive: true, force: true })
  }
}

function age(path: string): number {
  const status = statSync(path, { throwIfNoEntry: false })
  return status ? Date.now() - status.mtimeMs : 0
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
