import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { packageFolder } from './run-program.ts'
import { temporaryPath } from './temporary.ts'

/** A new folder of a user who has installed the package, weights and all. */
export function userFolder(name: string): string {
  const folder = temporaryPath(name)
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  symlinkSync(packageFolder(), join(folder, 'node_modules/diffsal'))
  return folder
}

/** Puts a program of `examples/` into a folder as JavaScript that imports the package, and gives its path. */
export function installExample(folder: string, name: string): string {
  const source = readFileSync(join('examples', name), 'utf8').replace("'../lib/index.ts'", "'diffsal'")
  const { outputText } = ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } })
  const path = join(folder, name.replace(/\.ts$/, '.mjs'))
  writeFileSync(path, outputText)
  return path
}
