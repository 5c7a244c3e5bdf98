import { invalidArgument, printable } from './errors.ts'

/** How much a message matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Receives every message of the package. It must not throw. */
export type Logger = (level: LogLevel, message: string) => void

const toConsole: Logger = (level, message) => {
  if (level === 'warn' || level === 'error') console.error(`diffsal: ${message}`)
}

let current: Logger = toConsole

/**
 * Sends the package's messages to `logger` instead of the default, which prints warnings and errors to standard error.
 * `undefined` restores the default.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT when `logger` is not a function.
 */
export function setLogger(logger: Logger | undefined): void {
  if (logger !== undefined && typeof logger !== 'function') throw invalidArgument('logger', 'a function', logger)
  current = logger ?? toConsole
}

/** One message to the current logger: what a terminal would obey in it is visible. */
export function log(level: LogLevel, message: string): void {
  current(level, printable(message))
}
