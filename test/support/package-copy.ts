import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/**
 * A copy of the package at `folder` that plain Node can run: `dist/` made from the sources as they are now, this checkout's
 * dependencies, and no native addon. For what needs a process of its own: signals, exit codes, opening libraries.
 */
export function copyPackage(folder: string): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), readFileSync(join(root, 'package.json')))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  cpSync(process.env.DIFFSAL_TEST_LIB!, join(folder, 'dist'), { recursive: true })
  return folder
}
