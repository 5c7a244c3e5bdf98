import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'

const lib = fileURLToPath(new URL('../../lib', import.meta.url))

/** Writes a TypeScript file as the JavaScript of an ES module, types unchecked. */
export async function transpile(source: string, target: string): Promise<void> {
  // Here, as it takes a while to load, and most test files transpile nothing.
  const { transformWithOxc } = await import('vite')
  const { code } = await transformWithOxc(readFileSync(source, 'utf8'), source, {
    target: 'es2022',
    sourcemap: false,
    typescript: { rewriteImportExtensions: 'rewrite', onlyRemoveTypeImports: true },
  })
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, code)
}

/** Makes `folder` what `dist/` would be of the sources as they are now. */
export async function compileLib(folder: string): Promise<void> {
  for (const name of readdirSync(lib, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.ts') && !name.endsWith('.d.ts')) await transpile(join(lib, name), join(folder, name.replace(/\.ts$/, '.js')))
  }
  // What runs in a browser.
  copyFileSync(join(lib, 'view/view-client.js'), join(folder, 'view/view-client.js'))
}

/**
 * Lets test files import `lib/` as the JavaScript that this run made of it, which Node loads by itself: the sources by way of vitest take each
 * process three times as long. A mock of vitest's does not reach what Node loads.
 */
export function useCompiledLib(): Plugin {
  let watches = false
  return {
    name: 'compiled-lib',
    enforce: 'pre',
    // What is edited is to be seen.
    configureVitest: ({ vitest }) => void (watches = vitest.config.watch),
    resolveId(source, importer) {
      if (watches || importer === undefined || !source.startsWith('.') || !source.endsWith('.ts')) return undefined
      const inside = relative(lib, resolve(dirname(importer), source))
      return inside.startsWith('..') ? undefined : join(process.env.DIFFSAL_TEST_LIB!, inside.replace(/\.ts$/, '.js'))
    },
  }
}
