import { DiffSalError } from '../errors.ts'
import { log } from '../log.ts'

/** What becomes of data that are missing or damaged: left out with a warning, or refused. */
export interface Faults {
  readonly faults: 'skip' | 'error'
}

/**
 * Takes note of what is wrong with data.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE with the message, where faults are errors.
 */
export function reportFault(plan: Faults, message: string, consequence: string, argument: string): void {
  if (plan.faults === 'error') throw new DiffSalError('ERR_DIFFSAL_FILE', `${message}.`, { argument })
  log('warn', `${message}; ${consequence}.`)
}
