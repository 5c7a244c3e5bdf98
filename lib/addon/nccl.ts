import { DiffSalError } from '../errors.ts'
import { addonPaths, buildCommand, type AddonPaths } from './addon.ts'
import { cudaState, type CudaState } from './cuda.ts'

/**
 * The part of the addon for sums between NVIDIA's devices.
 *
 * @throws DiffSalError ERR_DIFFSAL_DEVICE where there is no such device, ERR_DIFFSAL_ADDON_MISSING where the part was not built; each with the remedy
 */
export function ncclLibrary(): string {
  return ncclLibraryOf(cudaState(), addonPaths())
}

/** {@link ncclLibrary} for a state of CUDA and an addon. */
export function ncclLibraryOf({ obstacle }: Pick<CudaState, 'obstacle'>, { ncclPart, root }: AddonPaths): string {
  if (obstacle !== undefined) {
    throw new DiffSalError(
      'ERR_DIFFSAL_DEVICE',
      `NCCL carries sums between NVIDIA's devices, of which none can be used here: ${obstacle.reason}. ${obstacle.remedy}. Without one, the backend 'gloo' trains on the CPU.`,
      { argument: 'backend', expected: "'gloo', or a device 'cuda:0'", received: "'nccl'" },
    )
  }
  if (ncclPart !== undefined) return ncclPart
  throw new DiffSalError(
    'ERR_DIFFSAL_ADDON_MISSING',
    "The native addon was built without its part for NCCL, because its headers or CUDA's were not there. Install them (NVIDIA's CUDA toolkit and `libnccl-dev`) and " +
      `compile the addon again with \`${buildCommand(root)}\`. Without it, the backend 'gloo' carries the sums through the host's memory.`,
    { argument: 'addon', expected: 'diffsal_nccl.so beside diffsal_core.so' },
  )
}
