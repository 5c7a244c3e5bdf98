import { describe, DiffSalError, invalidArgument, shortened } from './errors.ts'

/** Refuses option names that do not exist and suggests the nearest one that does. */
export function checkNames(argument: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    const hint = near === undefined ? `Known are: ${known.join(', ')}.` : `Did you mean '${near}'?`
    throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `'${argument}' has an unknown option ${describe(name)}. ${hint}`, {
      argument: `${argument}.${shortened(name)}`,
      expected: `one of ${known.join(', ')}`,
      received: describe(name),
    })
  }
}

/** A plain object (or nothing, which is an empty one) whose names are all known. */
export function checkOptions<T extends object>(argument: string, options: T | undefined, known: readonly (keyof T & string)[]): T {
  if (options === undefined) return {} as T
  if (!isPlain(options)) throw invalidArgument(argument, 'an object (a plain one)', options)
  checkNames(argument, options, known)
  return options
}

/** Whether a value is an object as a literal makes it, in whichever realm: a Map's entries, say, would be taken for no options at all. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf'))
}

/** An integer in [min, max]. */
export function checkInteger(argument: string, value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`
    throw invalidArgument(argument, range, value)
  }
  return value as number
}

/** A finite number in [min, max]. */
export function checkNumber(argument: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) {
    throw invalidArgument(argument, `a number from ${min} to ${max}`, value)
  }
  return value
}

/** One of a list of words. */
export function checkChoice<T extends string>(argument: string, value: unknown, choices: readonly T[]): T {
  if (typeof value === 'string' && (choices as readonly string[]).includes(value)) return value as T
  const near = typeof value === 'string' ? nearest(value, choices) : undefined
  throw invalidArgument(argument, `one of ${choices.map(describe).join(', ')}${near ? ` (did you mean '${near}'?)` : ''}`, value)
}

/** A path or another string that is not empty. */
export function checkString(argument: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) throw invalidArgument(argument, 'a non-empty string', value)
  return value
}

/** true or false, nothing that merely behaves like it. */
export function checkBoolean(argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidArgument(argument, 'true or false', value)
  return value
}

/** The known name within two edits (or a third of the word) of `name`, if there is one. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > 100) return undefined // distances cost by length, and nothing known is so long
  const far = Math.max(2, Math.floor(name.length / 3))
  let best: string | undefined
  let bestDistance = far + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]!
}
