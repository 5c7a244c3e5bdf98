import { cudaDriver, driverObstacle, neededCuda, type DriverObstacle } from '../libtorch/driver.ts'
import type { CudaDriver, DriverDevice } from '../libtorch/loader.ts'
import type { LocatedLibtorch } from '../libtorch/locate.ts'
import { cudaVariant } from '../libtorch/releases.ts'
import { log } from '../log.ts'
import { addonPaths, openedLibtorch } from './addon.ts'
import { native } from './native.ts'

/** How CUDA stands in this process. */
export interface CudaState {
  /** The devices that libtorch can use, in its order. */
  readonly devices: readonly DriverDevice[]
  /** Why there are none; undefined where there are. */
  readonly obstacle: DriverObstacle | undefined
  readonly driver: CudaDriver
}

/** Asks the driver, and libtorch only where the driver is of use to it: libtorch would complain on standard error. */
export function cudaState(): CudaState {
  const { cuda } = native().libtorch()
  const driver = cudaDriver()
  const obstacle = cudaObstacle(openedLibtorch(), cuda, driver)
  if (obstacle) return { devices: [], obstacle, driver }
  const count = native().cudaDevices()
  if (count > 0) return { devices: driver.devices.slice(0, count), obstacle, driver }
  return {
    devices: [],
    obstacle: {
      reason: `libtorch finds no device, though the NVIDIA driver has ${names(driver)}`,
      remedy: 'Look what `nvidia-smi` says, and whether other programs hold the device for themselves',
    },
    driver,
  }
}

/**
 * Why this libtorch cannot use CUDA here, as far as it and the driver tell.
 *
 * @param cuda - what it is built for, 13000 for CUDA 13.0; 0 of a CPU build
 */
export function cudaObstacle(
  { version, source }: Pick<LocatedLibtorch, 'version' | 'source'>,
  cuda: number,
  driver: CudaDriver,
  env?: NodeJS.ProcessEnv,
): DriverObstacle | undefined {
  if (cuda > 0) return driverObstacle(driver, Math.floor(cuda / 1000) * 1000, env)
  const build = `libtorch ${version} is a CPU build`
  const fetch = `${source === 'DIFFSAL_LIBTORCH' ? 'unset DIFFSAL_LIBTORCH and run' : 'run'} \`npx diffsal setup --variant auto\``
  const beside = driverObstacle(driver, neededCuda(cudaVariant)!, env)
  if (beside) return { reason: `${build}, and ${beside.reason}`, remedy: `${beside.remedy}; then ${fetch}` }
  return {
    reason: `${build}, though the NVIDIA driver has ${names(driver)}`,
    remedy: `To use ${driver.devices.length === 1 ? 'it' : 'them'}, ${fetch}`,
  }
}

function names({ devices }: CudaDriver): string {
  return devices.map(({ name }, i) => `cuda:${i} (${name})`).join(', ')
}

/** Opens the part that captures graphs and tells a device's memory, where it was built. An installation without it works. */
export function openCudaPart(): void {
  const { cudaPart } = addonPaths()
  if (cudaPart === undefined) return
  try {
    native().openCudaPart(cudaPart)
  } catch (error) {
    log('warn', `CUDA works, but without graphs, so slower, and without figures of its memory: ${(error as Error).message}`)
  }
}
