import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DiffSalError } from '../errors.ts'

const require = createRequire(import.meta.url)

/** The package's folder, whether this runs from `lib/` or from `dist/`. */
export function packageRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest) && (require(manifest) as { name?: string }).name === 'diffsal') return folder
    if (folder === dirname(folder)) {
      throw new DiffSalError(
        'ERR_DIFFSAL_ADDON_MISSING',
        'The package is incomplete: no package.json of diffsal is above its code. Install it again.',
      )
    }
  }
}
