import { DiffSalError } from '../errors.ts'

/**
 * Runs what checks the part `field` of a configuration, and gives its errors the part's whole name: `lr` of `trainer` is
 * `trainer.lr`. `whole` is what the check itself calls the part.
 */
export function nested<T>(field: string, work: () => T, whole = 'options'): T {
  const wholeName = new RegExp(`(?<![\\w./])${whole}(?=[.'[])`, 'g')
  return withErrors(work, (error, argument) => {
    const { message } = error
    const inner = argument === whole ? '' : argument.startsWith(`${whole}.`) || argument.startsWith(`${whole}[`) ? argument.slice(whole.length) : `.${argument}`
    const path = `${field}${inner}`.replace(/^\./, '')
    if (message.includes(`'${whole}`)) return [path, field === '' ? message.replace(`'${whole}'`, 'the configuration') : message.replace(wholeName, field)]
    return [path, message.includes(`'${argument}'`) ? message.replace(`'${argument}'`, `'${path}'`) : `'${path}': ${message}`]
  })
}

/** The flag of an option: `--held-out` of `heldOut`. */
export function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** Runs what checks the values of command-line flags, which its errors name without their dashes. */
export function asFlags<T>(flags: readonly string[], work: () => T): T {
  return withErrors(work, (error, argument) => {
    // Also a part of a list: recordings[0].
    const flag = flags.includes(argument.replace(/\[\d+\]$/, '')) ? flagOf(argument) : argument
    return [flag, error.message.replace(`'${argument}'`, `'${flag}'`)]
  })
}

/** Runs what checks the configuration in `file`, which its errors then name. */
export function inFile<T>(file: string, work: () => T): T {
  return withErrors(work, (error, argument) => [argument, `In '${file}', ${error.message}`])
}

/** Rewords the errors of an argument, of work that may be a promise. */
function withErrors<T>(work: () => T, reword: (error: DiffSalError, argument: string) => [argument: string, message: string]): T {
  const fail = (error: unknown): never => {
    if (!(error instanceof DiffSalError) || error.code !== 'ERR_DIFFSAL_INVALID_ARGUMENT' || error.argument === undefined) throw error
    const [argument, message] = reword(error, error.argument)
    const { expected, received } = error
    throw new DiffSalError(error.code, message, {
      argument,
      ...(expected !== undefined && { expected }),
      ...(received !== undefined && { received }),
      cause: error,
    })
  }
  try {
    const result = work()
    return result instanceof Promise ? (result.catch(fail) as T) : result
  } catch (error) {
    return fail(error)
  }
}
