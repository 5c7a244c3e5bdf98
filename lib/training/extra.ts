import { isPlain, reading } from '../checks/options.ts'
import { invalidArgument, invalidArgumentText, type DiffSalError } from '../errors.ts'

const expected = 'something that JSON holds (null, booleans, finite numbers, strings, and arrays and plain objects of these)'

/**
 * A copy of what JSON holds unchanged, read once. Refuses what would be another after it was written as JSON and read again: where JSON cannot
 * hold it, or drops or changes it.
 */
export function checkExtra(extra: unknown, argument = 'extra'): unknown {
  if (extra === undefined) return undefined
  try {
    return reading(argument, expected, () => copied(argument, extra, new Set()))
  } catch (cause) {
    // Too deep for JSON too.
    const { cause: inner } = cause as DiffSalError
    throw inner instanceof RangeError ? invalidArgumentText(argument, expected, 'something nested too deep', inner) : cause
  }
}

function copied(name: string, value: unknown, around: Set<object>): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return value
  const list = Array.isArray(value)
  if (!list && !isPlain(value)) throw invalidArgument(name, expected, value)
  if (around.has(value)) throw invalidArgumentText(name, expected, 'an object that holds itself')
  around.add(value)
  const copy: Record<string, unknown> = list ? ([] as never) : (Object.create(null) as Record<string, unknown>)
  // A hole is undefined, as JSON sees it.
  if (list) for (let i = 0; i < value.length; i++) copy[i] = copied(`${name}[${i}]`, value[i], around)
  else for (const [key, each] of Object.entries(value)) copy[key] = copied(`${name}.${key}`, each, around)
  around.delete(value)
  return copy
}
