import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DiffSalError } from '../errors.ts'

/** The package's folder, whether this runs from `lib/` or from `dist/`. */
export function packageRoot(): string {
  return ownPackage().folder
}

/** This package's own version. */
export function packageVersion(): string {
  return ownPackage().version
}

function ownPackage(): { readonly folder: string; readonly version: string } {
  // Of a module that a bundler has turned into CommonJS, nothing is known.
  const url: string | undefined = import.meta.url
  if (url === undefined) throw bundled('a bundle')
  const file = fileURLToPath(url)
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest)) {
      const { name, version } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string; version: string }
      if (name === 'diffsal') return { folder, version }
    }
    if (folder === dirname(folder)) throw bundled(`'${file}'`)
  }
}

function bundled(where: string): DiffSalError {
  return new DiffSalError(
    'ERR_DIFFSAL_ADDON_MISSING',
    `The code of diffsal runs in ${where}, not in its package, so its native addon cannot be found. Leave diffsal out of the bundle ` +
      '(esbuild --external:diffsal, webpack externals, Next.js serverExternalPackages). Without a bundler, install the package again.',
  )
}
