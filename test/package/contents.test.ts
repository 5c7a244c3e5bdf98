import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publint } from 'publint'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkout, pack, release, type Packed } from '../support/packed.ts'

let folder: string
let packed: Packed
let bytes: Buffer
beforeAll(() => {
  folder = release()
  packed = pack(folder, 'packed')
  bytes = readFileSync(packed.path)
}, 180_000)

/** The files in a folder of the checkout, however deep, with that folder's name before them. */
function filesOf(name: string): string[] {
  const entries = readdirSync(join(checkout, name), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(checkout.length + 1))
}

describe('the package that npm makes', () => {
  it('holds what users need and nothing else, in less than 22 MB', () => {
    const compiled = filesOf('lib')
      .filter((path) => /\.[jt]s$/.test(path))
      .map((path) => path.replace(/^lib/, 'dist').replace(/\.[jt]s$/, ''))
    expect([...packed.files].sort()).toEqual(
      [
        ...['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE'],
        ...compiled.flatMap((path) => [`${path}.js`, `${path}.d.ts`]),
        ...['lib/presets/gaze.safetensors', 'lib/presets/gaze.md', 'lib/presets/scenes.safetensors', 'lib/presets/scenes.md'],
        // What a machine without a prebuilt addon compiles.
        ...['CMakeLists.txt', 'scripts/install.mjs', 'native/exports.map'],
        ...filesOf('native').filter((path) => /\.(cpp|h)$/.test(path)),
      ].sort(),
    )
    expect(packed.size).toBeLessThan(22e6)
  })

  it('points to no source maps, since the sources are not in it', () => {
    const pointing = packed.files.filter((path) => path.startsWith('dist/') && readFileSync(join(folder, path), 'utf8').includes('sourceMappingURL'))
    expect(pointing).toEqual([])
  })

  it('is as publint wants it', async () => {
    const { messages } = await publint({ level: 'suggestion', pack: { tarball: new Uint8Array(bytes).buffer } })
    expect(messages).toEqual([])
  })

  it('has types that are right for every way of importing', async () => {
    const result = await checkPackage(createPackageFromTarballData(bytes))
    if (!result.types) return expect.fail('no types are in it')
    // The package is an ES module only, which `require` takes too in the Node that it asks for, 20.19 or newer; the clean-room test requires it.
    const found = result.problems.filter(({ kind }) => kind !== 'CJSResolvesToESM')
    expect(found).toEqual([])
  }, 60_000)
})
