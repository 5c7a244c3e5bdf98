import { DiffSalError } from '../../lib/errors.ts'
import { Random } from './random.ts'
import type { Target } from './reader-targets.ts'

/**
 * Runs one case of a target. It may succeed, or fail with a DiffSalError that is not a defect of ours; all else is a finding.
 *
 * @returns what is wrong, undefined where nothing is
 */
export async function findingOf(target: Target, seed: number): Promise<string | undefined> {
  try {
    await target.run(new Random(seed))
    return undefined
  } catch (error) {
    if (!(error instanceof DiffSalError)) return `no DiffSalError: ${error instanceof Error ? error.stack : String(error)}`
    if (error.code === 'ERR_DIFFSAL_INTERNAL') return `a defect of ours: ${error.stack}`
    if (/\p{Cc}|\p{Bidi_Control}/u.test(error.message)) return `a message that a terminal obeys: ${JSON.stringify(error.message)}`
    if (error.message.length > 8000) return `a message of ${error.message.length} characters`
    return undefined
  }
}

/** The target of a case: each as often as its weight says. */
export function targetOf(targets: readonly Target[], random: Random): Target {
  let place = random.below(targets.reduce((sum, { weight }) => sum + weight, 0))
  return targets.find(({ weight }) => (place -= weight) < 0)!
}
