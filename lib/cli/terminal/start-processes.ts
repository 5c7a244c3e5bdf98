import { spawn, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { tell } from './print.ts'

/**
 * Runs this command line in several processes of this machine, which meet each other as torchrun's do, and gives their exit code. The first has this
 * process's output; what the others say comes with their rank before it. A signal to end goes to all.
 *
 * @param args - the command and its arguments
 */
export async function startProcesses(count: number, args: readonly string[], signal: AbortSignal): Promise<number> {
  const port = await freePort()
  const place = (rank: number): NodeJS.ProcessEnv => ({
    ...process.env,
    ...{ RANK: `${rank}`, LOCAL_RANK: `${rank}`, WORLD_SIZE: `${count}`, LOCAL_WORLD_SIZE: `${count}` },
    ...{ MASTER_ADDR: '127.0.0.1', MASTER_PORT: `${port}` },
  })
  const children = Array.from({ length: count }, (_, rank) => {
    const stdio = rank === 0 ? ('inherit' as const) : (['ignore', 'ignore', 'pipe'] as const)
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], { env: place(rank), stdio: stdio as never })
    if (rank > 0) createInterface({ input: child.stderr! }).on('line', (line) => tell(`rank ${rank}: ${line}`))
    return child
  })
  const end = (): void => {
    for (const child of children) child.kill('SIGINT')
  }
  signal.addEventListener('abort', end, { once: true })
  try {
    const codes = await Promise.all(children.map(ended))
    return codes[0] || (codes.find((code) => code !== 0) ?? 0)
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** A process's exit code; of one that a signal has ended, as a shell has it. */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}

/** A port that nobody has now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
