import { expect, test } from 'vitest'
import { expectEnd, runProgram } from '../support/run-program.ts'

test('sharp is loaded for the first picture, and tried again where a file could not be opened', async () => {
  const ended = await runProgram('pictures.mjs', [], { within: ['prlimit', '--nofile=256'] })
  expectEnd(ended, 0)
  expect(ended.stdout).toBe('not loaded\nERR_DIFFSAL_FILE sharp true\nPNG\nloaded\n')
})
