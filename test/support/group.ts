import { spawn, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { packageFolder } from './run-program.ts'

/** What one process of a group prints: an object a line. */
export type GroupEvent = { readonly type: string } & Readonly<Record<string, never>>

/** One process of a group. */
export interface Member {
  readonly child: ChildProcess
  /** All that it has said until its end. */
  readonly events: Promise<Said[]>
  /** Resolves when it has said this, or has ended. */
  said(type: string): Promise<void>
}

/** An event with whatever it holds. */
// biome-ignore lint/suspicious/noExplicitAny: what an event holds, its test knows
export type Said = { readonly type: string } & Record<string, any>

/** A port of this machine that nobody has. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/**
 * Starts programs/group.mjs as one process. A process that does not end within 100 s is killed.
 *
 * @param within a command, with its arguments, that becomes Node in an environment of its own
 */
export function startMember(scenario: object, env: NodeJS.ProcessEnv = {}, folder = packageFolder(), within: readonly string[] = []): Member {
  const [program, ...args] = [...within, process.execPath, join(import.meta.dirname, 'programs', 'group.mjs'), JSON.stringify(scenario)]
  const child = spawn(program!, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 100_000,
    killSignal: 'SIGKILL',
    env: { ...process.env, DIFFSAL_PACKAGE: join(folder, 'dist/index.js'), ...env },
  })
  const said: Said[] = []
  const waiting: { type: string; resolve: () => void }[] = []
  let [rest, complaint] = ['', '']
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) said.push(JSON.parse(line) as Said)
    for (const { type, resolve } of waiting) if (said.some((event) => event.type === type)) resolve()
  })
  const events = new Promise<Said[]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      for (const { resolve } of waiting) resolve()
      if (complaint !== '') said.push({ type: 'complaint', complaint })
      resolve([...said, { type: 'closed', code, signal }])
    })
  })
  return {
    child,
    events,
    said: (type) => (said.some((event) => event.type === type) ? Promise.resolve() : new Promise((resolve) => waiting.push({ type, resolve }))),
  }
}

/** Starts a group of `count` processes that meet on this machine; `each` may say more of one. */
export async function startGroup(count: number, scenario: object, each: (rank: number) => object = () => ({})): Promise<Member[]> {
  const port = await freePort()
  return Array.from({ length: count }, (_, rank) => {
    const own = { ...scenario, ...each(rank) } as { join?: object }
    const joining = { rank, worldSize: count, master: `127.0.0.1:${port}`, timeout: 30, ...own.join }
    return startMember({ ...own, join: joining })
  })
}

/** Runs a group to its end: what each process said. */
export async function runGroup(count: number, scenario: object, each?: (rank: number) => object): Promise<Said[][]> {
  return Promise.all((await startGroup(count, scenario, each)).map(({ events }) => events))
}
