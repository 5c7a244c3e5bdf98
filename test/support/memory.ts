import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

export const MB = 1024 * 1024

/** A figure of this process as the kernel keeps it, in bytes: VmRSS is what is resident now, VmHWM the most that ever was. */
export function processMemory(figure: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${figure}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))
  if (line === null) throw new Error(`/proc/self/status has no ${figure}`)
  return Number(line[1]) * 1024
}

/** Resident memory once what nobody holds has been collected, native finalisers included. */
export async function settledMemory(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    gc()
    await setTimeout(20)
  }
  return processMemory('VmRSS')
}
