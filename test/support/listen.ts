import { setLogger } from '../../lib/log.ts'

/** Collects the package's warnings from now on; `setLogger(undefined)` ends it. */
export function listen(): string[] {
  const warnings: string[] = []
  setLogger((level, message) => level === 'warn' && warnings.push(message))
  return warnings
}
