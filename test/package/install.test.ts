import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeAddon, makeLibtorch } from '../support/fake-addon.ts'
import { copyPackage } from '../support/package-copy.ts'
import { checkout } from '../support/packed.ts'
import { temporaryPath } from '../support/temporary.ts'

// An installed package with a prebuilt addon, on a machine without a compiler.
const folder = temporaryPath('app/node_modules/diffsal')
const prebuilds = join(folder, 'prebuilds/linux-x64')
const whole = temporaryPath('whole')
const libtorch = temporaryPath('libtorch')

beforeAll(() => {
  copyPackage(folder)
  for (const path of ['scripts/install.mjs', 'lib/presets/scenes.md']) cpSync(join(checkout, path), join(folder, path))
  makeLibtorch(libtorch)
  const made = makeAddon(temporaryPath('made'), libtorch)
  mkdirSync(whole)
  cpSync(join(made, 'diffsal.node'), join(whole, 'diffsal.glibc.node'))
  cpSync(join(made, 'diffsal_core.so'), join(whole, 'diffsal_core.so'))
  writeFileSync(join(whole, 'libtorch.json'), '{"version":"2.13.0"}')
})

beforeEach(() => {
  rmSync(prebuilds, { recursive: true, force: true })
  cpSync(whole, prebuilds, { recursive: true })
})

function node(args: readonly string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: '/nowhere', DIFFSAL_LIBTORCH: libtorch, ...env },
  })
}

const install = (env?: NodeJS.ProcessEnv) => node(['scripts/install.mjs'], env)
const noTools = /something for it is missing: cmake; a C\+\+ compiler \(g\+\+ or clang\+\+\); make or ninja\. Install it first/

describe("npm's install script", () => {
  it('only sets up libtorch where there is a prebuilt addon that works', () => {
    expect(install()).toMatchObject({ status: 0, stderr: '', stdout: `libtorch 2.13.0+cpu (cpu) in '${libtorch}'\n` })
    expect(existsSync(join(folder, 'build'))).toBe(false)
  })

  it('compiles where there is none, and asks for the tools before it fetches anything', () => {
    rmSync(prebuilds, { recursive: true })
    const { status, stdout, stderr } = install({ DIFFSAL_LIBTORCH: '', DIFFSAL_CACHE: temporaryPath('cache') })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(noTools)
    expect(stderr).not.toMatch(/\n +at /)
  })

  it('compiles where the prebuilt one does not suit the system', () => {
    writeFileSync(join(prebuilds, 'diffsal.glibc.node'), 'for another C library')
    const { status, stdout, stderr } = install()
    expect(status).toBe(1)
    expect(stdout).toMatch(/The native addon is compiled here, since the one there cannot be opened \(.*diffsal\.glibc\.node.*\)\./)
    expect(stderr).toMatch(noTools)
  })

  it('compiles where libtorch is of another series', () => {
    const other = makeLibtorch(temporaryPath('other'), '2.12.0+cpu')
    const { status, stdout, stderr } = install({ DIFFSAL_LIBTORCH: other })
    expect(status).toBe(1)
    expect(stdout).toContain('compiled here, since the one there is for libtorch 2.13.0, not 2.12.0+cpu.')
    expect(stderr).toMatch(noTools)
  })
})

describe('a package whose install script did not run', () => {
  const program = `
    const { devices, presets } = await import('${join(folder, 'dist/index.js')}')
    console.log(presets.scenes.config.size.join())
    try { devices() } catch ({ name, code, message }) { console.log(name, code, message) }`
  const call = () => node(['--input-type=module', '-e', program], { DIFFSAL_LIBTORCH: '', DIFFSAL_CACHE: temporaryPath('empty') })

  it('imports, and its first native call says to run the setup', () => {
    const { stdout, stderr } = call()
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^64,96\nDiffSalError ERR_DIFFSAL_LIBTORCH_MISSING .*Fetch it with `npx diffsal setup`\.\n$/)
  })

  it('says the same where it was not compiled either', () => {
    renameSync(prebuilds, `${prebuilds}-elsewhere`)
    const { stdout, stderr } = call()
    renameSync(`${prebuilds}-elsewhere`, prebuilds)
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^64,96\nDiffSalError ERR_DIFFSAL_ADDON_MISSING There is no native addon .*Compile it with `npx diffsal setup`\.\n$/)
  })
})
