import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type TypeScript from 'typescript'
import { onceARun } from './once-a-run.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Writes a TypeScript file as the JavaScript of an ES module, types unchecked. */
export function transpile(source: string, target: string): void {
  // Here, as it takes a second to load: of the test files that take copies, one a run makes them.
  const ts = createRequire(import.meta.url)('typescript') as typeof TypeScript
  const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      rewriteRelativeImportExtensions: true,
      verbatimModuleSyntax: true,
    },
  })
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, outputText)
}

/** `dist/` from the sources as they are now, which takes some seconds: once a run. */
function compiled(): string {
  return onceARun('dist', (folder) => {
    const lib = join(root, 'lib')
    for (const name of readdirSync(lib, { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.ts') && !name.endsWith('.d.ts')) transpile(join(lib, name), join(folder, name.replace(/\.ts$/, '.js')))
    }
    // What runs in a browser.
    copyFileSync(join(lib, 'view/view-client.js'), join(folder, 'view/view-client.js'))
  })
}

/**
 * A copy of the package at `folder` that plain Node can run: `dist/` made from the sources as they are now, this checkout's
 * dependencies, and no native addon. For what needs a process of its own: signals, exit codes, opening libraries.
 */
export function copyPackage(folder: string): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), readFileSync(join(root, 'package.json')))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  cpSync(compiled(), join(folder, 'dist'), { recursive: true })
  return folder
}
