import { DiffSalError, type DiffSalErrorCode } from '../errors.ts'
import { meaningOf, type FileMeaning } from '../files/meaning.ts'
import { Interrupted } from './terminal/interrupt.ts'

/** What the exit codes of `diffsal` mean, as `--help` lists them. */
export const exitCodes = {
  0: 'done',
  1: 'a defect of diffsal',
  2: 'wrong use: an unknown option or a value that is not accepted',
  3: 'the input cannot be read or decoded',
  4: 'the weights cannot be read or used',
  5: 'something is missing here: ffmpeg, libtorch, the addon, the device, or memory for it',
  6: 'the output cannot be written, or the disk is full',
  7: 'the training diverged',
  8: 'another process of the training is gone or has failed',
  9: 'some of many videos failed; the others are done',
  130: 'interrupted',
} as const

/** One of {@link exitCodes}. */
export type ExitCode = keyof typeof exitCodes

const byCode: Readonly<Record<Exclude<DiffSalErrorCode, 'ERR_DIFFSAL_FILE'>, ExitCode>> = {
  ERR_DIFFSAL_INVALID_ARGUMENT: 2,
  ERR_DIFFSAL_MEDIA: 3,
  ERR_DIFFSAL_CHECKPOINT: 4,
  ERR_DIFFSAL_FFMPEG_MISSING: 5,
  ERR_DIFFSAL_LIBTORCH_MISSING: 5,
  ERR_DIFFSAL_LIBTORCH_VERSION: 5,
  ERR_DIFFSAL_ADDON_MISSING: 5,
  ERR_DIFFSAL_DEVICE: 5,
  ERR_DIFFSAL_OUT_OF_MEMORY: 5,
  ERR_DIFFSAL_NO_SPACE: 6,
  ERR_DIFFSAL_DIVERGED: 7,
  ERR_DIFFSAL_PEER: 8,
  ERR_DIFFSAL_OVERRUN: 1,
  ERR_DIFFSAL_DISPOSED: 1,
  ERR_DIFFSAL_INTERNAL: 1,
}

const byMeaning: Readonly<Record<FileMeaning, ExitCode>> = { input: 3, weights: 4, output: 6 }

/** The exit code for what a command failed with. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Interrupted) return 130
  if (!(error instanceof DiffSalError)) return 1
  if (error.code !== 'ERR_DIFFSAL_FILE') return byCode[error.code]
  const meaning = meaningOf(error)
  return meaning === undefined ? 5 : byMeaning[meaning]
}

/** The table for `--help`. */
export function exitCodeHelp(): string {
  const lines = Object.entries(exitCodes).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
  return `\nExit codes:\n${lines.join('\n')}`
}
