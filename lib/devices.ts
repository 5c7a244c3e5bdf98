import { totalmem, freemem, cpus } from 'node:os'
import { describe, DiffSalError } from './errors.ts'
import { log } from './log.ts'
import { native } from './native.ts'

/** Bytes of a device's memory. */
export interface DeviceMemory {
  /** All of it. */
  readonly total: number
  /** What nobody holds. */
  readonly free: number
}

/** Something a model can run on. */
export interface DeviceInfo {
  /** What the `device` option takes: `cpu`, `cuda:0`, … */
  readonly id: string
  /** What kind of device. */
  readonly type: 'cpu' | 'cuda'
  /** The maker's name, where it is known. */
  readonly name: string
  /** Its memory, where it is known. */
  readonly memory?: DeviceMemory
}

/** The devices of this machine that the installed libtorch can use; the CPU is always the first. */
export function devices(): DeviceInfo[] {
  const list: DeviceInfo[] = [
    { id: 'cpu', type: 'cpu', name: cpus()[0]?.model.trim() || process.arch, memory: { total: totalmem(), free: freemem() } },
  ]
  const { cudaDevices } = native().libtorch()
  for (let i = 0; i < cudaDevices; i++) list.push({ id: `cuda:${i}`, type: 'cuda', name: `CUDA device ${i}` })
  return list
}

/**
 * The id of the device that an option means: `auto` is the first CUDA device where there is one, else the CPU; `cuda` is `cuda:0`.
 *
 * @throws DiffSalError ERR_DIFFSAL_DEVICE, with the reason, for a device that is not there
 */
export function resolveDevice(device: unknown): string {
  const ids = devices().map(({ id }) => id)
  if (device === 'auto') {
    const id = ids[1] ?? 'cpu'
    log('info', `device: ${id}`)
    return id
  }
  const id = device === 'cuda' ? 'cuda:0' : device
  if (typeof id === 'string' && ids.includes(id)) return id
  const isCuda = typeof id === 'string' && /^cuda:\d+$/.test(id)
  const { cudaProblem } = native().libtorch()
  const why = isCuda && cudaProblem !== '' ? `: ${cudaProblem}` : ''
  throw new DiffSalError('ERR_DIFFSAL_DEVICE', `There is no device ${describe(device)} here${why}. Usable are: auto, ${ids.join(', ')}.`, {
    argument: 'device',
    expected: `auto, ${ids.join(', ')}`,
    received: describe(device),
  })
}
