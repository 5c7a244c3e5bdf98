import { totalmem, freemem, cpus } from 'node:os'
import { cudaState, openCudaPart, type CudaState } from './addon/cuda.ts'
import { describe, DiffSalError } from './errors.ts'
import { log } from './log.ts'

/** Bytes of a device's memory. */
export interface DeviceMemory {
  /** All of it. */
  readonly total: number
  /** What nobody holds, where that is known. */
  readonly free?: number
}

/** Something a model can run on. */
export interface DeviceInfo {
  /** What the `device` option takes: `cpu`, `cuda:0`, … */
  readonly id: string
  /** What kind of device. */
  readonly type: 'cpu' | 'cuda'
  /** The maker's name, where it is known. */
  readonly name: string
  /** Its memory. */
  readonly memory: DeviceMemory
  /** The compute capability of a CUDA device, `9.0`. */
  readonly capability?: string
}

/**
 * The devices of this machine that the installed libtorch can use; the CPU is always the first. Nothing is reserved on any of them.
 *
 * @throws what opening the addon and libtorch throws
 */
export function devices(): DeviceInfo[] {
  return listDevices(cudaState())
}

/** {@link devices} for a state of CUDA. */
export function listDevices(cuda: CudaState): DeviceInfo[] {
  const name = cpus()[0]?.model.trim() || process.arch
  return [
    { id: 'cpu', type: 'cpu', name, memory: { total: totalmem(), free: freemem() } },
    ...cuda.devices.map(
      ({ name, capability, total, free }, i): DeviceInfo => ({
        id: `cuda:${i}`,
        type: 'cuda',
        name,
        memory: { total, ...(free > 0 ? { free } : {}) },
        ...(capability === '' ? {} : { capability }),
      }),
    ),
  ]
}

/**
 * The id of the device that an option means: `auto` is the first CUDA device where there is one, else the CPU, and the log says why;
 * `cuda` is `cuda:0`.
 *
 * @throws DiffSalError ERR_DIFFSAL_DEVICE, with the reason and what to do, for a device that is not there
 */
export function resolveDevice(device: unknown): string {
  if (device === 'cpu') return device
  const cuda = cudaState()
  const id = chooseDevice(device, cuda)
  if (id !== 'cpu') openCudaPart()
  return id
}

/** {@link resolveDevice} for a state of CUDA. */
export function chooseDevice(device: unknown, { devices, obstacle }: Pick<CudaState, 'devices' | 'obstacle'>): string {
  const ids = ['cpu', ...devices.map((_, i) => `cuda:${i}`)]
  if (device === 'auto') {
    const id = ids[1] ?? 'cpu'
    log('info', obstacle === undefined ? `device: ${id}` : `device: cpu, for ${obstacle.reason}`)
    return id
  }
  const id = device === 'cuda' ? 'cuda:0' : device
  if (typeof id === 'string' && ids.includes(id)) return id
  const why = typeof id === 'string' && /^cuda:\d+$/.test(id) && obstacle ? `: ${obstacle.reason}. ${obstacle.remedy}` : ''
  throw new DiffSalError('ERR_DIFFSAL_DEVICE', `There is no device ${describe(device)} here${why}. Usable are: auto, ${ids.join(', ')}.`, {
    argument: 'device',
    expected: `auto, ${ids.join(', ')}`,
    received: describe(device),
  })
}
