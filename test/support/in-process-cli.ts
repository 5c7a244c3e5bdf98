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
  const [log, write] = [console.log, process.stderr.write.bind(process.stderr)]
  console.log = (...words: unknown[]) => void (stdout += `${words.join(' ')}\n`)
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
    process.stderr.write = write
  }
}
