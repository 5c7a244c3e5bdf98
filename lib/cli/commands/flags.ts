import { InvalidArgumentError, Option, type Command } from 'commander'
import { flagOf } from '../../checks/fields.ts'
import { precisions, type Precision } from '../../checks/precision.ts'
import { integer as integerOption, isRefusal, number as numberOption, readText, type Option as Declaration } from '../../checks/table.ts'

/** An option's flag. What is not accepted of it is told in the words of its check. */
function flag(name: string, option: Declaration<unknown>, words: string | undefined): Option {
  const { form, help, usual } = option
  const made = new Option(`${flagOf(name)}${form === undefined ? '' : ` ${form}`}`, words ?? help)
  if (form !== undefined) made.argParser((text) => parsed(option, text))
  return words !== undefined || usual === undefined || usual === false ? made : made.default(usual)
}

/** The flags of some options of a table. `others` has the words of those whose default is another thing here than the table's. */
export function addFlags<Table extends Readonly<Record<string, Declaration<unknown>>>>(
  command: Command,
  table: Table,
  names: readonly (keyof Table & string)[],
  others: { readonly [name in keyof Table & string]?: string | undefined } = {},
): Command {
  for (const name of names) command.addOption(flag(name, table[name]!, others[name]))
  return command
}

function parsed(option: Declaration<unknown>, text: string): unknown {
  try {
    return readText(option, text)
  } catch (error) {
    throw isRefusal(error) ? new InvalidArgumentError(`It must be ${error.expected}.`) : error
  }
}

/** A command line's integer in [min, max]. */
export function integer(min: number, max?: number): (text: string) => number {
  return (text) => parsed(integerOption(min, max), text) as number
}

/** A command line's number from 0 to 1. */
export function fraction(text: string): number {
  return parsed(numberOption(0, 1), text) as number
}

/** `--precision` of the commands that predict. */
export const precisionOption = (): Option =>
  new Option('--precision <type>', 'what to calculate in; bfloat16 is faster at the full size where the device multiplies it')
    .choices(precisions)
    .default('float32')

/** `--threads` of the commands that predict. */
export const threadsOption = (): Option => new Option('--threads <n>', "threads on the CPU (default: the machine's cores)").argParser(integer(1, 1024))

/** What a model runs on. */
export interface DeviceFlags {
  readonly device: string
  readonly precision: Precision
  readonly threads?: number
}

/** Adds the options of {@link DeviceFlags}. */
export function addDeviceFlags(command: Command): Command {
  return command.option('--device <name>', 'auto, cpu, cuda or cuda:N', 'auto').addOption(precisionOption()).addOption(threadsOption())
}

/** A command line's list of different integers in [min, max]: `1,2,4`. */
export function integers(min: number, max: number): (text: string) => number[] {
  return (text) => {
    const values = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : Number.NaN))
    if (values.every((value) => value >= min && value <= max) && new Set(values).size === values.length) return values
    throw new InvalidArgumentError(`It must be different integers from ${min} to ${max} with commas between.`)
  }
}

/** A command line's number. */
export function number(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value)) return value
  throw new InvalidArgumentError('It must be a number.')
}

/** A command line's list of names: `one,two`. */
export function names(text: string): string[] {
  return text.split(',').map((name) => name.trim())
}

/** A command line's integer or list of names. */
export function numberOrNames(text: string): number | string[] {
  return /^[+-]?\d+$/.test(text) ? Number(text) : names(text)
}
