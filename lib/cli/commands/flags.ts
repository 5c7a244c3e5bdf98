import { InvalidArgumentError, Option } from 'commander'
import { precisions } from '../../checks/precision.ts'

/** A command line's integer in [min, max]. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be an integer ${max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`}.`)
  }
}

/** `--precision` of the commands that predict. */
export const precisionOption = (): Option =>
  new Option('--precision <type>', 'what to calculate in; bfloat16 is faster at the full size where the device multiplies it').choices(precisions).default('float32')

/** A command line's number from 0 to 1. */
export function fraction(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value >= 0 && value <= 1) return value
  throw new InvalidArgumentError('It must be a number from 0 to 1.')
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
