import { describe, DiffSalError, invalidArgument, invalidArgumentText, shortened } from '../errors.ts'

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

/**
 * A plain object (or nothing, which is an empty one) whose names are all known, as a frozen copy: each property was read once, so that what is
 * checked is what is used, whatever an accessor or a proxy would say the next time.
 */
export function checkOptions<T extends object>(argument: string, options: T | undefined, known: readonly (keyof T & string)[]): T {
  if (options === undefined) return Object.freeze(Object.create(null) as T)
  return reading(argument, 'an object (a plain one)', () => {
    if (!hasPlainPrototype(options)) throw invalidArgument(argument, 'an object (a plain one)', options)
    return ownOptions(argument, options, known)
  })
}

/** The properties of any object, under the names that are known, as {@link checkOptions} copies them. */
export function ownOptions<T extends object>(argument: string, options: T, known: readonly (keyof T & string)[]): T {
  return reading(argument, 'an object', () => {
    checkNames(argument, options, known)
    // Without a prototype, so that a polluted one gives no options.
    const own = Object.create(null) as T
    for (const name of known) if (Object.hasOwn(options, name)) own[name] = options[name]
    return Object.freeze(own)
  })
}

/** What is given, or where nothing is, what stands in. null is something, which a check refuses. */
export function orUsual<T, U>(given: T | undefined, usual: U): T | U {
  return given === undefined ? usual : given
}

/** What `read` gives. What somebody's accessor or proxy throws meanwhile makes the argument an invalid one. */
export function reading<T>(argument: string, expected: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof DiffSalError) throw cause
    throw invalidArgumentText(argument, expected, 'something that cannot be read', cause)
  }
}

/** Whether a value is an array; a proxy that was revoked is none. */
export function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/** How long a list may be of which nothing else says it. */
const mostListed = 65_536

/**
 * The elements of an array of `least` to `most`, each read once, by its number: what iterates it is not asked. One of another length is refused
 * before any is read.
 */
export function checkList(argument: string, value: unknown, expected: string, least = 0, most = mostListed): unknown[] {
  return reading(argument, expected, () => {
    if (!Array.isArray(value) || Object.getPrototypeOf(value) === null) throw invalidArgument(argument, expected, value)
    const { length } = value
    if (length < least || length > most) throw invalidArgument(argument, length > most && most > least ? `${expected}, at most ${most} long` : expected, value)
    return Array.from({ length }, (_, i) => value[i] as unknown)
  })
}

/** One value for all of `count`, or a list of one each; `check` gets each with its name. */
export function checkOneOrEach<T>(argument: string, value: unknown, count: number, check: (argument: string, value: unknown) => T): T[] {
  if (!isList(value)) return Array<T>(count).fill(check(argument, value))
  const length = reading(argument, 'a list', () => value.length)
  if (length !== count) throw invalidArgumentText(argument, `a number or ${count} of them`, `${length}`)
  return checkList(argument, value, `a list of ${count}`, count, count).map((each, i) => check(`${argument}[${i}]`, each))
}

/** What `for await` goes over; refuses what it cannot go over. Its iterator is made here, and what it throws later is the caller's own. */
export function checkIterable<T>(argument: string, value: AsyncIterable<T> | Iterable<T>): AsyncIterable<T> | Iterable<T> {
  const expected = 'something to iterate over'
  return reading(argument, expected, () => {
    for (const way of [Symbol.asyncIterator, Symbol.iterator]) {
      const make: unknown = value === null || value === undefined ? undefined : (value as never)[way]
      if (typeof make !== 'function') continue
      const iterator: unknown = Reflect.apply(make, value, [])
      return { [way]: () => iterator } as unknown as AsyncIterable<T>
    }
    throw invalidArgument(argument, expected, value)
  })
}

/** Whether a value is an object as a literal makes it, in whichever realm: a Map's entries, say, would be taken for no options at all. */
export function isPlain(value: unknown): value is object {
  try {
    return hasPlainPrototype(value)
  } catch {
    return false // somebody's proxy
  }
}

function hasPlainPrototype(value: unknown): value is object {
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

/** A list of strings; those of no length only with `empty`. */
export function checkStrings(argument: string, value: unknown, empty = false): string[] {
  return checkList(argument, value, 'a list of strings').map((one, i) => (empty && one === '' ? '' : checkString(`${argument}[${i}]`, one)))
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
