import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { fakeWheel } from '../../libtorch/zip.ts'
import { makeAddon, makeLibtorch } from '../../support/fake-addon.ts'
import { copyPackage } from '../../support/package-copy.ts'
import { temporaryPath } from '../../support/temporary.ts'

const folder = temporaryPath('package')
const wheel = temporaryPath('torch.whl')
let count = 0

beforeAll(() => {
  copyPackage(folder)
  writeFileSync(wheel, fakeWheel())
  mkdirSync(join(folder, 'scripts'))
  installScript('console.log(`compiling with ${process.argv[2]}`)')
})

/** What stands in for the compilation, which needs a real libtorch. */
function installScript(code: string): void {
  writeFileSync(join(folder, 'scripts/install.mjs'), code)
}

/** `diffsal setup` in a process of its own; what it throws is the last line of stderr. */
function setup(args: readonly string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string; cache: string } {
  const cache = temporaryPath(`cache-${++count}`)
  const program = `
    const { setupCommand } = await import('${join(folder, 'dist/cli/commands/setup.js')}')
    await setupCommand().parseAsync(${JSON.stringify(args)}, { from: 'user' }).catch(({ code, message }) => {
      console.error(code + ' ' + message)
      process.exitCode = 1
    })`
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, DIFFSAL_LIBTORCH: '', DIFFSAL_CACHE: cache, ...env },
  })
  return { ...result, cache }
}

test('--from installs, reports by lines where there is no terminal, and compiles the missing addon', () => {
  const { status, stdout, stderr, cache } = setup(['--from', wheel])
  expect(status, stderr).toBe(0)
  expect(stdout).toBe(
    `libtorch 2.13.0+cpu (cpu) is in '${join(cache, 'libtorch-2.13.0-cpu', 'torch')}'.\n` +
      `The native addon is compiled, since there is none for linux-x64 in '${folder}'.\ncompiling with --native\n`,
  )
  expect(stderr).toMatch(/^(Unpacking libtorch: \d+ % of 0 MB\n)+$/)
  expect(stderr).toContain('100 %')
})

test('--variant auto asks the driver, without an addon through nvidia-smi', () => {
  const programs = temporaryPath('programs')
  mkdirSync(programs)
  writeFileSync(join(programs, 'nvidia-smi'), '#!/bin/sh\necho \'<cuda_version>12.4</cuda_version><gpu id="0"></gpu>\'\n')
  chmodSync(join(programs, 'nvidia-smi'), 0o755)
  const { stderr } = setup(['--variant', 'auto'], { PATH: programs, HTTPS_PROXY: 'http://127.0.0.1:9' })
  expect(stderr).toContain('auto: cpu, for the NVIDIA driver is too old: it supports CUDA up to 12.4, and 13.0 is needed')
  expect(stderr).toContain('libtorch 2.13.0 (cpu) could not be installed')
})

test('compiles only an addon that is missing, of another libtorch, or made for another system', () => {
  const libtorch = makeLibtorch(temporaryPath('libtorch'))
  const release = makeAddon(folder, libtorch)
  writeFileSync(join(release, 'libtorch.json'), '{"version":"2.13.1+cpu"}')
  expect(setup(['--from', libtorch]).stdout).toContain(`The native addon is '${join(release, 'diffsal_core.so')}'.`)
  writeFileSync(join(release, 'libtorch.json'), '{"version":"2.12.0+cpu"}')
  expect(setup(['--from', libtorch]).stdout).toContain('compiling with --native')
  writeFileSync(join(release, 'libtorch.json'), '{"version":"2.13.0+cpu"}')
  writeFileSync(join(release, 'diffsal.node'), 'for another C library')
  expect(setup(['--from', libtorch]).stdout).toMatch(/since the one there cannot be opened \(.*diffsal\.node.*\)\.\ncompiling with --native/)
})

test('compiles in the folder it was started in, to which variables may be relative', () => {
  writeFileSync(join(folder, 'build/Release/libtorch.json'), '{"version":"2.12.0+cpu"}')
  installScript('console.log(`in ${process.cwd()}`)')
  expect(setup(['--from', wheel]).stdout).toContain(`\nin ${process.cwd()}\n`)
})

test('a compilation that fails says what to run afterwards', () => {
  writeFileSync(join(folder, 'build/Release/libtorch.json'), '{"version":"2.12.0+cpu"}')
  installScript('process.exitCode = 1')
  const { status, stderr } = setup(['--from', wheel])
  expect(status).toBe(1)
  expect(stderr).toMatch(/ERR_DIFFSAL_ADDON_MISSING The native addon could not be compiled.*npm run build:native/)
})

test('passes errors on and leaves nothing', () => {
  const { status, stderr, cache } = setup(['--from', wheel, '--variant', 'cu130'])
  expect(status).toBe(1)
  expect(stderr).toContain('ERR_DIFFSAL_LIBTORCH_VERSION libtorch 2.13.0 (cu130) was wanted, but libtorch 2.13.0+cpu (cpu) came.')
  expect(readdirSync(cache)).toEqual([])
  expect(setup(['--variant', 'gpu']).stderr).toContain("ERR_DIFFSAL_INVALID_ARGUMENT 'variant' must be one of 'cpu', 'cu130', 'auto'")
  expect(setup([], { DIFFSAL_LIBTORCH: '/none' }).stderr).toContain("ERR_DIFFSAL_LIBTORCH_MISSING DIFFSAL_LIBTORCH is '/none'")
})
