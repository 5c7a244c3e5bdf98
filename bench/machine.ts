import { availableParallelism, cpus } from 'node:os'
import type { Precision } from '../lib/checks/precision.ts'
import { devices } from '../lib/index.ts'
import type { Size } from './sizes.ts'

/** The options of a bench that say where and how it runs, for parseArgs. */
export const machineOptions = {
  device: { type: 'string', default: 'cpu' },
  precision: { type: 'string', default: 'float32' },
  size: { type: 'string', default: 'paper' },
  threads: { type: 'string', default: String(availableParallelism()) },
  json: { type: 'string' },
} as const

/** What they say. */
export function readMachine(options: { device: string; precision: string; size: string; threads: string }): {
  device: string
  precision: Precision
  size: Size
  threads: number
} {
  return {
    device: options.device,
    precision: options.precision === 'bfloat16' ? 'bfloat16' : 'float32',
    size: options.size === 'tiny' ? 'tiny' : 'paper',
    threads: Number(options.threads),
  }
}

/** What ran a bench, in words. */
export function describeMachine(device: string, threads: number): string {
  const cpu = `${cpus()[0]?.model.trim() ?? 'CPU'}, ${threads} of ${availableParallelism()} threads`
  const accelerator = devices().find(({ id }) => id === device && id !== 'cpu')
  return accelerator ? `${accelerator.name} (${device}); ${cpu}` : cpu
}
