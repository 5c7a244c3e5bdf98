import { availableParallelism, cpus } from 'node:os'
import { devices, type CreateOptions } from '../lib/index.ts'
import type { Precision } from './torch-peer.ts'

/** What ran a bench, in words. */
export function describeMachine(device: string, threads: number): string {
  const cpu = `${cpus()[0]?.model.trim() ?? 'CPU'}, ${threads} of ${availableParallelism()} threads`
  const accelerator = devices().find(({ id }) => id === device && id !== 'cpu')
  return accelerator ? `${accelerator.name} (${device}); ${cpu}` : cpu
}

/** Where and how our side runs. */
export function runOptions(device: string, precision: Precision, threads: number): Pick<CreateOptions, 'device' | 'precision' | 'threads'> {
  return { device, threads, precision }
}
