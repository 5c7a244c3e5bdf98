import { expect, test } from 'vitest'
import { exitCodeOf, exitCodes } from '../../lib/cli/exit-codes.ts'
import { Interrupted } from '../../lib/cli/terminal/interrupt.ts'
import { DiffSalError, fileError, type DiffSalErrorCode } from '../../lib/errors.ts'
import { filesMean } from '../../lib/files/meaning.ts'

test.each<[DiffSalErrorCode, number]>([
  ['ERR_DIFFSAL_INVALID_ARGUMENT', 2],
  ['ERR_DIFFSAL_MEDIA', 3],
  ['ERR_DIFFSAL_CHECKPOINT', 4],
  ['ERR_DIFFSAL_FFMPEG_MISSING', 5],
  ['ERR_DIFFSAL_LIBTORCH_MISSING', 5],
  ['ERR_DIFFSAL_LIBTORCH_VERSION', 5],
  ['ERR_DIFFSAL_ADDON_MISSING', 5],
  ['ERR_DIFFSAL_DEVICE', 5],
  ['ERR_DIFFSAL_OUT_OF_MEMORY', 5],
  ['ERR_DIFFSAL_NO_SPACE', 6],
  ['ERR_DIFFSAL_INTERNAL', 1],
  ['ERR_DIFFSAL_DISPOSED', 1],
])('%s is %i', (code, expected) => {
  expect(exitCodeOf(new DiffSalError(code, 'words'))).toBe(expected)
  expect(exitCodes).toHaveProperty(String(expected))
})

test('an interruption, and what is no error of ours', () => {
  expect(exitCodeOf(new Interrupted('now'))).toBe(130)
  expect(exitCodeOf(new TypeError('x is not a function'))).toBe(1)
})

test('a file error means the file that was at work', async () => {
  const error = fileError('read', 'a', Object.assign(new Error('no'), { code: 'ENOENT' }))
  const inner = filesMean('weights', () => Promise.reject(error))
  await expect(filesMean('output', () => inner)).rejects.toBe(error)
  expect(exitCodeOf(error)).toBe(4)
  const full = fileError('write', 'b', Object.assign(new Error('no'), { code: 'ENOSPC' }))
  await expect(filesMean('input', () => Promise.reject(full))).rejects.toBe(full)
  expect(exitCodeOf(full)).toBe(6)
})
