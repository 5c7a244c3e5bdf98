import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { cudaDriver, cudaText, driverObstacle, neededCuda } from '../../lib/libtorch/driver.ts'
import type { CudaDriver } from '../../lib/libtorch/loader.ts'
import { makeAddon, makeLibtorch } from '../support/fake-addon.ts'
import { driverEnv, h200, makeDriver, makeNoDriver, type FakeDriver } from '../support/fake-driver.ts'
import { copyPackage } from '../support/package-copy.ts'
import { temporaryPath } from '../support/temporary.ts'

const withLoader = temporaryPath('with-loader')
const withoutLoader = temporaryPath('without-loader')
const libraries = temporaryPath('driver')

beforeAll(() => {
  copyPackage(withLoader)
  makeAddon(withLoader, makeLibtorch(temporaryPath('libtorch')))
  copyPackage(withoutLoader)
  makeDriver(libraries)
})

/** What `cudaDriver()` gives in a process that has these variables. */
function ask(folder: string, env: Record<string, string>): CudaDriver {
  const program = `console.log(JSON.stringify((await import('${join(folder, 'dist/libtorch/driver.js')}')).cudaDriver()))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', env: { ...process.env, ...env } })
  expect(stderr).toBe('')
  return JSON.parse(stdout) as CudaDriver
}

const installed = (driver: FakeDriver) => ask(withLoader, driverEnv(libraries, driver))

describe('the driver, asked by the loader', () => {
  test('gives each device with its memory and capability', () => {
    const small = { name: 'A small one', capability: '7.5', total: 4_000_000_000 }
    expect(installed({ version: 13010, devices: [h200, small] })).toEqual({
      found: true,
      version: 13010,
      problem: '',
      devices: [h200, { ...small, free: 0 }],
    })
  })

  test('says by name why it does not start', () => {
    const nothing = { found: true, version: 12080, devices: [] }
    expect(installed({ version: 12080, init: 'CUDA_ERROR_NO_DEVICE' })).toEqual({ ...nothing, problem: 'cuInit: CUDA_ERROR_NO_DEVICE' })
    expect(installed({ version: 12080, init: 'CUDA_ERROR_SYSTEM_DRIVER_MISMATCH' })).toEqual({
      ...nothing,
      problem: 'cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH',
    })
    expect(installed({ version: 12080 })).toEqual({ ...nothing, problem: 'cuDeviceGetCount: 0' })
  })

  test('that cannot be opened is none, with the reason', () => {
    const folder = makeNoDriver(temporaryPath('no-driver'))
    const problem = `${join(folder, 'libcuda.so.1')}: file too short`
    expect(ask(withLoader, { LD_LIBRARY_PATH: folder })).toEqual({ found: false, version: 0, problem, devices: [] })
  })

  test('without NVML has devices whose free memory is not known', () => {
    const folder = makeDriver(temporaryPath('no-nvml'))
    writeFileSync(join(folder, 'libnvidia-ml.so.1'), '')
    expect(ask(withLoader, driverEnv(folder, { devices: [h200] })).devices).toEqual([{ ...h200, free: 0 }])
  })
})

describe('the driver, asked by nvidia-smi before there is a loader', () => {
  const smi = (name: string, script: string): Record<string, string> => {
    const folder = temporaryPath(name)
    mkdirSync(folder)
    writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, 'nvidia-smi'), 0o755)
    return { PATH: folder }
  }

  test('gives its CUDA and its devices', () => {
    const report = `<nvidia_smi_log><driver_version>580.1</driver_version><cuda_version>13.0</cuda_version>
      <gpu id="0"><product_name>NVIDIA H200</product_name><fb_memory_usage><total>1000 MiB</total><used>1 MiB</used><free>900 MiB</free></fb_memory_usage></gpu>
      <gpu id="1"><product_name>Another</product_name></gpu></nvidia_smi_log>`
    expect(ask(withoutLoader, smi('smi', `echo '${report}'`))).toEqual({
      found: true,
      version: 13000,
      problem: '',
      devices: [
        { name: 'NVIDIA H200', capability: '', total: 1000 * 2 ** 20, free: 900 * 2 ** 20 },
        { name: 'Another', capability: '', total: 0, free: 0 },
      ],
    })
  })

  test('says why there is nothing', () => {
    expect(ask(withoutLoader, { PATH: temporaryPath('nowhere') })).toEqual({ found: false, version: 0, problem: 'nvidia-smi: there is none', devices: [] })
    expect(ask(withoutLoader, smi('failing', "echo 'it has failed because' >&2; exit 9")).problem).toBe('nvidia-smi: it has failed because')
    expect(ask(withoutLoader, smi('silent', 'exit 9')).problem).toBe('nvidia-smi: exit code 9')
    const empty = "echo '<cuda_version>12.4</cuda_version>'"
    expect(ask(withoutLoader, smi('empty', empty))).toEqual({ found: true, version: 12040, problem: 'nvidia-smi: no device', devices: [] })
  })
})

describe('what keeps a CUDA libtorch from a device', () => {
  const driver = (given: Partial<CudaDriver>): CudaDriver => ({ found: true, version: 13000, problem: '', devices: [h200], ...given })

  test('nothing, where the driver is new enough', () => {
    for (const version of [13000, 13020, 14000, 0]) expect(driverObstacle(driver({ version }), 13000, {})).toBeUndefined()
    const old = { ...h200, capability: '7.0' }
    for (const devices of [[old, h200], [{ ...h200, capability: '12.0' }], [{ ...h200, capability: '' }]]) {
      expect(driverObstacle(driver({ devices }), 13000, {})).toBeUndefined()
    }
    expect(driverObstacle(driver({ devices: [old] }), 12000, {})).toBeUndefined()
  })

  test.each<[string, Partial<CudaDriver>, NodeJS.ProcessEnv, string, string]>([
    [
      'no driver',
      { found: false, problem: 'libcuda.so.1: gone', devices: [] },
      {},
      'no NVIDIA driver was found (libcuda.so.1: gone)',
      "Install NVIDIA's driver, 580 or newer",
    ],
    [
      'an old one',
      { version: 12080 },
      {},
      'the NVIDIA driver is too old: it supports CUDA up to 12.8, and 13.0 is needed',
      "Update NVIDIA's driver to 580 or newer",
    ],
    [
      'no device',
      { problem: 'cuInit: CUDA_ERROR_NO_DEVICE', devices: [] },
      {},
      'the NVIDIA driver (for CUDA 13.0) gives no device (cuInit: CUDA_ERROR_NO_DEVICE)',
      'Look what `nvidia-smi` says, and start a container with its devices (`docker run --gpus all`)',
    ],
    [
      'hidden devices',
      { problem: 'cuInit: CUDA_ERROR_NO_DEVICE', devices: [] },
      { CUDA_VISIBLE_DEVICES: '' },
      "the NVIDIA driver (for CUDA 13.0) gives no device (cuInit: CUDA_ERROR_NO_DEVICE; CUDA_VISIBLE_DEVICES is '')",
      'Look what `nvidia-smi` says, unset CUDA_VISIBLE_DEVICES, and start a container with its devices (`docker run --gpus all`)',
    ],
    [
      'devices that are too old',
      { devices: [{ ...h200, name: 'A V100', capability: '7.0' }] },
      {},
      'no device is new enough for CUDA 13.0, which needs compute capability 7.5 (A V100 has 7.0)',
      'Use a device of compute capability 7.5 or newer, or the CPU',
    ],
  ])('%s', (_, given, env, reason, remedy) => {
    expect(driverObstacle(driver(given), 13000, env)).toEqual({ reason, remedy })
  })
})

test('builds are told apart by the CUDA they need', () => {
  expect(['cpu', 'cuda', 'cu130', 'cu132', 'cu128'].map(neededCuda)).toEqual([undefined, undefined, 13000, 13000, 12000])
  expect([13000, 12080, 13010].map(cudaText)).toEqual(['13.0', '12.8', '13.1'])
})

test('asking never throws', () => {
  expect(cudaDriver()).toMatchObject({ found: expect.any(Boolean) as boolean, devices: expect.any(Array) as unknown[] })
})
