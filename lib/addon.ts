import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { DiffSalError } from './errors.ts'
import { checkSeries, locateLibtorch, type BuiltWith, type Libtorch } from './libtorch/locate.ts'
import { release, series } from './libtorch/releases.ts'
import { packageRoot } from './package-root.ts'

const require = createRequire(import.meta.url)

/** Where the parts of the native addon are; a part that is not there is absent. */
export interface AddonPaths {
  /** The package's own folder. */
  readonly root: string
  /** The torch-free `.node` file. */
  readonly loader?: string
  /** The library beside it that holds the network. */
  readonly core?: string
  /** The libtorch it was compiled with, by its own note or this package's release. */
  readonly builtWith: BuiltWith
}

let opened: { readonly exports: unknown } | undefined

/**
 * The native addon: finds its two files and libtorch, checks that they fit, and opens them. The first success is kept; after a
 * failure the next call tries again.
 *
 * @throws DiffSalError ERR_DIFFSAL_ADDON_MISSING, ERR_DIFFSAL_LIBTORCH_MISSING or ERR_DIFFSAL_LIBTORCH_VERSION, each with its remedy
 */
export function loadAddon(): unknown {
  opened ??= { exports: open() }
  return opened.exports
}

function open(): unknown {
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

  let openLibrary: (path: string) => void
  try {
    ;({ openLibrary } = require(loader) as { openLibrary: (path: string) => void })
  } catch (error) {
    throw unopened(root, loader, error)
  }
  const library = join(libtorch.dir, 'lib', 'libtorch.so')
  try {
    openLibrary(library)
  } catch (error) {
    throw new DiffSalError(
      'ERR_DIFFSAL_LIBTORCH_MISSING',
      `libtorch cannot be opened: ${(error as Error).message}. Install it again with \`npx diffsal setup\`` +
        `${libtorch.source === 'DIFFSAL_LIBTORCH' ? ' and unset DIFFSAL_LIBTORCH' : ''}.`,
      { argument: 'libtorch', received: library, cause: error },
    )
  }
  const module = { exports: {} }
  try {
    process.dlopen(module, core, constants.dlopen.RTLD_NOW)
  } catch (error) {
    throw unopened(root, core, error)
  }
  return module.exports
}

function unopened(root: string, path: string, cause: unknown): DiffSalError {
  return new DiffSalError(
    'ERR_DIFFSAL_ADDON_MISSING',
    `The native addon cannot be opened: ${(cause as Error).message}. Compile it for this machine with \`${buildCommand(root)}\`.`,
    { argument: 'addon', received: path, cause },
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
  const core = join(dirname(loader), 'diffsal_core.so')
  return { root, loader, ...(existsSync(core) ? { core } : {}), builtWith: readBuiltWith(dirname(loader)) }
}

function findLoader(root: string): string | undefined {
  const { path } = require('node-gyp-build') as { path: (root: string) => string }
  try {
    return path(root)
  } catch {
    return undefined
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
