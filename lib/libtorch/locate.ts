import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DiffSalError } from '../errors.ts'
import { cachedFolders, cacheRoot } from './cache.ts'
import { cudaDriver, driverObstacle, neededCuda } from './driver.ts'
import type { CudaDriver } from './loader.ts'
import { cudaVariant, isSupported, release, series, supported } from './releases.ts'

/** A libtorch on disk. */
export interface Libtorch {
  /** The folder that holds `include/` and `lib/`. */
  readonly dir: string
  /** As its files say it, `2.13.0` or `2.13.0+cpu`. */
  readonly version: string
  /** `cpu`, `cu130`, or `cuda` where the files do not say which. */
  readonly variant: string
}

/** A {@link Libtorch} and how it was found: the variable, the cache, the addon's own note of what it was compiled with, or the system's packages. */
export interface LocatedLibtorch extends Libtorch {
  readonly source: 'DIFFSAL_LIBTORCH' | 'cache' | 'build' | 'system'
}

/** What the compiled addon says about its libtorch. */
export interface BuiltWith {
  readonly version: string
  /** Where it was, if not in the cache. */
  readonly dir?: string
}

/** How {@link locateLibtorch} looks. */
export interface LocateOptions {
  readonly env?: NodeJS.ProcessEnv
  /** What the libtorch has to fit. Default: this package's release. */
  readonly builtWith?: BuiltWith
  /** Asks NVIDIA's driver, which decides between a CUDA and a CPU build in the cache. */
  readonly driver?: (env?: NodeJS.ProcessEnv) => CudaDriver
  /** Where the system's packages put theirs. Default: `/usr`, as Debian's libtorch-dev does. */
  readonly system?: string
}

/**
 * Finds libtorch: `DIFFSAL_LIBTORCH`, else the cache, else the one that the addon was compiled with, else the system's, if the sources compile
 * against it.
 *
 * @throws DiffSalError ERR_DIFFSAL_LIBTORCH_MISSING when there is none, or when `DIFFSAL_LIBTORCH` is set to something else;
 * ERR_DIFFSAL_LIBTORCH_VERSION when its version cannot be told.
 */
export function locateLibtorch(options: LocateOptions = {}): LocatedLibtorch {
  const found = findLibtorch(options)
  if (found) return found
  const expected = `libtorch ${series((options.builtWith ?? release).version)}`
  throw new DiffSalError(
    'ERR_DIFFSAL_LIBTORCH_MISSING',
    `${expected} was not found: DIFFSAL_LIBTORCH is not set and there is none in '${cacheRoot(options.env)}'. Fetch it with \`npx diffsal setup\`.`,
    { argument: 'libtorch', expected },
  )
}

/** As {@link locateLibtorch}, but `undefined` when there is none. `DIFFSAL_LIBTORCH` set to something else is still an error. */
export function findLibtorch({ env = process.env, driver = cudaDriver, system = '/usr', ...rest }: LocateOptions = {}): LocatedLibtorch | undefined {
  const builtWith: BuiltWith = rest.builtWith ?? release
  if (env.DIFFSAL_LIBTORCH) return { ...fromVariable(env.DIFFSAL_LIBTORCH), source: 'DIFFSAL_LIBTORCH' }
  const usable = (variant: string): boolean => driverObstacle(driver(env), neededCuda(variant) ?? neededCuda(cudaVariant)!, env) === undefined
  for (const folder of cachedFolders(cacheRoot(env), series(builtWith.version), usable)) {
    const cached = inspectLibtorch(join(folder, 'torch'))
    if (cached) return { ...cached, source: 'cache' }
  }
  const built = builtWith.dir === undefined ? undefined : inspectLibtorch(builtWith.dir)
  if (built) return { ...built, source: 'build' }
  const packaged = inspectLibtorch(system)
  const fits = packaged && isSupported(packaged.version) && existsSync(join(system, 'include', 'ATen'))
  return fits ? { ...packaged, source: 'system' } : undefined
}

function fromVariable(value: string): Libtorch {
  const dir = libtorchFolder(resolve(value))
  if (dir === undefined) {
    throw new DiffSalError(
      'ERR_DIFFSAL_LIBTORCH_MISSING',
      `DIFFSAL_LIBTORCH is '${value}', but neither that folder nor a torch/ or libtorch/ in it holds lib/libtorch.so and ` +
        'lib/libtorch_cpu.so. Correct the variable, or unset it and run `npx diffsal setup`.',
      { argument: 'DIFFSAL_LIBTORCH', expected: 'a folder that holds lib/libtorch.so', received: `'${value}'` },
    )
  }
  const found = inspectLibtorch(dir)
  if (!found) {
    throw new DiffSalError(
      'ERR_DIFFSAL_LIBTORCH_VERSION',
      `DIFFSAL_LIBTORCH is '${value}', but the version of the libtorch there cannot be told: there is no version.py, ` +
        'build-version or include/torch/headeronly/version.h. Use a complete libtorch, or unset it and run `npx diffsal setup`.',
      { argument: 'DIFFSAL_LIBTORCH', expected: 'a libtorch that states its version', received: `'${value}'` },
    )
  }
  return found
}

/** `folder` itself, or the `torch/` or `libtorch/` in it, whichever holds the libraries. */
export function libtorchFolder(folder: string): string | undefined {
  return [folder, join(folder, 'torch'), join(folder, 'libtorch')].find((dir) => librariesIn(dir) !== undefined)
}

/** Debian's names of processors, by Node's. */
const multiarch: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

/** Where the libraries of the libtorch in `dir` are: its `lib/`, or the folder in it that Debian has for each processor. */
export function librariesIn(dir: string): string | undefined {
  return [join(dir, 'lib'), join(dir, 'lib', multiarch[process.arch] ?? process.arch)].find(
    (folder) => existsSync(join(folder, 'libtorch.so')) && existsSync(join(folder, 'libtorch_cpu.so')),
  )
}

/** The libtorch in exactly this folder, `undefined` when its libraries or its version are not there. Nothing is opened. */
export function inspectLibtorch(dir: string): Libtorch | undefined {
  const libraries = librariesIn(dir)
  if (libraries === undefined) return undefined
  const version = readVersion(dir)
  if (version === undefined) return undefined
  const label = version.split('+')[1]
  const variant = label ?? (existsSync(join(libraries, 'libtorch_cuda.so')) ? 'cuda' : 'cpu')
  return { dir, version, variant }
}

/** The wheel states its version in version.py, the C++ archive in build-version, and every build in a header. */
function readVersion(dir: string): string | undefined {
  const python = /^__version__ = '([^']+)'/m.exec(read(join(dir, 'version.py')))?.[1]
  if (python) return python
  const archive = /^\d+\.\d+\.\d+\S*/.exec(read(join(dir, 'build-version')))?.[0]
  if (archive) return archive
  for (const header of ['include/torch/headeronly/version.h', 'include/torch/csrc/api/include/torch/version.h']) {
    const text = read(join(dir, header))
    const parts = ['MAJOR', 'MINOR', 'PATCH'].map((part) => new RegExp(`^#define TORCH_VERSION_${part} (\\d+)`, 'm').exec(text)?.[1])
    if (parts.every((part) => part !== undefined)) return parts.join('.')
  }
  return undefined
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/**
 * Refuses a libtorch of another series than the addon was compiled with: their C++ interfaces differ, and opening it would
 * end in an undefined symbol or a crash.
 *
 * @throws DiffSalError ERR_DIFFSAL_LIBTORCH_VERSION
 */
export function checkSeries(found: LocatedLibtorch, builtWith: BuiltWith): void {
  if (series(found.version) === series(builtWith.version)) return
  throw new DiffSalError(
    'ERR_DIFFSAL_LIBTORCH_VERSION',
    `The addon was compiled with libtorch ${builtWith.version}, but the one in '${found.dir}'${viaVariable(found)} is ${found.version}. ` +
      (found.source === 'DIFFSAL_LIBTORCH'
        ? 'Unset DIFFSAL_LIBTORCH and run `npx diffsal setup`, or run that with it set, which compiles the addon for this one.'
        : 'Run `npx diffsal setup`.'),
    { argument: 'libtorch', expected: `libtorch ${series(builtWith.version)}`, received: `libtorch ${found.version}` },
  )
}

/**
 * Refuses a libtorch that the sources do not compile against.
 *
 * @throws DiffSalError ERR_DIFFSAL_LIBTORCH_VERSION
 */
export function checkSupported(found: LocatedLibtorch): void {
  if (isSupported(found.version)) return
  throw new DiffSalError(
    'ERR_DIFFSAL_LIBTORCH_VERSION',
    `The libtorch in '${found.dir}'${viaVariable(found)} is ${found.version}, but this package needs one from ${supported.first} to ` +
      `${supported.last}. ${found.source === 'DIFFSAL_LIBTORCH' ? 'Unset DIFFSAL_LIBTORCH and run' : 'Run'} \`npx diffsal setup\`.`,
    { argument: 'libtorch', expected: `libtorch ${supported.first} to ${supported.last}`, received: `libtorch ${found.version}` },
  )
}

function viaVariable(found: LocatedLibtorch): string {
  return found.source === 'DIFFSAL_LIBTORCH' ? ' (DIFFSAL_LIBTORCH)' : ''
}
