import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { checkSeries, checkSupported, findLibtorch, inspectLibtorch, librariesIn, locateLibtorch } from '../../lib/libtorch/locate.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

/** A folder that looks like libtorch; `files` say its version. */
function libtorchAt(dir: string, files: Record<string, string> = { 'version.py': "__version__ = '2.13.0+cpu'\n" }): string {
  for (const [name, text] of Object.entries({ 'lib/libtorch.so': '', 'lib/libtorch_cpu.so': '', ...files })) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text)
  }
  return dir
}

const emptyCache = temporaryPath('empty-cache')

test('DIFFSAL_LIBTORCH may be the folder, or hold it as torch/ or libtorch/', () => {
  const wheel = libtorchAt(temporaryPath('site-packages/torch'))
  const archive = libtorchAt(temporaryPath('unzipped/libtorch'), { 'build-version': '2.13.0+cu130\n' })
  for (const [value, dir] of [
    [wheel, wheel],
    [dirname(wheel), wheel],
    [dirname(archive), archive],
  ] as const) {
    expect(locateLibtorch({ env: { DIFFSAL_LIBTORCH: value, DIFFSAL_CACHE: emptyCache } })).toMatchObject({
      dir,
      source: 'DIFFSAL_LIBTORCH',
    })
  }
})

test.each([
  ['version.py', { 'version.py': "import x\n__version__ = '2.13.0+cu130'\ndebug = False\n" }, '2.13.0+cu130', 'cu130'],
  ['build-version', { 'build-version': '2.12.1+cpu\n' }, '2.12.1+cpu', 'cpu'],
  [
    'a header',
    {
      'include/torch/headeronly/version.h': '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 14\n#define TORCH_VERSION_PATCH 0\n',
      'lib/libtorch_cuda.so': '',
    },
    '2.14.0',
    'cuda',
  ],
  [
    'the older header',
    {
      'include/torch/csrc/api/include/torch/version.h': '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 11\n#define TORCH_VERSION_PATCH 3\n',
    },
    '2.11.3',
    'cpu',
  ],
])('reads the version from %s', (name, files, version, variant) => {
  const dir = libtorchAt(temporaryPath(name.replaceAll(' ', '-')), files)
  expect(inspectLibtorch(dir)).toEqual({ dir, version, variant })
})

test('DIFFSAL_LIBTORCH set to something else is an error that names it, whatever the cache holds', async () => {
  const cache = temporaryPath('full-cache')
  libtorchAt(join(cache, 'libtorch-2.13.0-cpu', 'torch'))
  const wrong = temporaryPath('wrong')
  mkdirSync(wrong)
  for (const value of [wrong, join(wrong, 'none')]) {
    const error = await expectDiffSalError(
      () => findLibtorch({ env: { DIFFSAL_LIBTORCH: value, DIFFSAL_CACHE: cache } }),
      'ERR_DIFFSAL_LIBTORCH_MISSING',
      `DIFFSAL_LIBTORCH is '${value}'`,
      'npx diffsal setup',
    )
    expect(error.argument).toBe('DIFFSAL_LIBTORCH')
  }
  const silent = libtorchAt(temporaryPath('silent'), {})
  await expectDiffSalError(() => findLibtorch({ env: { DIFFSAL_LIBTORCH: silent } }), 'ERR_DIFFSAL_LIBTORCH_VERSION', 'DIFFSAL_LIBTORCH', 'version')
})

test('an empty DIFFSAL_LIBTORCH counts as unset; nothing anywhere is a sentence with the remedy', async () => {
  await expectDiffSalError(
    () => locateLibtorch({ env: { DIFFSAL_LIBTORCH: '', DIFFSAL_CACHE: emptyCache } }),
    'ERR_DIFFSAL_LIBTORCH_MISSING',
    'libtorch 2.13 was not found',
    emptyCache,
    'npx diffsal setup',
  )
})

test('the cache: damaged and other releases are passed over; of a CUDA and a CPU build it is the one that the driver suits', () => {
  const cache = temporaryPath('cache')
  const env = { DIFFSAL_CACHE: cache }
  const device = { name: 'one', capability: '9.0', total: 1, free: 1 }
  const driver = (version: number) => () => ({ found: true, version, problem: '', devices: [device] })
  const none = () => ({ found: false, version: 0, problem: 'gone', devices: [] })
  libtorchAt(join(cache, 'libtorch-2.12.0-cpu', 'torch'), { 'version.py': "__version__ = '2.12.0+cpu'\n" })
  mkdirSync(join(cache, 'libtorch-2.13.0-cu130', 'torch', 'lib'), { recursive: true })
  expect(findLibtorch({ env })).toBeUndefined()
  const cpu = libtorchAt(join(cache, 'libtorch-2.13.0-cpu', 'torch'))
  expect(findLibtorch({ env })).toEqual({ dir: cpu, version: '2.13.0+cpu', variant: 'cpu', source: 'cache' })
  const cuda = libtorchAt(join(cache, 'libtorch-2.13.0-cu130', 'torch'), { 'version.py': "__version__ = '2.13.0+cu130'\n" })
  expect(findLibtorch({ env, driver: driver(13000) })).toMatchObject({ dir: cuda, variant: 'cu130' })
  for (const unfit of [driver(12080), none]) expect(findLibtorch({ env, driver: unfit })).toMatchObject({ dir: cpu, variant: 'cpu' })
  rmSync(cpu, { recursive: true })
  expect(findLibtorch({ env, driver: none })).toMatchObject({ dir: cuda, variant: 'cu130' })
  expect(findLibtorch({ env, builtWith: { version: '2.12.1' } })).toMatchObject({ version: '2.12.0+cpu' })
})

test('what the addon was compiled with is found where it was, after the cache', () => {
  const dir = libtorchAt(temporaryPath('elsewhere'))
  const builtWith = { version: '2.13.0+cpu', dir }
  expect(findLibtorch({ env: { DIFFSAL_CACHE: emptyCache }, builtWith })).toMatchObject({ dir, source: 'build' })
  const cache = temporaryPath('other-cache')
  libtorchAt(join(cache, 'libtorch-2.13.0-cpu', 'torch'))
  expect(findLibtorch({ env: { DIFFSAL_CACHE: cache }, builtWith })).toMatchObject({ source: 'cache' })
})

test("the system's packages come last: their libraries are in a folder for each processor", () => {
  const processor = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch as 'x64' | 'arm64']
  const header = (minor: number) => `#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH 1\n`
  const packaged = (name: string, minor: number, folder = processor): string => {
    const dir = libtorchAt(temporaryPath(name), { 'include/ATen/ATen.h': '', 'include/torch/headeronly/version.h': header(minor) })
    mkdirSync(join(dir, 'lib', folder))
    for (const name of ['libtorch.so', 'libtorch_cpu.so']) renameSync(join(dir, 'lib', name), join(dir, 'lib', folder, name))
    return dir
  }
  const env = { DIFFSAL_CACHE: emptyCache }
  const system = packaged('usr', 14)
  expect(librariesIn(system)).toBe(join(system, 'lib', processor))
  expect(findLibtorch({ env, system })).toEqual({ dir: system, version: '2.14.1', variant: 'cpu', source: 'system' })
  expect(locateLibtorch({ env: { ...env, DIFFSAL_LIBTORCH: system } })).toMatchObject({ dir: system, source: 'DIFFSAL_LIBTORCH' })
  const built = libtorchAt(temporaryPath('built'))
  expect(findLibtorch({ env, system, builtWith: { version: '2.13.0+cpu', dir: built } })).toMatchObject({ dir: built, source: 'build' })
  // Too old, without headers, and another processor's.
  expect(findLibtorch({ env, system: packaged('old-usr', 6) })).toBeUndefined()
  const bare = packaged('bare-usr', 14)
  rmSync(join(bare, 'include/ATen'), { recursive: true })
  expect(findLibtorch({ env, system: bare })).toBeUndefined()
  expect(findLibtorch({ env, system: packaged('foreign-usr', 14, 'riscv64-linux-gnu') })).toBeUndefined()
})

test('another series than the addon was compiled with is refused, a patch release is not', async () => {
  const found = { dir: '/somewhere', version: '2.12.0+cpu', variant: 'cpu', source: 'DIFFSAL_LIBTORCH' } as const
  await expectDiffSalError(
    () => checkSeries(found, { version: '2.13.0+cpu' }),
    'ERR_DIFFSAL_LIBTORCH_VERSION',
    'compiled with libtorch 2.13.0',
    "'/somewhere' (DIFFSAL_LIBTORCH) is 2.12.0",
    'Unset DIFFSAL_LIBTORCH',
  )
  expect(() => checkSeries(found, { version: '2.12.1' })).not.toThrow()
})

test('sources compile against 2.11 to 2.14', async () => {
  const found = (version: string) => ({ dir: '/somewhere', version, variant: 'cpu', source: 'DIFFSAL_LIBTORCH' }) as const
  for (const version of ['2.11.0', '2.14.2+cu130']) expect(() => checkSupported(found(version))).not.toThrow()
  for (const version of ['1.13.1', '2.2.0', '2.10.0+cpu', '2.15.0', '3.0.0']) {
    await expectDiffSalError(() => checkSupported(found(version)), 'ERR_DIFFSAL_LIBTORCH_VERSION', version, '2.11 to 2.14', 'npx diffsal setup')
  }
})
