import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const program = join(import.meta.dirname, '../build/Release/op_tests')

it("every operation's packed side calculates what libtorch's does", async () => {
  const { stdout } = await promisify(execFile)(program).catch((error: { stdout?: string; message: string }) => ({ stdout: error.stdout || error.message }))
  expect(stdout.split('\n').filter((line) => line.startsWith('not ok'))).toEqual([])
  expect(stdout).toMatch(/\n(1[1-9]|[2-9]\d) operations, 0 failures\n$/)
}, 120_000)
