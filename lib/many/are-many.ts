import { stat } from 'node:fs/promises'
import { kindOfInput } from '../media/video-input.ts'

/** Whether inputs are many, though there may be only one: several, a folder, or a pattern. A file whose name looks like a pattern is a file. */
export async function areMany(inputs: readonly string[]): Promise<boolean> {
  if (inputs.length !== 1) return true
  const [input] = inputs as [string]
  if (isElsewhere(input)) return false
  const found = await stat(pathOf(input)).catch(() => undefined)
  if (found !== undefined) return found.isDirectory()
  const { isDynamicPattern } = await import('tinyglobby')
  return isDynamicPattern(input)
}

/** Whether an input is an address or standard input, which go alone. */
export function isElsewhere(input: string): boolean {
  return input === '-' || kindOfInput(input).kind === 'address'
}

/** The path that an input is. */
export function pathOf(input: string): string {
  const found = kindOfInput(input)
  return found.kind === 'file' ? found.path : input
}
