import { createRequire } from 'node:module'

/** A CUDA device as the driver knows it. */
export interface DriverDevice {
  /** `NVIDIA H200` */
  readonly name: string
  /** The compute capability, `9.0`; empty where it is not known. */
  readonly capability: string
  /** Bytes of memory in all. */
  readonly total: number
  /** Bytes of memory that nobody uses; 0 where it is not known. */
  readonly free: number
}

/** What NVIDIA's driver says of itself. */
export interface CudaDriver {
  readonly found: boolean
  /** The newest CUDA it supports, 13000 for 13.0; 0 where it does not say. */
  readonly version: number
  /** Why it cannot be asked or has no device, in its own words; empty where devices are there. */
  readonly problem: string
  /** In the order of `cuda:0`, `cuda:1`, … */
  readonly devices: readonly DriverDevice[]
}

/** The torch-free part of the addon: it opens anywhere. */
export interface Loader {
  /** Opens a library for whatever is opened later. */
  openLibrary(path: string): void
  /** Asks NVIDIA's driver, without libtorch. `free` is 0 where it is not known. */
  cudaDriver(): CudaDriver
}

/** The `.node` file, looked for in `build/Release`, then among the prebuilds for this platform. */
export function findLoader(root: string): string | undefined {
  const { path } = createRequire(import.meta.url)('node-gyp-build') as { path: (root: string) => string }
  try {
    return path(root)
  } catch {
    return undefined
  }
}

const opened = new Map<string, Loader>()

/** Opens the `.node` file, once; node keeps it open. Not by `require`, of whose argument bundlers want to know what it may be. */
export function openLoader(path: string): Loader {
  const known = opened.get(path)
  if (known !== undefined) return known
  const module = { exports: {} as Loader }
  process.dlopen(module, path)
  opened.set(path, module.exports)
  return module.exports
}
