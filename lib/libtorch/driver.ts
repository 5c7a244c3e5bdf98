import { spawnSync } from 'node:child_process'
import { packageRoot } from '../files/package-root.ts'
import { findLoader, openLoader, type CudaDriver, type DriverDevice } from './loader.ts'

/**
 * Asks NVIDIA's driver: through the package's own loader, and before that is compiled through `nvidia-smi`, which comes with the driver.
 * No libtorch is needed, nothing is reserved on a device, and nothing that is missing makes it throw.
 */
export function cudaDriver(env: NodeJS.ProcessEnv = process.env): CudaDriver {
  const loader = findLoader(packageRoot())
  if (loader !== undefined) {
    try {
      return openLoader(loader).cudaDriver()
    } catch {
      // It is of another machine, or damaged: opening the addon says so.
    }
  }
  return askNvidiaSmi(env)
}

function askNvidiaSmi(env: NodeJS.ProcessEnv): CudaDriver {
  const { error, stdout, stderr, status } = spawnSync('nvidia-smi', ['-q', '-x'], { encoding: 'utf8', env, timeout: 20_000 })
  const nothing = { found: false, version: 0, devices: [] }
  if (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return { ...nothing, problem: missing ? 'nvidia-smi: there is none' : `nvidia-smi: ${error.message}` }
  }
  if (status !== 0) return { ...nothing, problem: `nvidia-smi: ${(stderr || stdout).trim().split('\n')[0] || `exit code ${status}`}` }
  const [, major = '0', minor = '0'] = /<cuda_version>(\d+)\.(\d+)<\/cuda_version>/.exec(stdout) ?? []
  const version = Number(major) * 1000 + Number(minor) * 10
  const devices = [...stdout.matchAll(/<gpu [^]*?<\/gpu>/g)].map(([gpu]) => {
    const mebibytes = (name: string): number => Number(new RegExp(`<fb_memory_usage>[^]*?<${name}>(\\d+) MiB`).exec(gpu)?.[1] ?? 0)
    const name = /<product_name>([^<]*)</.exec(gpu)?.[1] ?? ''
    return { name, capability: '', total: mebibytes('total') * 2 ** 20, free: mebibytes('free') * 2 ** 20 }
  })
  return { found: true, version, problem: devices.length === 0 ? 'nvidia-smi: no device' : '', devices }
}

/** The CUDA that a build of libtorch needs of the driver: 13000 of `cu130` and `cu132`, undefined of `cpu` and of one that does not say. */
export function neededCuda(variant: string): number | undefined {
  const major = /^cu(\d+)\d$/.exec(variant)?.[1]
  return major === undefined ? undefined : Number(major) * 1000
}

/** `13.0` of 13000. */
export function cudaText(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`
}

/** What keeps a CUDA libtorch from using a device. */
export interface DriverObstacle {
  /** A part of a sentence. */
  readonly reason: string
  /** What to do, a part of a sentence that begins with a verb. */
  readonly remedy: string
}

// CUDA 13 has no code for what is older than Turing, though its driver still runs Pascal and Volta.
const oldestDevices: Readonly<Record<number, string>> = { 13: '7.5' }

// NVIDIA's first driver for each CUDA. One for 13.0 runs all of CUDA 13.
const firstDrivers: Readonly<Record<number, string>> = { 12: '525', 13: '580' }

/** Why this driver is of no use to a libtorch that needs `needed` (13000), undefined where it is. */
export function driverObstacle(driver: CudaDriver, needed: number, env: NodeJS.ProcessEnv = process.env): DriverObstacle | undefined {
  const first = firstDrivers[Math.floor(needed / 1000)]
  const enough = first === undefined ? `for CUDA ${cudaText(needed)}` : `${first} or newer`
  if (!driver.found) {
    return { reason: `no NVIDIA driver was found (${driver.problem})`, remedy: `Install NVIDIA's driver, ${enough}` }
  }
  if (driver.version !== 0 && driver.version < needed) {
    return {
      reason: `the NVIDIA driver is too old: it supports CUDA up to ${cudaText(driver.version)}, and ${cudaText(needed)} is needed`,
      remedy: `Update NVIDIA's driver to ${enough}`,
    }
  }
  if (driver.problem === '') return devicesObstacle(driver.devices, needed)
  const visible = env.CUDA_VISIBLE_DEVICES
  const hidden = visible === undefined ? '' : `; CUDA_VISIBLE_DEVICES is '${visible}'`
  const show = visible === undefined ? '' : ', unset CUDA_VISIBLE_DEVICES'
  const version = driver.version === 0 ? '' : ` (for CUDA ${cudaText(driver.version)})`
  return {
    reason: `the NVIDIA driver${version} gives no device (${driver.problem}${hidden})`,
    remedy: `Look what \`nvidia-smi\` says${show}, and start a container with its devices (\`docker run --gpus all\`)`,
  }
}

/** Where all devices are too old; of one whose capability is not known nothing is said. */
function devicesObstacle(devices: readonly DriverDevice[], needed: number): DriverObstacle | undefined {
  const oldest = oldestDevices[Math.floor(needed / 1000)]
  if (oldest === undefined || !devices.every(({ capability }) => capability !== '' && Number(capability) < Number(oldest))) return undefined
  const list = devices.map(({ name, capability }) => `${name} has ${capability}`).join(', ')
  return {
    reason: `no device is new enough for CUDA ${cudaText(needed)}, which needs compute capability ${oldest} (${list})`,
    remedy: `Use a device of compute capability ${oldest} or newer, or the CPU`,
  }
}
