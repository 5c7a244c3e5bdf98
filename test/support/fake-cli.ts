import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Predictor } from '../../lib/predict-video.ts'
import { transpile } from './compiled-lib.ts'
import { fakeOpener } from './fake-opener.ts'
import { inProcessCli, type CommandResult } from './in-process-cli.ts'
import { onceARunAsync } from './once-a-run.ts'
import { copyPackage } from './package-copy.ts'

/** How a run of the command line ended. */
export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
}

export interface CliOptions {
  /** The current folder. */
  cwd?: string
  config?: Partial<Predictor['config']>
  /** Milliseconds that every prediction takes. */
  delay?: number
  env?: Record<string, string | undefined>
  /** Runs the program inside this shell script, as "$@". */
  shell?: string[]
  /** Called with the process and what it has written to standard error, whenever it writes there. */
  onStderr?: (child: ChildProcess, text: string) => void
}

const runner = `
import { fakeOpener } from './test/support/fake-opener.js'
import { runCli } from './lib/cli/program.js'
const { config, delay } = JSON.parse(process.env.FAKE_MODEL)
if (process.env.PRINT_MEMORY) process.on('exit', () => console.error('peak', process.resourceUsage().maxRSS, 'kB'))
process.exitCode = await runCli(process.argv, fakeOpener(config, delay))
`

/** A folder of the command line with {@link FakeModel}, from the sources as they are now, types unchecked, so that no build is needed. */
function program(addon: boolean): Promise<string> {
  return onceARunAsync(addon ? 'fake-cli-with-addon' : 'fake-cli', async (folder) => {
    copyPackage(folder)
    renameSync(join(folder, 'dist'), join(folder, 'lib'))
    for (const name of ['fake-model', 'fake-opener']) await transpile(`test/support/${name}.ts`, join(folder, `test/support/${name}.js`))
    if (addon) symlinkSync(resolve('build'), join(folder, 'build'))
    writeFileSync(join(folder, 'run.js'), runner)
  })
}

/**
 * The command line as a process of its own, with {@link FakeModel} for a network. With `addon`, the native one is there, for what is
 * measured of maps. Its current folder is an empty one, unless told.
 */
export function fakeCli({ addon = false } = {}): (args: readonly string[], options?: CliOptions) => Promise<CliResult> {
  let [run, empty] = ['', '']
  beforeAll(async () => {
    run = join(await program(addon), 'run.js')
    empty = mkdtempSync(join(tmpdir(), 'diffsal-cli-'))
  })
  afterAll(() => rmSync(empty, { recursive: true, force: true }))
  return (args, { cwd = empty, config = {}, delay = 0, env = {}, shell, onStderr } = {}) =>
    new Promise((resolve, reject) => {
      const command = [process.execPath, run, ...args]
      const [file, ...rest] = shell ? [...shell, ...command] : command
      const child = spawn(file!, rest, {
        cwd,
        env: { ...process.env, FAKE_MODEL: JSON.stringify({ config, delay }), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let [stdout, stderr] = ['', '']
      child.stdout!.on('data', (data: Buffer) => (stdout += data.toString()))
      child.stderr!.on('data', (data: Buffer) => {
        stderr += data.toString()
        onStderr?.(child, stderr)
      })
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, stdout, stderr }))
    })
}

/** What {@link fakeCliHere} works at. */
let working: string | undefined

/**
 * As {@link fakeCli}, but in this process, which saves the start of another: for what is said and written alone. Signals, pipes, memory and what
 * a process leaves at its end need the other. One at a time, for the folder and the environment are this process's. Its current folder is this one's, unless told.
 */
export async function fakeCliHere(
  args: readonly string[],
  { cwd = process.cwd(), config = {}, delay = 0, env = {} }: Pick<CliOptions, 'cwd' | 'config' | 'delay' | 'env'> = {},
): Promise<CommandResult> {
  // One whose test has timed out works on, and would take the next one's output for its own.
  if (working !== undefined) throw new Error(`'diffsal ${working}' still works in this process: an earlier test may have timed out, or does not await it.`)
  working = args.join(' ')
  const before = { cwd: process.cwd(), env: Object.fromEntries(Object.keys(env).map((name) => [name, process.env[name]])) }
  try {
    setEnvironment(env)
    process.chdir(cwd)
    return await inProcessCli(args, undefined, fakeOpener(config, delay))
  } finally {
    process.chdir(before.cwd)
    setEnvironment(before.env)
    working = undefined
  }
}

function setEnvironment(values: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}
