import { afterEach, beforeEach } from 'vitest'
import { setLogger } from '../../lib/log.ts'

/** What was warned of in the test that runs, for the test file that calls this. */
export function collectWarnings(): readonly string[] {
  const warnings: string[] = []
  beforeEach(() => {
    warnings.length = 0
    setLogger((level, message) => void (level === 'warn' && warnings.push(message)))
  })
  afterEach(() => setLogger(undefined))
  return warnings
}
