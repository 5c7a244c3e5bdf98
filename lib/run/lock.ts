import { DiffSalError } from '../errors.ts'
import { FileLock, isNear, type LockOwner } from '../files/lock.ts'
import { shown, type RunFolder } from './folder.ts'

/**
 * Takes a run's folder for one process at a time, which is made where it is missing: by a file `run.lock`.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where another process has it; ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE
 */
export function lockRun({ path, lock }: RunFolder): Promise<FileLock> {
  return FileLock.take(lock, { taken: (owner) => taken(path, lock, owner) })
}

function taken(folder: string, path: string, owner: LockOwner): DiffSalError {
  const { pid, host, since } = owner
  const elsewhere = !isNear(owner)
  const remedy = elsewhere
    ? `Wait for its end, or give another folder with --output. If it does not run any more, remove '${shown(path)}'.`
    : 'Wait for its end, or give another folder with --output.'
  const who = `the process ${pid}${elsewhere ? ` on the machine ${host}` : ''}`
  return new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `In '${shown(folder)}' ${who} is training, since ${since}. ${remedy}`, {
    argument: 'output',
    received: folder,
  })
}
