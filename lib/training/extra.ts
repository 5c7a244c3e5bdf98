import { invalidArgument, invalidArgumentText } from '../errors.ts'
import { isPlain } from '../options.ts'

const expected = 'something that JSON holds (null, booleans, finite numbers, strings, and arrays and plain objects of these)'

/** Refuses what would be another after it was written as JSON and read again: where JSON cannot hold it, or drops or changes it. */
export function checkExtra(extra: unknown): void {
  if (extra === undefined) return
  try {
    check('extra', extra, new Set())
  } catch (cause) {
    // Too deep for JSON too.
    throw cause instanceof RangeError ? invalidArgumentText('extra', expected, 'something nested too deep', cause) : cause
  }
}

function check(name: string, value: unknown, around: Set<object>): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return
  const list = Array.isArray(value)
  if (!list && !isPlain(value)) throw invalidArgument(name, expected, value)
  if (around.has(value)) throw invalidArgumentText(name, expected, 'an object that holds itself')
  around.add(value)
  // A hole is undefined, as JSON sees it.
  if (list) for (let i = 0; i < value.length; i++) check(`${name}[${i}]`, value[i], around)
  else for (const [key, each] of Object.entries(value)) check(`${name}.${key}`, each, around)
  around.delete(value)
}
