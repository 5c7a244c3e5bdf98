import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { DiffSalError } from '../errors.ts'
import { packageRoot } from '../files/package-root.ts'
import { findLoader, openLoader, type Loader } from '../libtorch/loader.ts'
import { checkSeries, librariesIn, locateLibtorch, type BuiltWith, type Libtorch, type LocatedLibtorch } from '../libtorch/locate.ts'
import { release, series } from '../libtorch/releases.ts'
import { checkTrusted } from '../libtorch/trust.ts'
import { libraryFault, strayFolder, strayLibraries } from './shared-library.ts'

/** Where the parts of the native addon are; a part that is not there is absent. */
export interface AddonPaths {
  /** The package's own folder. */
  readonly root: string
  /** The torch-free `.node` file. */
  readonly loader?: string
  /** The library beside it that holds the network. */
  readonly core?: string
  /** The library beside both for what only CUDA has. */
  readonly cudaPart?: string
  /** The library beside them for training on several processes. */
  readonly glooPart?: string
  /** The library beside that one for sums between NVIDIA's devices. */
  readonly ncclPart?: string
  /** The libtorch it was compiled with, by its own note or this package's release. */
  readonly builtWith: BuiltWith
}

let opened: { readonly exports: unknown; readonly libtorch: LocatedLibtorch } | undefined

/**
 * The native addon: finds its two files and libtorch, checks that they fit, and opens them. The first success is kept; after a
 * failure the next call tries again.
 *
 * @throws DiffSalError ERR_DIFFSAL_ADDON_MISSING (not there, damaged, of another machine), ERR_DIFFSAL_LIBTORCH_MISSING (so too) or
 * ERR_DIFFSAL_LIBTORCH_VERSION (another one, or two in one process), each with its remedy
 */
export function loadAddon(): unknown {
  opened ??= open()
  return opened.exports
}

/** The libtorch that {@link loadAddon} opened, or opens now. */
export function openedLibtorch(): LocatedLibtorch {
  opened ??= open()
  return opened.libtorch
}

function open(): NonNullable<typeof opened> {
  const { root, loader, core, builtWith } = addonPaths()
  if (loader === undefined || core === undefined) {
    throw new DiffSalError(
      'ERR_DIFFSAL_ADDON_MISSING',
      loader === undefined
        ? `There is no native addon for ${process.platform}-${process.arch} in '${root}'. Compile it with \`${buildCommand(root)}\`.`
        : `The native addon is incomplete: diffsal_core.so is not beside '${loader}'. Compile it again with \`${buildCommand(root)}\`.`,
    )
  }
  const libtorch = locateLibtorch({ builtWith })
  checkSeries(libtorch, builtWith)
  for (const path of [loader, core]) {
    const fault = libraryFault(path)
    if (fault !== undefined) throw unopened(root, path, `${fault}: '${path}'`)
  }
  const folder = librariesIn(libtorch.dir)!
  const library = join(folder, 'libtorch.so')
  checkTrusted(libtorch.dir)
  checkWhole(libtorch, folder)
  checkNoOther(folder)
  checkWorkingFolder(library)

  let openLibrary: Loader['openLibrary']
  try {
    ;({ openLibrary } = openLoader(loader))
  } catch (error) {
    throw unopened(root, loader, (error as Error).message, error)
  }
  try {
    openLibrary(library)
  } catch (error) {
    const other = strayFolder(process.env.LD_LIBRARY_PATH, folder)
    throw other === undefined ? unusable(libtorch, library, (error as Error).message, error) : mixed(folder, other, error)
  }
  checkNoOther(folder)
  const module = { exports: {} as { libtorchVersion?: string } }
  try {
    process.dlopen(module, core, constants.dlopen.RTLD_NOW)
  } catch (error) {
    throw unopened(root, core, (error as Error).message, error)
  }
  const { libtorchVersion: version = libtorch.version } = module.exports
  if (series(version) !== series(libtorch.version)) {
    throw unusable(libtorch, library, `its files say that it is ${libtorch.version}, but its libraries are ${version}`)
  }
  return { exports: module.exports, libtorch }
}

/** Refuses a libtorch of which a part is no whole library. */
function checkWhole(libtorch: LocatedLibtorch, folder: string): void {
  for (const name of readdirSync(folder).filter((name) => /^lib(torch(_cpu|_cuda)?|c10(_cuda)?|gomp(-[0-9a-f]+)?)\.so(\.\d+)*$/.test(name))) {
    if (!existsSync(join(folder, name))) continue // a link that leads nowhere, maybe to what is not needed
    const fault = libraryFault(join(folder, name))
    if (fault !== undefined) throw unusable(libtorch, join(folder, name), `${fault}: '${join(folder, name)}'`)
  }
}

/** Refuses to go on in a process that has parts of another libtorch: the two would call each other. */
function checkNoOther(folder: string): void {
  const [stray] = strayLibraries(folder)
  if (stray !== undefined) throw mixed(folder, dirname(stray))
}

/** Refuses to go on in a folder that was removed: the mathematics library in libtorch would end the process. */
function checkWorkingFolder(received: string): void {
  let folder: string
  try {
    folder = readlinkSync('/proc/self/cwd')
  } catch {
    return // a container without /proc
  }
  if (!folder.endsWith(' (deleted)') || existsSync(folder)) return
  throw new DiffSalError(
    'ERR_DIFFSAL_LIBTORCH_MISSING',
    `libtorch cannot be opened in a folder that is gone: '${folder.slice(0, -' (deleted)'.length)}' was removed since this process was started there. ` +
      'Start it in another folder, or call process.chdir() first.',
    { argument: 'libtorch', received },
  )
}

function unusable(libtorch: LocatedLibtorch, library: string, why: string, cause?: unknown): DiffSalError {
  // The first word of dlopen's is the library that it could not open.
  const lacking = libtorch.variant === 'cpu' ? undefined : /^(lib(?:cu|nv|nccl)[^/\s:]*\.so[.\d]*): cannot open/.exec(why)?.[1]
  if (lacking !== undefined) return lacksCuda(libtorch, library, lacking, cause)
  return new DiffSalError(
    'ERR_DIFFSAL_LIBTORCH_MISSING',
    `libtorch cannot be opened: ${why}. ` +
      `${libtorch.source === 'DIFFSAL_LIBTORCH' ? 'Install it again there, or unset DIFFSAL_LIBTORCH and run' : beginning(libtorch, 'run')} ` +
      '`npx diffsal setup`.',
    { argument: 'libtorch', received: library, cause },
  )
}

/** How a remedy begins: what the cache has is in the way of another, and what the addon was compiled with is the user's own. */
function beginning({ source, dir }: LocatedLibtorch, verb: string): string {
  return source === 'cache' ? `Remove '${dir}' and ${verb}` : verb[0]!.toUpperCase() + verb.slice(1)
}

function lacksCuda(libtorch: LocatedLibtorch, received: string, lacking: string, cause: unknown): DiffSalError {
  const { variant, source } = libtorch
  const unset = source === 'DIFFSAL_LIBTORCH' ? ' and unset DIFFSAL_LIBTORCH' : ''
  const setup = (wanted: string): string => `with \`npx diffsal setup --variant ${wanted}\`${unset}`
  return new DiffSalError(
    'ERR_DIFFSAL_LIBTORCH_MISSING',
    `libtorch cannot be opened: it is a CUDA build (${variant}), and CUDA's own library ${lacking} was not found. ` +
      `${beginning(libtorch, 'install')} the build that brings its libraries ${setup('cu130')}, or the CPU build ${setup('cpu')}.`,
    { argument: 'libtorch', received, cause },
  )
}

function mixed(folder: string, other: string, cause?: unknown): DiffSalError {
  const variables = ['LD_PRELOAD', 'LD_LIBRARY_PATH'].filter((name) => process.env[name])
  const remedy = variables.length > 0 ? `Unset ${variables.join(' and ')}` : 'Use diffsal in a process of its own'
  return new DiffSalError(
    'ERR_DIFFSAL_LIBTORCH_VERSION',
    `Two libtorchs would be mixed: the one for diffsal is in '${folder}', but this process has, or finds first, the one in '${other}'. ` +
      `${remedy}, or set DIFFSAL_LIBTORCH so that both are the same.`,
    { argument: 'libtorch', expected: `the libraries in '${folder}'`, received: `those in '${other}'`, cause },
  )
}

function unopened(root: string, path: string, why: string, cause?: unknown): DiffSalError {
  return new DiffSalError(
    'ERR_DIFFSAL_ADDON_MISSING',
    `The native addon cannot be opened: ${why}. Compile it for this machine with \`${buildCommand(root)}\`.`,
    { argument: 'addon', received: path, cause: cause ?? new Error(why) },
  )
}

/** How to compile an addon that is missing or does not work: as a dependency of something, or in a checkout. */
export function buildCommand(root: string): string {
  return root.includes(`${sep}node_modules${sep}`) ? 'npx diffsal setup' : 'npm run build:native'
}

/**
 * Why the addon has to be compiled before it works with this libtorch; `undefined` when it works. It is opened, since only that shows
 * whether a prebuilt one suits this system's C and C++ libraries.
 */
export function whyCompile({ version }: Pick<Libtorch, 'version'>): string | undefined {
  const { root, core, builtWith } = addonPaths()
  if (core === undefined) return `there is none for ${process.platform}-${process.arch} in '${root}'`
  if (series(builtWith.version) !== series(version)) return `the one there is for libtorch ${builtWith.version}, not ${version}`
  try {
    loadAddon()
  } catch (error) {
    if (!(error instanceof DiffSalError)) throw error
    if (error.code === 'ERR_DIFFSAL_ADDON_MISSING') return `the one there cannot be opened (${(error.cause as Error).message})`
  }
  return undefined
}

/** Looks for the addon in `build/Release`, then among the prebuilds for this platform. Opens nothing. */
export function addonPaths(): AddonPaths {
  const root = packageRoot()
  const loader = findLoader(root)
  if (loader === undefined) return { root, builtWith: { version: release.version } }
  const beside = (name: string): string | undefined => [join(dirname(loader), name)].find(existsSync)
  const [core, cudaPart, glooPart, ncclPart] = ['core', 'cuda', 'gloo', 'nccl'].map((part) => beside(`diffsal_${part}.so`))
  return {
    root,
    loader,
    ...(core === undefined ? {} : { core }),
    ...(cudaPart === undefined ? {} : { cudaPart }),
    ...(glooPart === undefined ? {} : { glooPart }),
    ...(ncclPart === undefined ? {} : { ncclPart }),
    builtWith: readBuiltWith(dirname(loader)),
  }
}

/** The note that the install script leaves beside the addon. */
function readBuiltWith(folder: string): BuiltWith {
  try {
    const note = JSON.parse(readFileSync(join(folder, 'libtorch.json'), 'utf8')) as Partial<Record<keyof BuiltWith, unknown>>
    if (typeof note.version === 'string') return { version: note.version, ...(typeof note.dir === 'string' ? { dir: note.dir } : {}) }
  } catch {
    // A prebuilt addon without a note is this package's release.
  }
  return { version: release.version }
}
