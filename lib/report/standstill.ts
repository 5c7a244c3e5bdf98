import type { StopEvent } from '../training/events.ts'
import { numberText } from './ticks.ts'

/** Why a training was stopped, in words. */
export function standstillText({ by, best, validations }: Pick<StopEvent, 'by' | 'best' | 'validations'>): string {
  const times = `${validations} ${validations === 1 ? 'validation' : 'validations'}`
  return best === null ? `${by} was undefined in ${times}` : `${by} has not got better than ${numberText(best)} in ${times}`
}
