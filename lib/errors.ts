import { types } from 'node:util'

/**
 * Every code a {@link DiffSalError} can carry. Codes are stable; messages are for people and may be reworded.
 */
export type DiffSalErrorCode =
  /** An option, tensor or setting is not what the call accepts. `argument` names it. */
  | 'ERR_DIFFSAL_INVALID_ARGUMENT'
  /** The object was disposed before the call. */
  | 'ERR_DIFFSAL_DISPOSED'
  /** A weights file is damaged, or does not belong to the configuration. */
  | 'ERR_DIFFSAL_CHECKPOINT'
  /** A file cannot be opened, read or written. `cause` holds the system's error. */
  | 'ERR_DIFFSAL_FILE'
  /** The disk is full. Nothing was left behind. */
  | 'ERR_DIFFSAL_NO_SPACE'
  /** A video or sound could not be decoded, or has nothing to predict from. */
  | 'ERR_DIFFSAL_MEDIA'
  /** A stream got frames faster than the model makes maps, and was told to fail then. */
  | 'ERR_DIFFSAL_OVERRUN'
  /** ffmpeg was not found. */
  | 'ERR_DIFFSAL_FFMPEG_MISSING'
  /** libtorch was not found, or cannot be opened. */
  | 'ERR_DIFFSAL_LIBTORCH_MISSING'
  /** The libtorch that was found is not of the release this package was built for. */
  | 'ERR_DIFFSAL_LIBTORCH_VERSION'
  /** The native addon was not found, or cannot be opened. */
  | 'ERR_DIFFSAL_ADDON_MISSING'
  /** The device is unknown, or not usable on this machine. */
  | 'ERR_DIFFSAL_DEVICE'
  /** The loss or the gradient of a training step is not finite. The step was not taken. */
  | 'ERR_DIFFSAL_DIVERGED'
  /** Another process of a group is gone, silent or of another kind, or has failed: `received` is its rank, where that is known. */
  | 'ERR_DIFFSAL_PEER'
  /** The device or the host ran out of memory. */
  | 'ERR_DIFFSAL_OUT_OF_MEMORY'
  /** A defect of this package. Please report it. */
  | 'ERR_DIFFSAL_INTERNAL'

/** What an error knows beyond its message. */
export interface DiffSalErrorDetails {
  /** The option, tensor or file the error is about, as the caller wrote it (`steps`, `frames.shape`). */
  argument?: string | undefined
  /** What would have been accepted. */
  expected?: string | undefined
  /** What came instead. */
  received?: string | undefined
  /** The error underneath. */
  cause?: unknown
}

/** Characters that a message may have: several paths of any length, but not a file's content that a library quotes. */
const longest = 16_000

/**
 * The one error class of this package. `code` is for programs, `message` for people: it names the argument, what was
 * expected and what came, and the remedy where there is one. It is one line, and what a terminal would obey in a name is visible in it.
 */
export class DiffSalError extends Error {
  /** Always this, in every realm. */
  override readonly name = 'DiffSalError'
  /** What went wrong, for programs. */
  readonly code: DiffSalErrorCode
  /** The option, tensor or file the error is about, as the caller wrote it. */
  readonly argument?: string
  /** What would have been accepted. */
  readonly expected?: string
  /** What came instead. */
  readonly received?: string

  /** Makes one; programs of users only catch them. */
  constructor(code: DiffSalErrorCode, message: string, details: DiffSalErrorDetails = {}) {
    super(
      printable(message.length > longest ? `${message.slice(0, longest / 2)} … ${message.slice(-longest / 4)}` : message),
      details.cause === undefined ? undefined : { cause: details.cause },
    )
    this.code = code
    if (details.argument !== undefined) this.argument = details.argument
    if (details.expected !== undefined) this.expected = details.expected
    if (details.received !== undefined) this.received = details.received
  }
}

/** Words for a value in a message: short, typed, never a dump. Of a value that throws when it is looked at they say that. */
export function describe(value: unknown): string {
  try {
    return words(value)
  } catch {
    return `${Array.isArray(value) ? 'an array' : 'an object'} that cannot be read`
  }
}

function words(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return value.length > 80 ? `'${value.slice(0, 77)}...'` : `'${value}'`
  if (typeof value === 'bigint') return shortened(`${value}n`)
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return 'a function'
  if (types.isProxy(value)) return 'a proxy'
  if (Array.isArray(value)) {
    const { length } = value
    const items: string[] = []
    for (let i = 0; i < Math.min(length, 8); i++) items.push(typeof value[i] === 'object' ? '…' : words(value[i]))
    return `[${items.join(', ')}${length > 8 ? `, … ${length} in all` : ''}]`
  }
  const name: unknown = (value as object).constructor?.name
  if (ArrayBuffer.isView(value)) return `${shortened(String(name))} of length ${(value as Uint8Array).length ?? value.byteLength}`
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an instance of ${shortened(name)}` : 'an object'
}

/** A text of any length as messages have it: a very long one without its middle. */
export function shortened(text: string): string {
  return text.length > 1000 ? `${text.slice(0, 600)} … ${text.slice(-200)}` : text
}

/** The error for an argument outside what a call accepts. */
export function invalidArgument(argument: string, expected: string, value: unknown, cause?: unknown): DiffSalError {
  return invalidArgumentText(argument, expected, describe(value), cause)
}

/** As {@link invalidArgument}, where `received` is already words. */
export function invalidArgumentText(argument: string, expected: string, received: string, cause?: unknown): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `'${argument}' must be ${expected}, but ${received} came.`, {
    argument,
    expected,
    received,
    cause,
  })
}

/** The error for `new` of a class that has makers: `by` names them. */
export function madeBy(name: string, by: string): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `A ${name} cannot be made with 'new'. Use ${by}.`, {
    argument: name,
    expected: by,
    received: `new ${name}`,
  })
}

/** Whether an error is that of a file that does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof DiffSalError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}

/** A system error on `path` as a DiffSalError: a full disk has a code of its own. `doing` is 'read', 'write', …. */
export function fileError(doing: string, path: string, cause: unknown): DiffSalError {
  const { code, message } = cause as NodeJS.ErrnoException
  const name = shortened(path)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new DiffSalError('ERR_DIFFSAL_NO_SPACE', `The disk is full: cannot ${doing} '${name}'. Nothing was left behind; free some space and try again.`, {
      argument: path,
      cause,
    })
  }
  const why =
    code === 'ENOENT'
      ? 'it does not exist'
      : code === 'EACCES' || code === 'EPERM'
        ? 'permission is denied'
        : code === 'EROFS'
          ? 'its file system is read-only'
          : code === 'EISDIR'
            ? 'it is a directory'
            : code === 'ENOTDIR'
              ? 'a part of the path is not a directory'
              : code === 'ENAMETOOLONG'
                ? 'its name is too long'
                : code === 'EMFILE'
                  ? 'this process may open no more files; raise the limit with `ulimit -n 1024`'
                  : code === 'ENFILE'
                    ? 'this machine has too many files open'
                    : // Without what the system was asked, which may be a temporary name.
                      shortened(message.replace(/, \w+( '.*)?$/s, ''))
  return new DiffSalError('ERR_DIFFSAL_FILE', `Cannot ${doing} '${name}': ${why}.`, { argument: path, cause })
}

/** What a terminal would obey instead of showing: control characters, turns of the direction of writing, breaks of lines. */
const obeyed = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

/** A name as a terminal can be given it: what it would obey is spelt as in `\u{1b}`. */
export function printable(name: string): string {
  return name.replaceAll(obeyed, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** As {@link printable}, for text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
