import { readdir, readFile } from 'node:fs/promises'

/** The command lines of living processes that have `mark` in their environment: what a program started and left. */
export async function processesMarked(mark: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const [environment, command] = await Promise.all(['environ', 'cmdline'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')))
    if (environment!.includes(mark)) found.push(command!)
  }
  return found
}
