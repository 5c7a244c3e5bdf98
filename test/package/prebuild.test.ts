import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { compile, makeAddon, makeLibtorch } from '../support/fake-addon.ts'
import { copyPackage } from '../support/package-copy.ts'
import { checkout } from '../support/packed.ts'
import { temporaryPath } from '../support/temporary.ts'

const libtorch = temporaryPath('libtorch')
const whole = temporaryPath('whole')
const build = temporaryPath('build')
const folder = temporaryPath('package')
const prebuilds = join(folder, 'prebuilds/linux-x64')

/** A folder of files, and scripts/prebuild.mjs on it. */
function prebuild(...more: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(folder, 'scripts/prebuild.mjs'), '--from', build, ...more], {
    encoding: 'utf8',
    env: { ...process.env, DIFFSAL_LIBTORCH: '' },
  })
}

beforeAll(() => {
  makeLibtorch(libtorch)
  const made = makeAddon(temporaryPath('made'), libtorch)
  mkdirSync(whole)
  for (const name of ['diffsal.node', 'diffsal_core.so']) cpSync(join(made, name), join(whole, name))
  writeFileSync(join(whole, 'libtorch.json'), JSON.stringify({ version: '2.13.0+cpu', dir: libtorch }))
  copyPackage(folder)
  cpSync(join(checkout, 'scripts'), join(folder, 'scripts'), { recursive: true })
})

beforeEach(() => {
  rmSync(build, { recursive: true, force: true })
  cpSync(whole, build, { recursive: true })
})

/** Replaces the core of the build. */
function core(source: string, ...link: string[]): void {
  compile(join(build, 'diffsal_core.so'), source, link)
}

describe('scripts/prebuild.mjs', () => {
  it('makes them for the platforms that package.json names alone', () => {
    const { status, stderr } = prebuild('--arch', 'riscv64')
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'prebuild: Prebuilds are made for linux-x64, on linux-x64, and for linux-arm64, on either.\n',
    })
    expect(existsSync(prebuilds)).toBe(false)
  })

  it('stages what the package then opens, and leaves the build as it was', () => {
    const { status, stderr } = prebuild()
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(readdirSync(prebuilds).sort()).toEqual(['diffsal.glibc.node', 'diffsal_core.so', 'libtorch.json'])
    expect(JSON.parse(readFileSync(join(prebuilds, 'libtorch.json'), 'utf8'))).toEqual({ version: '2.13.0' })
    for (const name of ['diffsal.node', 'diffsal_core.so']) expect(readFileSync(join(build, name))).toEqual(readFileSync(join(whole, name)))
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([])

    const program = `console.log((await import('${join(folder, 'dist/addon/addon.js')}')).loadAddon().number)`
    const opened = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      env: { ...process.env, DIFFSAL_LIBTORCH: libtorch },
    })
    expect(opened).toMatchObject({ stdout: '42\n', stderr: '' })
  })

  it('takes along a third part when the build made one', () => {
    compile(join(build, 'diffsal_cuda.so'), 'extern "C" int diffsal_cuda_part() { return 1; }', [])
    expect(prebuild()).toMatchObject({ status: 0 })
    expect(readdirSync(prebuilds)).toContain('diffsal_cuda.so')
  })

  it.each<[string, RegExp, () => void]>([
    ['shows its own symbols', /core\.so shows 1 symbols that should be hidden, another/, () => core('extern "C" int another() { return 1; }')],
    ['looks for libraries in a folder', /core\.so has the RUNPATH \/some\/where/, () => core('', '-Wl,-rpath,/some/where')],
    [
      'keeps a path',
      /core\.so keeps a path of this machine, '\/usr\/\S+\.h'/,
      () => core('extern "C" __attribute__((visibility("hidden"))) const char path[] = "in /usr/include/x.h";'),
    ],
    ['needs a newer system', /core\.so needs GLIBC_9\.1, newer than GLIBC_2\.34: build it on an older system/, needNewer],
    [
      'is for another libtorch',
      /compiled with libtorch 2\.12\.1, but prebuilds are for 2\.13\.0/,
      () => writeFileSync(join(build, 'libtorch.json'), '{"version":"2.12.1"}'),
    ],
    [
      'needs what nothing gives',
      /It does not open: The native addon cannot be opened: .*undefined symbol: nowhere/,
      () => core('extern "C" int nowhere(); static int x = nowhere();'),
    ],
    ['is not finished', /not a finished build: diffsal_core\.so is not in it/, () => rmSync(join(build, 'diffsal_core.so'))],
  ])('refuses a build that %s', (_, sentence, spoil) => {
    rmSync(prebuilds, { recursive: true, force: true })
    spoil()
    const { status, stderr } = prebuild()
    expect(stderr).toMatch(sentence)
    expect(stderr).not.toMatch(/\n +at /)
    expect(status).toBe(1)
    expect(existsSync(prebuilds)).toBe(false)
  })
})

/** A core that needs a function of a C library that is not out yet. */
function needNewer(): void {
  const script = temporaryPath('future.map')
  writeFileSync(script, 'GLIBC_9.1 { global: future; };')
  const library = temporaryPath('libfuture.so')
  compile(library, 'extern "C" int future() { return 1; }', [`-Wl,--version-script=${script}`, '-Wl,-soname,libfuture.so'])
  core('extern "C" int future(); static int x = future();', library)
}
