import { DiffSalError, invalidArgument } from '../errors.ts'
import { checkBoolean, checkChoice, checkInteger, checkNumber, checkOptions, checkString } from './options.ts'
import { checkSignal } from './signal.ts'

/** All there is to know of an option: from it come its name's place among the others, its check, its default and its flag. */
export interface Option<T> {
  /** Gives the value; refuses another by an error that names `argument`. */
  readonly check: (argument: string, value: unknown) => T
  /** What stands in where nothing is said. Its comment says the same; a test compares them. */
  readonly usual?: T
  /** Whether it must be said. */
  readonly needed?: boolean
  /** What its flag takes, `<n>`; a switch takes nothing. */
  readonly form?: string
  /** Its flag's line in `--help`. */
  readonly help?: string | undefined
  /** What a text on a command line stands for; itself where it stands for nothing. */
  readonly read?: (text: string) => unknown
}

/** The options of an interface, each declared once: the compiler sees to it that none is missing. */
export type OptionTable<T> = { readonly [Name in keyof T]-?: Option<T[Name] | Exclude<T[Name], undefined>> }

/** Options as they were read: those that have a default are there. */
export type Read<T, Table> = T & {
  readonly [Name in keyof Table as Table[Name] extends { readonly usual: unknown } ? Name : never]: Table[Name] extends { readonly usual: infer U } ? U : never
}

/** The names of a table. */
export function namesOf<Table extends object>(table: Table): (keyof Table & string)[] {
  return Object.keys(table) as (keyof Table & string)[]
}

type More<T> = Pick<Option<T>, 'form' | 'help'>

/** Reads options by their table: unknown names and values that are not accepted are refused, defaults are filled in. */
export function readOptions<T extends object, Table extends OptionTable<T>>(argument: string, given: T | undefined, table: Table, prefix = ''): Read<T, Table> {
  return checkedBy<T, Table>(checkOptions<T>(argument, given, namesOf(table) as unknown as (keyof T & string)[]), table, prefix)
}

/** As {@link readOptions}, of options within others: an error names them behind `argument`. */
export function readNested<T extends object, Table extends OptionTable<T>>(argument: string, given: T | undefined, table: Table): Read<T, Table> {
  return readOptions<T, Table>(argument, given, table, `${argument}.`)
}

/** As {@link readOptions}, of options whose names are known to be right. */
export function checkedBy<T extends object, Table extends OptionTable<T>>(given: T, table: Table, prefix = ''): Read<T, Table> {
  const read = Object.create(null) as Record<string, unknown>
  for (const [name, { check, usual, needed }] of Object.entries<Option<unknown>>(table)) {
    const value = given[name as keyof T]
    if (value !== undefined || needed) read[name] = check(prefix + name, value)
    else if (usual !== undefined) read[name] = usual
  }
  return Object.freeze(read) as Read<T, Table>
}

/** What a text on the command line gives an option. @throws DiffSalError whose `expected` says what is accepted */
export function readText({ check, read = (text) => text }: Option<unknown>, text: string): unknown {
  return check('it', read(text))
}

/** An integer in [least, most]. */
export function integer<U extends number | undefined = undefined>(least: number, most?: number, more: More<number> & { readonly usual?: U } = {}) {
  const read = (text: string): unknown => (/^[+-]?\d+$/.test(text) ? Number(text) : text)
  return { form: '<n>', read, check: (argument: string, value: unknown) => checkInteger(argument, value, least, most), ...more } as Declared<number, U>
}

/** A number in [least, most]. */
export function number<U extends number | undefined = undefined>(least: number, most: number, more: More<number> & { readonly usual?: U } = {}) {
  const read = (text: string): unknown => (text.trim() === '' ? text : Number(text))
  return { form: '<x>', read, check: (argument: string, value: unknown) => checkNumber(argument, value, least, most), ...more } as Declared<number, U>
}

/** true or false; a switch. */
export function yes<U extends boolean | undefined = undefined>(more: More<boolean> & { readonly usual?: U } = {}) {
  return { check: checkBoolean, ...more } as Declared<boolean, U>
}

/** A path or another string that is not empty. */
export function text(more: More<string> = {}): Option<string> {
  return { form: '<text>', check: checkString, ...more }
}

/** One of some words. */
export function choice<W extends string, U extends W | undefined = undefined>(words: readonly W[], more: More<W> & { readonly usual?: U } = {}) {
  return { form: '<name>', check: (argument: string, value: unknown) => checkChoice(argument, value, words), ...more } as Declared<W, U>
}

/** An AbortSignal. */
export const signal: Option<AbortSignal> = { check: (_, value) => checkSignal(value)! }

/** A function. */
export function callback<F>(): Option<F> {
  return {
    check: (argument, value) => {
      if (typeof value !== 'function') throw invalidArgument(argument, 'a function', value)
      return value as F
    },
  }
}

/** What is checked where more is known of it. */
export function later<T>(): Option<T> {
  return { check: (_, value) => value as T }
}

/** An option whose default, where it has one, is known to the compiler. */
export type Declared<T, U> = Option<T> & { readonly help?: string | undefined } & (U extends undefined ? unknown : { readonly usual: T })

/** Whether an error is one of {@link readText}'s. */
export function isRefusal(error: unknown): error is DiffSalError & { readonly expected: string } {
  return error instanceof DiffSalError && error.expected !== undefined
}
