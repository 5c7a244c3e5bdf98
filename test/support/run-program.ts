import { spawn } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { onceARun } from './once-a-run.ts'
import { copyPackage } from './package-copy.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** How a program ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Milliseconds from the last output to the end. */
  readonly after: number
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  /** A command, with its arguments, that starts Node in an environment of its own. */
  readonly within?: readonly string[]
}

/** The folder of a package as users have it: `dist/` from the sources as they are now, with this checkout's native addon and weights. */
export function packageFolder(): string {
  return onceARun('package', (folder) => {
    copyPackage(folder)
    for (const name of ['build', 'lib']) symlinkSync(join(root, name), join(folder, name))
  })
}

/** Seconds that a program has. Under a sanitizer it needs more, which `scripts/sanitize` says. */
const limit = Number(process.env.DIFFSAL_TEST_SECONDS ?? 30)

/** Milliseconds within which a program ends that ends at once. */
export const atOnce = (limit * 1000) / 6

/** Runs one of the programs beside this file in a process of its own. One that does not end within its limit is killed. */
export function runProgram(name: string, args: readonly string[] = [], { env = {}, within = [] }: RunOptions = {}): Promise<Ended> {
  const [command, ...rest] = [...within, process.execPath, join(import.meta.dirname, 'programs', name), ...args] as [string, ...string[]]
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limit * 1000,
    killSignal: 'SIGKILL',
    env: { ...process.env, DIFFSAL_PACKAGE: join(packageFolder(), 'dist/index.js'), ...env },
  })
  const output = { stdout: '', stderr: '' }
  let last = performance.now()
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
      last = performance.now()
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...output, after: performance.now() - last }))
  })
}

/** Fails unless a program ended by itself, with `code` and without a word of complaint. */
export function expectEnd({ code, signal, stderr }: Ended, expected: number): void {
  expect({ code, signal, stderr }).toEqual({ code: expected, signal: null, stderr: '' })
}
