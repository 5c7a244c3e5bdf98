import { createRequire } from 'node:module'
import type { CudaDriver } from './libtorch/driver.ts'

const require = createRequire(import.meta.url)

/** The torch-free part of the addon: it opens anywhere. */
export interface Loader {
  /** Opens a library for whatever is opened later. */
  openLibrary(path: string): void
  /** Asks NVIDIA's driver, without libtorch. `free` is 0 where it is not known. */
  cudaDriver(): CudaDriver
}

/** The `.node` file, looked for in `build/Release`, then among the prebuilds for this platform. */
export function findLoader(root: string): string | undefined {
  const { path } = require('node-gyp-build') as { path: (root: string) => string }
  try {
    return path(root)
  } catch {
    return undefined
  }
}

/** Opens the `.node` file; node keeps it open. */
export function openLoader(path: string): Loader {
  return require(path) as Loader
}
