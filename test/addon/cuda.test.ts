import { spawnSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { compile, makeAddon, makeLibtorch } from '../support/fake-addon.ts'
import { driverEnv, h200, makeDriver, makeNoDriver } from '../support/fake-driver.ts'
import { copyPackage } from '../support/package-copy.ts'
import { temporaryPath } from '../support/temporary.ts'

// A driver, a libtorch and a core that are made up, with the real loader: no machine has all of these situations.
const folder = temporaryPath('package')
const libtorch = temporaryPath('libtorch')
const libraries = temporaryPath('driver')
const empty = makeNoDriver(temporaryPath('no-driver'))

beforeAll(() => {
  copyPackage(folder)
  makeAddon(folder, makeLibtorch(libtorch))
  makeDriver(libraries)
})

interface Answer {
  devices: unknown[]
  auto: string
  log: string[]
  cuda0: string
  cuda9: string
}

/** What a program sees of CUDA where these variables are set. */
function look(env: Record<string, string>): Answer {
  const program = `
    const { setLogger } = await import('${join(folder, 'dist/log.js')}')
    const { devices, resolveDevice } = await import('${join(folder, 'dist/devices.js')}')
    const log = []
    setLogger((level, message) => log.push(level + ' ' + message))
    const attempt = (work) => { try { return work() } catch ({ code, message }) { return code + ' ' + message } }
    const resolve = (device) => attempt(() => resolveDevice(device))
    const auto = resolve('auto')
    console.log(JSON.stringify({ devices: attempt(() => devices().slice(1)), auto, log, cuda0: resolve('cuda'), cuda9: resolve('cuda:9') }))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, DIFFSAL_LIBTORCH: libtorch, ...env },
  })
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Answer
}

const [cpuBuild, cudaBuild] = [{ FAKE_TORCH_CUDA: '0' }, { FAKE_TORCH_CUDA: '13000', FAKE_TORCH_DEVICES: '2' }]
const [sorry, usable] = ["ERR_DIFFSAL_DEVICE There is no device 'cuda' here: ", ' Usable are: auto, cpu.']

describe('a CUDA libtorch and its driver', () => {
  it('give the devices, and auto is the first', () => {
    const other = { name: 'Another', capability: '8.0', total: 1_000_000_000 }
    const answer = look({ ...cudaBuild, ...driverEnv(libraries, { devices: [h200, other] }) })
    expect(answer.devices).toEqual([
      { id: 'cuda:0', type: 'cuda', name: 'NVIDIA H200', memory: { total: h200.total, free: h200.free }, capability: '9.0' },
      { id: 'cuda:1', type: 'cuda', name: 'Another', memory: { total: 1_000_000_000 }, capability: '8.0' },
    ])
    expect(answer).toMatchObject({ auto: 'cuda:0', log: ['info device: cuda:0'], cuda0: 'cuda:0' })
    expect(answer.cuda9).toBe("ERR_DIFFSAL_DEVICE There is no device 'cuda:9' here. Usable are: auto, cpu, cuda:0, cuda:1.")
  })

  it('need no CUDA part; one that cannot be opened is a warning', () => {
    const part = join(folder, 'build/Release/diffsal_cuda.so')
    writeFileSync(part, '')
    const { cuda0, log } = look({ ...cudaBuild, ...driverEnv(libraries, { devices: [h200] }) })
    expect(cuda0).toBe('cuda:0')
    expect(log).toContain('warn CUDA works, but without graphs, so slower, and without figures of its memory: it is made up')
  })

  it('that do not agree are told apart from those that do', () => {
    const { cuda0 } = look({ ...cudaBuild, FAKE_TORCH_DEVICES: '0', ...driverEnv(libraries, { devices: [h200] }) })
    const advice = 'Look what `nvidia-smi` says, and whether other programs hold the device for themselves.'
    expect(cuda0).toBe(`${sorry}libtorch finds no device, though the NVIDIA driver has cuda:0 (NVIDIA H200). ${advice}${usable}`)
  })
})

describe('what is missing is said, with the remedy', () => {
  const missing = `${join(empty, 'libcuda.so.1')}: file too short`
  it.each<[string, Record<string, string>, string, string]>([
    [
      'a CPU libtorch without a driver',
      { ...cpuBuild, LD_LIBRARY_PATH: empty },
      `libtorch 2.13.0+cpu is a CPU build, and no NVIDIA driver was found (${missing})`,
      "Install NVIDIA's driver, 580 or newer; then unset DIFFSAL_LIBTORCH and run `npx diffsal setup --variant auto`",
    ],
    [
      'a CPU libtorch beside a driver',
      { ...cpuBuild, ...driverEnv(libraries, { devices: [h200] }) },
      'libtorch 2.13.0+cpu is a CPU build, though the NVIDIA driver has cuda:0 (NVIDIA H200)',
      'To use it, unset DIFFSAL_LIBTORCH and run `npx diffsal setup --variant auto`',
    ],
    [
      'a CPU libtorch beside an old driver',
      { ...cpuBuild, ...driverEnv(libraries, { version: 12040, devices: [h200] }) },
      'libtorch 2.13.0+cpu is a CPU build, and the NVIDIA driver is too old: it supports CUDA up to 12.4, and 13.0 is needed',
      "Update NVIDIA's driver to 580 or newer; then unset DIFFSAL_LIBTORCH and run `npx diffsal setup --variant auto`",
    ],
    [
      'a CUDA libtorch without a driver',
      { ...cudaBuild, LD_LIBRARY_PATH: empty },
      `no NVIDIA driver was found (${missing})`,
      "Install NVIDIA's driver, 580 or newer",
    ],
    [
      'a CUDA libtorch with an old driver',
      { ...cudaBuild, ...driverEnv(libraries, { version: 12080, devices: [h200] }) },
      'the NVIDIA driver is too old: it supports CUDA up to 12.8, and 13.0 is needed',
      "Update NVIDIA's driver to 580 or newer",
    ],
    [
      'a CUDA libtorch for 12.6 without a device',
      { ...cudaBuild, FAKE_TORCH_CUDA: '12060', CUDA_VISIBLE_DEVICES: '7', ...driverEnv(libraries, { version: 12040, init: 'CUDA_ERROR_NO_DEVICE' }) },
      "the NVIDIA driver (for CUDA 12.4) gives no device (cuInit: CUDA_ERROR_NO_DEVICE; CUDA_VISIBLE_DEVICES is '7')",
      'Look what `nvidia-smi` says, unset CUDA_VISIBLE_DEVICES, and start a container with its devices (`docker run --gpus all`)',
    ],
  ])('%s', (_, env, reason, remedy) => {
    const answer = look(env)
    expect(answer.cuda0).toBe(`${sorry}${reason}. ${remedy}.${usable}`)
    expect(answer).toMatchObject({ devices: [], auto: 'cpu', log: [`info device: cpu, for ${reason}`] })
  })

  it("a CUDA libtorch without CUDA's own libraries", () => {
    const dir = makeLibtorch(temporaryPath('bare/torch'), '2.13.0+cu130')
    const lib = join(dir, 'lib')
    compile(join(temporaryPath('bare'), 'libcumadeup.so.13'), 'extern "C" int cumadeup() { return 1; }', ['-Wl,-soname,libcumadeup.so.13'])
    const needs = [
      '-Wl,-soname,libtorch.so',
      '-Wl,--no-as-needed',
      `-L${lib}`,
      '-ltorch_cpu',
      join(temporaryPath('bare'), 'libcumadeup.so.13'),
      '-Wl,-rpath,$ORIGIN',
    ]
    compile(join(lib, 'libtorch.so'), '', needs)
    expect(look({ ...cudaBuild, DIFFSAL_LIBTORCH: dir }).cuda0).toBe(
      "ERR_DIFFSAL_LIBTORCH_MISSING libtorch cannot be opened: it is a CUDA build (cu130), and CUDA's own library libcumadeup.so.13 was not found. " +
        'Install the build that brings its libraries with `npx diffsal setup --variant cu130` and unset DIFFSAL_LIBTORCH, ' +
        'or the CPU build with `npx diffsal setup --variant cpu` and unset DIFFSAL_LIBTORCH.',
    )
    const cache = temporaryPath('bare-cache')
    cpSync(dir, join(cache, 'libtorch-2.13.0-cu130/torch'), { recursive: true })
    // What the cache has would be taken again.
    expect(look({ ...cudaBuild, DIFFSAL_LIBTORCH: '', DIFFSAL_CACHE: cache }).cuda0).toContain(
      `was not found. Remove '${join(cache, 'libtorch-2.13.0-cu130/torch')}' and install the build that brings its libraries with`,
    )
  })
})
