import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { makeAddon, makeLibtorch } from '../../support/fake-addon.ts'
import { driverEnv, h200, makeDriver, makeNoDriver } from '../../support/fake-driver.ts'
import { copyPackage } from '../../support/package-copy.ts'
import { temporaryPath } from '../../support/temporary.ts'

const folder = temporaryPath('package')
const programs = temporaryPath('programs')
const ffmpeg = join(programs, 'ffmpeg')
const libtorch = temporaryPath('libtorch')
const noDriver = makeNoDriver(temporaryPath('no-driver'))

beforeAll(() => {
  copyPackage(folder)
  makeAddon(folder, makeLibtorch(libtorch))
  mkdirSync(programs)
  writeFileSync(ffmpeg, "#!/bin/sh\necho 'ffmpeg version 7.1.1 Copyright'\n")
  chmodSync(ffmpeg, 0o755)
})

/** `diffsal doctor` in a process of its own. */
function doctor(args: readonly string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string } {
  const program = `
    const { doctorCommand } = await import('${join(folder, 'dist/cli/commands/doctor.js')}')
    await doctorCommand().parseAsync(${JSON.stringify(args)}, { from: 'user' })`
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, DIFFSAL_LIBTORCH: libtorch, DIFFSAL_CACHE: temporaryPath('cache'), DIFFSAL_FFMPEG: ffmpeg, LD_LIBRARY_PATH: noDriver, ...env },
  })
}

test('everything there: one line each, exit code 0', () => {
  const { status, stdout, stderr } = doctor([])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout.split('\n')).toEqual([
    `ok       node      ${process.versions.node}`,
    `ok       addon     '${join(folder, 'build/Release/diffsal_core.so')}'`,
    `ok       libtorch  2.13.0+cpu (cpu) in '${libtorch}' (from DIFFSAL_LIBTORCH)`,
    expect.stringMatching(
      /^ok {7}devices {3}cpu \(.* GiB, .* GiB free\); libtorch 2\.13\.0 works; no CUDA: libtorch 2\.13\.0\+cpu is a CPU build, and no NVIDIA driver was found \(.*\)\.$/,
    ),
    `ok       ffmpeg    7.1.1 in '${ffmpeg}' (from DIFFSAL_FFMPEG)`,
    expect.stringMatching(/^ok {7}sharp {5}\d+\.\d+\.\d+, libvips \d+\.\d+\.\d+$/),
    '',
    'Everything is there.',
    '',
  ])
})

test('CUDA devices are told with their memory, and beside a CPU libtorch how to use them', () => {
  const driver = driverEnv(makeDriver(temporaryPath('driver')), { devices: [h200] })
  const devicesOf = (env: Record<string, string>) => /^ok {7}devices {3}(.*)$/m.exec(doctor([], env).stdout)?.[1]
  expect(devicesOf({ ...driver, FAKE_TORCH_CUDA: '13000', FAKE_TORCH_DEVICES: '1' })).toMatch(
    / GiB free\), cuda:0 \(NVIDIA H200, compute capability 9\.0, 139\.7 GiB, 111\.8 GiB free\); libtorch 2\.13\.0 works$/,
  )
  expect(devicesOf(driver)).toMatch(
    /; no CUDA: .* is a CPU build, though the NVIDIA driver has cuda:0 \(NVIDIA H200\)\. To use it, unset DIFFSAL_LIBTORCH and run `npx diffsal setup --variant auto`\.$/,
  )
})

test('--json says the same to programs', () => {
  const { status, stdout } = doctor(['--json'])
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    node: { ok: true, version: process.versions.node },
    addon: { ok: true, core: join(folder, 'build/Release/diffsal_core.so') },
    libtorch: { ok: true, dir: libtorch, version: '2.13.0+cpu', variant: 'cpu', source: 'DIFFSAL_LIBTORCH' },
    devices: { ok: true, list: [{ id: 'cpu', type: 'cpu' }], driver: { found: false, devices: [] }, noCuda: { remedy: expect.any(String) as string } },
    ffmpeg: { ok: true, path: ffmpeg, version: '7.1.1' },
  })
})

test('each missing thing has its remedy, and the exit code is 5', () => {
  const env = { DIFFSAL_LIBTORCH: '', DIFFSAL_FFMPEG: '/none/ffmpeg' }
  const { status, stdout, stderr } = doctor([], env)
  expect({ status, stderr }).toEqual({ status: 5, stderr: '' })
  expect(stdout).toMatch(/^missing {2}libtorch {2}libtorch 2\.13 was not found.*`npx diffsal setup`\.$/m)
  expect(stdout).toMatch(/^missing {2}devices {3}/m)
  expect(stdout).toMatch(/^missing {2}ffmpeg {4}.*DIFFSAL_FFMPEG.*\/none\/ffmpeg/m)
  expect(stdout).toMatch(/^ok {7}addon/m)
  expect(JSON.parse(doctor(['--json'], env).stdout)).toMatchObject({
    ok: false,
    libtorch: { ok: false, code: 'ERR_DIFFSAL_LIBTORCH_MISSING' },
    ffmpeg: { ok: false, code: 'ERR_DIFFSAL_FFMPEG_MISSING' },
  })
})

test('an addon that cannot be opened is told under devices; one that is not there under addon', () => {
  writeFileSync(join(folder, 'build/Release/diffsal_core.so'), 'no library')
  const broken = doctor([])
  expect(broken.status).toBe(5)
  expect(broken.stdout).toMatch(/^missing {2}devices {3}The native addon cannot be opened: .*`npm run build:native`\.$/m)
  rmSync(join(folder, 'build'), { recursive: true })
  const none = doctor([])
  expect(none.status).toBe(5)
  expect(none.stdout).toMatch(/^missing {2}addon {5}There is none in .*`npm run build:native`\.$/m)
})
