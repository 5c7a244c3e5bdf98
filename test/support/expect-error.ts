import { expect } from 'vitest'
import { DiffSalError, type DiffSalErrorCode } from '../../lib/errors.ts'

/**
 * Awaits what must fail, by throwing or rejecting, with a DiffSalError of `code` whose message holds every one of
 * `parts`, and returns the error. No message may show a C++ backtrace or spread over lines like one.
 */
export async function expectDiffSalError(action: () => unknown, code: DiffSalErrorCode, ...parts: (string | RegExp)[]): Promise<DiffSalError> {
  let error: unknown
  try {
    const value = await action()
    expect.fail(`it succeeded, with ${typeof value}, instead of failing with ${code}`)
  } catch (thrown) {
    error = thrown
  }
  if (!(error instanceof DiffSalError)) throw error
  expect(error.code, error.message).toBe(code)
  for (const part of parts) expect(error.message).toMatch(part)
  expect(error.message).not.toMatch(/frame #\d|\.cpp:\d|C\+\+ CapturedTraceback|\n/)
  return error
}
