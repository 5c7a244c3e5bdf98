import type { ModelOpener } from '../../lib/cli/commands/predict.ts'
import { runCli } from '../../lib/cli/program.ts'

/** How a command ended. */
export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a command line in this process, with the real network.
 *
 * @param onStderr called with all that was written to standard error so far, at each write
 * @param open how models are opened, where not as usual
 */
export async function inProcessCli(args: readonly string[], onStderr: (text: string) => void = () => undefined, open?: ModelOpener): Promise<CommandResult> {
  let [stdout, stderr] = ['', '']
  const { log, error } = console
  const { write: writeOut } = process.stdout
  const { write: writeError } = process.stderr
  const { exitCode } = process
  process.exitCode = undefined
  console.log = (...words: unknown[]) => void (stdout += `${words.join(' ')}\n`)
  console.error = (...words: unknown[]) => void process.stderr.write(`${words.join(' ')}\n`)
  process.stdout.write = ((text: string) => {
    stdout += text
    return true
  }) as typeof process.stdout.write
  process.stderr.write = ((text: string) => {
    stderr += text
    onStderr(stderr)
    return true
  }) as typeof process.stderr.write
  try {
    const code = await runCli(['node', 'diffsal', ...args], open)
    return { code, stdout, stderr }
  } finally {
    console.log = log
    console.error = error
    process.stdout.write = writeOut
    process.stderr.write = writeError
    process.exitCode = exitCode
  }
}
