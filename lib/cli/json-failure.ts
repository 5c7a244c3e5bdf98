import { CommanderError } from 'commander'
import { DiffSalError } from '../errors.ts'
import type { ExitCode } from './exit-codes.ts'
import { Interrupted } from './terminal/interrupt.ts'
import { printJson } from './terminal/print.ts'

/** Whether a command line asks for JSON, `argv` as in `process.argv`. After `--` all are names. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(2, end < 0 ? undefined : end).includes('--json')
}

/** Prints what a command failed with: `{ "error": { "code", "message", "exitCode" } }`, and what a DiffSalError tells besides. */
export function printFailure(error: unknown, exitCode: ExitCode): void {
  printJson({ error: failureOf(error, exitCode) })
}

/** A failure as JSON has it. */
export function failureOf(error: unknown, exitCode: ExitCode): object {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof DiffSalError) {
    const { code, argument, expected, received } = error
    return { code, message, exitCode, argument, expected, received }
  }
  return { code: codeOf(error), message: message.replace(/^error: /, ''), exitCode }
}

/** Codes of what is no DiffSalError: the argument parser's errors, and Ctrl-C. */
function codeOf(error: unknown): string {
  if (error instanceof CommanderError) return 'ERR_DIFFSAL_INVALID_ARGUMENT'
  return error instanceof Interrupted ? 'INTERRUPTED' : 'ERR_DIFFSAL_INTERNAL'
}
