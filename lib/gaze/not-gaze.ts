import { DiffSalError, shortened } from '../errors.ts'

/** The error for a file that is no record of where people looked. */
export function notGaze(path: string, why: string, cause?: unknown): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_FILE', `'${shortened(path)}' is no table of where people looked: ${why}.`, { argument: path, cause })
}
