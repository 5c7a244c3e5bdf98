import { DiffSalError } from '../errors.ts'
import type { Faults } from '../files/faults.ts'
import { log } from '../log.ts'

/** Passes over samples of which a file is damaged, and says so once a fault; or lets the error through, where faults are errors. */
export class FaultySamples {
  readonly #plan: Faults
  readonly #reported = new Set<string>()

  constructor(plan: Faults) {
    this.#plan = plan
  }

  /** What is read of a frame; undefined, with a warning, where a file of it is damaged and faults are passed over. */
  async unless<T>(video: string, frame: number, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read()
    } catch (error) {
      if (this.#plan.faults === 'error' || !(error instanceof DiffSalError) || !isOfSample(error)) throw error
      // A picture that does not decode is met with every clip and every epoch.
      if (!this.#reported.has(error.message)) {
        this.#reported.add(error.message)
        log('warn', `${error.message} What needs it is left out; here it is frame ${frame} of '${video}'.`)
      }
      return undefined
    }
  }
}

/** Whether an error is about a file, and not about the machine. */
function isOfSample({ code, cause }: DiffSalError): boolean {
  if (code === 'ERR_DIFFSAL_MEDIA') return true
  return code === 'ERR_DIFFSAL_FILE' && !['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'].includes((cause as NodeJS.ErrnoException | undefined)?.code ?? '')
}
