import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageFolder } from '../../support/run-program.ts'

/** Runs the command line in a shell, as "$@" of a script. */
function shell(script: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const main = join(packageFolder(), 'dist/cli/main.js')
  return spawnSync('bash', ['-c', script, 'bash', process.execPath, main, ...args], { encoding: 'utf8', timeout: 50_000 })
}

test.each([['inspect'], ['inspect', '--json'], ['doctor', '--json'], ['--help']])('%s %s to a full disk says so and ends with 6', (...args) => {
  const { status, stderr } = shell('"$@" >/dev/full', ...args)
  expect(stderr).toMatch(/^diffsal: Standard output cannot be written to, .*no space left on device.*\.\n$/)
  expect(status).toBe(6)
})

test('a failure keeps its own exit code', () => {
  const { status, stderr } = shell('"$@" >/dev/full', 'inspect', '/none.safetensors')
  expect(stderr).toMatch(/^diffsal: .*none\.safetensors/)
  expect(status).toBe(4)
})

test('a reader that goes away is no failure', () => {
  const { status, stdout, stderr } = shell('set -o pipefail; "$@" | head -c 1', 'inspect', '--json')
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '[', stderr: '' })
})
