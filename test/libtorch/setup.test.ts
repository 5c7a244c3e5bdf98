import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { CudaDriver } from '../../lib/libtorch/loader.ts'
import type { Release } from '../../lib/libtorch/releases.ts'
import { setupLibtorch, type SetupOptions } from '../../lib/libtorch/setup.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { copyPackage } from '../support/package-copy.ts'
import { temporaryPath } from '../support/temporary.ts'
import { fakePip, type FakePip } from './fake-pip.ts'
import { half, serve } from './local-server.ts'
import { fakeWheel, makeZip } from './zip.ts'

const wheel = fakeWheel()
const sha256 = createHash('sha256').update(wheel).digest('hex')
let server: string
let requests: string[] = []

beforeAll(async () => {
  server = await serve((request, response) => {
    requests.push(request.url ?? '')
    if (request.url === '/wheel') response.writeHead(200, { 'content-length': wheel.length }).end(wheel)
    else if (request.url === '/cut') half(wheel, 'end')(request, response)
    else if (request.url === '/stalled') half(wheel, 'silence')(request, response)
    else response.writeHead(404).end()
  })
})

/** A release whose CPU archive is at `path` of the local server. */
function releaseAt(path: string, sum = sha256): Release {
  return {
    version: '2.13.0',
    builds: {
      cpu: { archive: { url: server + path, sha256: sum, bytes: wheel.length }, index: 'https://nowhere.invalid/cpu' },
      cu130: { index: 'https://nowhere.invalid/cu130' },
    },
  }
}

let count = 0

/** Options for one test: its own cache, the local server, and no pip unless one is given. */
function place(path = '/wheel', pip?: FakePip, sum = sha256): Required<Pick<SetupOptions, 'env' | 'release'>> & { cache: string } {
  requests = []
  const cache = temporaryPath(`cache-${++count}`)
  return { cache, release: releaseAt(path, sum), env: { DIFFSAL_CACHE: cache, PATH: pip?.PATH ?? temporaryPath('no-programs') } }
}

function pipWith(files: readonly [string, Buffer][]): FakePip {
  const folder = temporaryPath(`wheels-${++count}`)
  mkdirSync(folder)
  for (const [name, content] of files) writeFileSync(join(folder, name), content)
  return fakePip(
    temporaryPath(`pip-${count}`),
    `case "$args" in *nvidia*) /bin/cp '${folder}'/nvidia* "$dest" ;; *) /bin/cp '${folder}'/torch* "$dest" ;; esac`,
  )
}

test('fetches the archive into the cache, and the next call finds it there', async () => {
  const { cache, ...options } = place()
  const lines: string[] = []
  const libtorch = await setupLibtorch({ ...options, log: (line) => lines.push(line) })
  expect(libtorch).toEqual({ dir: join(cache, 'libtorch-2.13.0-cpu', 'torch'), version: '2.13.0+cpu', variant: 'cpu', source: 'cache' })
  expect(readFileSync(join(libtorch.dir, 'lib/libtorch.so'), 'utf8')).toBe('a library')
  expect(readdirSync(cache)).toEqual(['libtorch-2.13.0-cpu'])
  expect(lines).toEqual([`fetching ${server}/wheel`])
  await expect(setupLibtorch(options)).resolves.toEqual(libtorch)
  expect(requests).toEqual(['/wheel'])
})

test.each([
  ['/cut', sha256, 'ended the connection early'],
  ['/none', sha256, 'answered 404'],
  ['/wheel', 'f'.repeat(64), 'its checksum is wrong'],
])('archive %s and no pip: says everything that was tried, and leaves nothing', async (path, sum, part) => {
  const { cache, ...options } = place(path, undefined, sum)
  await expectDiffSalError(
    () => setupLibtorch(options),
    'ERR_DIFFSAL_LIBTORCH_MISSING',
    'DIFFSAL_LIBTORCH is not set',
    `the cache '${cache}' has none`,
    `the official archive: ${path === '/wheel' ? '' : '127.0.0.1 '}${part}`,
    'pip: there is no pip',
    'npx diffsal setup --from FILE',
  )
  expect(readdirSync(cache)).toEqual([])
})

test('falls through to pip, whose wheel must have the checksum too', async () => {
  const good = place('/cut', pipWith([['torch-2.13.0+cpu-cp311.whl', wheel]]))
  const { cache } = good
  await expect(setupLibtorch({ env: good.env, release: good.release })).resolves.toMatchObject({ variant: 'cpu', source: 'cache' })
  expect(readdirSync(cache)).toEqual(['libtorch-2.13.0-cpu'])

  const bad = place('/cut', pipWith([['torch-2.13.0+cpu-cp311.whl', fakeWheel('2.13.0+cpu', [{ name: 'torch/include/c10/a.h', data: '' }])]]))
  await expectDiffSalError(() => setupLibtorch({ env: bad.env, release: bad.release }), 'ERR_DIFFSAL_LIBTORCH_MISSING', 'pip: its checksum is wrong')
  expect(readdirSync(bad.cache)).toEqual([])
})

test("cu130 comes from pip, with CUDA's libraries where libtorch_cuda looks for them", async () => {
  const torch = fakeWheel('2.13.0+cu130', [
    { name: 'torch/lib/libtorch_cuda.so', data: '' },
    { name: 'torch-2.13.0+cu130.dist-info/METADATA', data: 'Requires-Dist: nvidia-cublas==13.0\n' },
  ])
  const cublas = makeZip([{ name: 'nvidia/cu13/lib/libcublas.so.13', data: 'cublas' }])
  const pip = pipWith([
    ['torch-2.13.0+cu130-cp311.whl', torch],
    ['nvidia_cublas-13.0-py3.whl', cublas],
  ])
  const { cache, ...options } = place('/wheel', pip)
  const libtorch = await setupLibtorch({ ...options, variant: 'cu130' })
  expect(libtorch).toMatchObject({ variant: 'cu130', version: '2.13.0+cu130' })
  expect(readFileSync(join(libtorch.dir, '../nvidia/cu13/lib/libcublas.so.13'), 'utf8')).toBe('cublas')
  expect(requests).toEqual([])
  // Without a wish the CUDA build that is there is the one; cpu is still to be had, and then the driver decides.
  await expect(setupLibtorch(options)).resolves.toEqual(libtorch)
  await expect(setupLibtorch({ ...options, variant: 'cpu' })).resolves.toMatchObject({ variant: 'cpu' })
  expect(readdirSync(cache).sort()).toEqual(['libtorch-2.13.0-cpu', 'libtorch-2.13.0-cu130'])
  await expect(setupLibtorch({ ...options, driver: () => gpu })).resolves.toEqual(libtorch)
  await expect(setupLibtorch({ ...options, driver: () => noGpu })).resolves.toMatchObject({ variant: 'cpu' })
})

const gpu: CudaDriver = { found: true, version: 13000, problem: '', devices: [{ name: 'NVIDIA H200', capability: '9.0', total: 1, free: 1 }] }
const noGpu: CudaDriver = { found: false, version: 0, problem: 'libcuda.so.1: gone', devices: [] }

describe('auto', () => {
  const cuda = (): FakePip => pipWith([['torch-2.13.0+cu130-cp311.whl', fakeWheel('2.13.0+cu130')]])

  test('is the CUDA build where the driver has a device for it, else the CPU build, and says why', async () => {
    for (const [driver, variant, reason] of [
      [gpu, 'cu130', 'auto: cu130, for the NVIDIA driver has NVIDIA H200'],
      [noGpu, 'cpu', 'auto: cpu, for no NVIDIA driver was found (libcuda.so.1: gone)'],
      [{ ...gpu, version: 12080 }, 'cpu', 'auto: cpu, for the NVIDIA driver is too old: it supports CUDA up to 12.8, and 13.0 is needed'],
    ] as const) {
      const lines: string[] = []
      const { cache, ...options } = place('/wheel', cuda())
      const libtorch = await setupLibtorch({ ...options, variant: 'auto', driver: () => driver, log: (line) => lines.push(line) })
      expect(libtorch.variant).toBe(variant)
      expect(readdirSync(cache)).toEqual([`libtorch-2.13.0-${variant}`])
      expect(lines[0]).toBe(reason)
    }
  })

  test('is asked for by DIFFSAL_VARIANT too, which an option goes before, and must be one that there is', async () => {
    const { cache, env, release } = place('/wheel', cuda())
    const options = (variant: string): SetupOptions => ({ release, driver: () => gpu, env: { ...env, DIFFSAL_VARIANT: variant } })
    await expect(setupLibtorch({ ...options('auto'), variant: 'cpu' })).resolves.toMatchObject({ variant: 'cpu' })
    await expect(setupLibtorch(options('auto'))).resolves.toMatchObject({ variant: 'cu130' })
    await expect(setupLibtorch(options('cpu'))).resolves.toMatchObject({ variant: 'cpu' })
    expect(readdirSync(cache).sort()).toEqual(['libtorch-2.13.0-cpu', 'libtorch-2.13.0-cu130'])
    await expectDiffSalError(() => setupLibtorch(options('cuda')), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'DIFFSAL_VARIANT' must be one of 'cpu', 'cu130', 'auto'")
  })

  test('takes with --from what is there', async () => {
    const { cache, ...options } = place('/none')
    for (const wish of [{ variant: 'auto' as const }, { env: { ...options.env, DIFFSAL_VARIANT: 'cu130' } }]) {
      await expect(setupLibtorch({ ...options, ...wish, driver: () => gpu, from: `${server}/wheel` })).resolves.toMatchObject({ variant: 'cpu' })
    }
    expect(readdirSync(cache)).toEqual(['libtorch-2.13.0-cpu'])
  })
})

test('cu130 without pip: the remedy brings every wheel', async () => {
  const { cache, ...options } = place()
  await expectDiffSalError(
    () => setupLibtorch({ ...options, variant: 'cu130' }),
    'ERR_DIFFSAL_LIBTORCH_MISSING',
    'the official archive: there is none for cu130',
    'run `pip download torch==2.13.0+cu130 --extra-index-url https://nowhere.invalid/cu130 --dest wheels`',
    'run `npx diffsal setup --from wheels`',
  )
  expect(readdirSync(cache)).toEqual([])
})

test('a CPU build is not taken for cu130', async () => {
  const { cache, ...options } = place('/wheel', pipWith([['torch-2.13.0-cp311.whl', wheel]]))
  await expectDiffSalError(
    () => setupLibtorch({ ...options, variant: 'cu130' }),
    'ERR_DIFFSAL_LIBTORCH_VERSION',
    'libtorch 2.13.0 (cu130) was wanted',
    'libtorch 2.13.0+cpu (cpu) came',
  )
  expect(readdirSync(cache)).toEqual([])
})

test('two at once both end well, with one installation', async () => {
  const { cache, ...options } = place()
  const results = await Promise.all([setupLibtorch(options), setupLibtorch(options), setupLibtorch({ ...options, from: `${server}/wheel` })])
  for (const result of results) expect(result.dir).toBe(join(cache, 'libtorch-2.13.0-cpu', 'torch'))
  expect(readdirSync(cache)).toEqual(['libtorch-2.13.0-cpu'])
})

test('--from takes a file, a folder of wheels, a folder of libtorch and an address', async () => {
  const file = temporaryPath('given.whl')
  writeFileSync(file, wheel)
  const wheels = temporaryPath('given-wheels')
  mkdirSync(wheels)
  writeFileSync(join(wheels, 'torch-2.13.0+cu130-cp311.whl'), fakeWheel('2.13.0+cu130'))
  writeFileSync(join(wheels, 'nvidia_cudnn_cu13-9-py3.whl'), makeZip([{ name: 'nvidia/cudnn/lib/libcudnn.so.9', data: '' }]))
  const installed = (await setupLibtorch({ ...without('cache', place()), from: file })).dir
  for (const [from, variant] of [
    [wheels, 'cu130'],
    [installed, 'cpu'],
    [join(installed, '..'), 'cpu'],
    [`${server}/wheel#sha256=${sha256}`, 'cpu'],
  ] as const) {
    const { cache, ...options } = place('/none')
    const libtorch = await setupLibtorch({ ...options, from })
    expect(libtorch).toMatchObject({ variant, dir: join(cache, `libtorch-2.13.0-${variant}`, 'torch') })
    expect(readdirSync(join(libtorch.dir, 'include'))).toEqual(['ATen'])
    expect(readdirSync(cache)).toHaveLength(1)
  }
})

test('--from replaces what the cache has', async () => {
  const { cache, ...options } = place()
  const { dir } = await setupLibtorch(options)
  const file = temporaryPath('newer.whl')
  writeFileSync(file, fakeWheel('2.13.0+cpu', [{ name: 'torch/include/c10/new.h', data: '' }]))
  await setupLibtorch({ ...options, from: file })
  expect(existsSync(join(dir, 'include/c10/new.h'))).toBe(true)
  expect(readdirSync(cache)).toEqual(['libtorch-2.13.0-cpu'])
})

test('a damaged installation is replaced', async () => {
  const { cache, ...options } = place()
  const { dir } = await setupLibtorch(options)
  rmSync(join(dir, 'lib/libtorch_cpu.so'))
  await setupLibtorch(options)
  expect(existsSync(join(dir, 'lib/libtorch_cpu.so'))).toBe(true)
  expect(readdirSync(cache)).toEqual(['libtorch-2.13.0-cpu'])
})

test('refuses what cannot be meant, and leaves nothing', async () => {
  const other = temporaryPath('other.whl')
  writeFileSync(other, fakeWheel('2.12.0+cpu'))
  const empty = temporaryPath('empty-folder')
  mkdirSync(empty)
  const bare = temporaryPath('bare.zip')
  writeFileSync(bare, makeZip([{ name: 'readme', data: 'x' }]))
  const packaged = temporaryPath('usr')
  for (const name of ['libtorch.so', 'libtorch_cpu.so']) {
    const folder = join(packaged, 'lib', process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, name), '')
  }
  const cases: [Partial<SetupOptions>, Parameters<typeof expectDiffSalError>[1], string][] = [
    [{ variant: 'cu13' as never }, 'ERR_DIFFSAL_INVALID_ARGUMENT', "did you mean 'cu130'"],
    [{ form: other } as never, 'ERR_DIFFSAL_INVALID_ARGUMENT', "Did you mean 'from'"],
    [{ from: '' }, 'ERR_DIFFSAL_INVALID_ARGUMENT', "'from' must be a non-empty string"],
    [{ from: 'ftp://127.0.0.1/x.whl' }, 'ERR_DIFFSAL_INVALID_ARGUMENT', 'http or https'],
    [{ from: temporaryPath('absent.whl') }, 'ERR_DIFFSAL_FILE', 'does not exist'],
    [{ from: empty }, 'ERR_DIFFSAL_LIBTORCH_MISSING', 'holds no libtorch'],
    [{ from: packaged }, 'ERR_DIFFSAL_LIBTORCH_MISSING', `Set DIFFSAL_LIBTORCH to '${packaged}'`],
    [{ from: bare }, 'ERR_DIFFSAL_LIBTORCH_MISSING', 'not a complete libtorch 2.13.0'],
    [{ from: other }, 'ERR_DIFFSAL_LIBTORCH_VERSION', 'libtorch 2.12.0+cpu (cpu) came'],
    [{ from: `${server}/wheel`, variant: 'cu130' }, 'ERR_DIFFSAL_LIBTORCH_VERSION', 'libtorch 2.13.0 (cu130) was wanted'],
    [{ from: `${server}/none` }, 'ERR_DIFFSAL_FILE', 'answered 404'],
    [{ from: `${server}/wheel#sha256=${'0'.repeat(64)}` }, 'ERR_DIFFSAL_FILE', 'its checksum is wrong'],
  ]
  const { cache, ...options } = place()
  for (const [wish, code, part] of cases) {
    await expectDiffSalError(() => setupLibtorch({ ...options, ...wish }), code, part)
    expect(existsSync(cache) ? readdirSync(cache) : []).toEqual([])
  }
})

test('DIFFSAL_LIBTORCH is used as it is; wrong or too old it is an error that names it', async () => {
  const { cache, env, release } = place()
  const { dir } = await setupLibtorch({ env, release })
  const own = temporaryPath('other-cache')
  const options = (value: string): SetupOptions => ({ release, env: { DIFFSAL_LIBTORCH: value, DIFFSAL_CACHE: own, PATH: '' } })
  await expect(setupLibtorch(options(join(cache, 'libtorch-2.13.0-cpu')))).resolves.toMatchObject({ dir, source: 'DIFFSAL_LIBTORCH' })
  expect(existsSync(own)).toBe(false)
  await expectDiffSalError(() => setupLibtorch(options(cache)), 'ERR_DIFFSAL_LIBTORCH_MISSING', `DIFFSAL_LIBTORCH is '${cache}'`)
  writeFileSync(join(dir, 'version.py'), "__version__ = '2.9.1+cpu'\n")
  await expectDiffSalError(() => setupLibtorch(options(dir)), 'ERR_DIFFSAL_LIBTORCH_VERSION', '2.9.1+cpu', '(DIFFSAL_LIBTORCH)')
  expect(existsSync(own)).toBe(false)
})

test('a cache folder that cannot be made is named', async () => {
  const { release } = place()
  const taken = temporaryPath('a-file')
  writeFileSync(taken, '')
  await expectDiffSalError(() => setupLibtorch({ release, env: { DIFFSAL_CACHE: join(taken, 'cache'), PATH: '' } }), 'ERR_DIFFSAL_FILE', taken)
})

test('what a killed setup left is removed by the next one, and what a running one has is not', async () => {
  const { cache, ...options } = place()
  const left = (name: string): string => {
    mkdirSync(join(cache, name, 'tree'), { recursive: true })
    return name
  }
  const dead = spawn(process.execPath, ['-e', ''])
  await once(dead, 'close')
  left(`.diffsal-${hostname()}-${dead.pid}-abc`)
  const running = left(`.diffsal-${hostname()}-${process.ppid}-abc`)
  const fresh = left('.diffsal-another-machine-1-abc')
  const old = left('.diffsal-another-machine-1-old')
  utimesSync(join(cache, old), 0, 0)
  await setupLibtorch(options)
  expect(readdirSync(cache).sort()).toEqual([fresh, running, 'libtorch-2.13.0-cpu'].sort())
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s in the middle ends the process by that signal and leaves nothing', async (signal) => {
  const { cache, env, release } = place('/stalled')
  const folder = copyPackage(temporaryPath(`package-${signal}`))
  const program = `
    import { setupLibtorch } from '${join(folder, 'dist/libtorch/setup.js')}'
    await setupLibtorch({ release: ${JSON.stringify(release)}, onProgress: () => console.log('under way') })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { env: { ...process.env, ...env, DIFFSAL_LIBTORCH: '' } })
  await once(child.stdout, 'data')
  expect(readdirSync(cache)).toHaveLength(1)
  child.kill(signal)
  const [, killer] = (await once(child, 'close')) as [unknown, string]
  expect(killer).toBe(signal)
  expect(readdirSync(cache)).toEqual([])
})

function without<T extends object, K extends keyof T>(name: K, object: T): Omit<T, K> {
  const { [name]: _, ...rest } = object
  return rest
}
