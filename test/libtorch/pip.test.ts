import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { pipDownload } from '../../lib/libtorch/pip.ts'
import { release } from '../../lib/libtorch/releases.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { packageFolder } from '../support/run-program.ts'
import { temporaryPath } from '../support/temporary.ts'
import { fakePip } from './fake-pip.ts'
import { fakeWheel } from './zip.ts'

const metadata = `Metadata-Version: 2.4
Name: torch
Requires-Dist: filelock
Requires-Dist: cuda-toolkit[cublas,cudart]==13.0.2; platform_system == "Linux"
Requires-Dist: cuda-bindings<14,>=13.0.3; platform_system == "Linux"
Requires-Dist: nvidia-cudnn-cu13==9.20.0.48; platform_system == "Linux"
Requires-Dist: nvidia-extra; extra == "all"
`
const cpuWheel = temporaryPath('torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl')
writeFileSync(cpuWheel, fakeWheel())
const cudaWheel = temporaryPath('torch-2.13.0+cu130-cp311-cp311-manylinux_2_28_x86_64.whl')
writeFileSync(cudaWheel, fakeWheel('2.13.0+cu130', [{ name: 'torch-2.13.0+cu130.dist-info/METADATA', data: metadata }]))

function folder(name: string): string {
  const path = temporaryPath(name)
  mkdirSync(path)
  return path
}

test('asks without an index first, and no further when the wheel is at hand', async () => {
  const pip = fakePip(temporaryPath('pip-at-hand'), `/bin/cp '${cpuWheel}' "$dest"`)
  const wheels = await pipDownload(release, 'cpu', folder('at-hand'), { env: { PATH: pip.PATH } })
  expect(wheels.map((path) => basename(path))).toEqual([basename(cpuWheel)])
  expect(pip.calls()).toEqual(['--no-deps --no-index torch==2.13.0+cpu'])
})

test("then the user's index, then the project's own", async () => {
  const pip = fakePip(
    temporaryPath('pip-index'),
    `case "$args" in *extra-index*) /bin/cp '${cpuWheel}' "$dest" ;; *) echo 'ERROR: No matching distribution' >&2; exit 1 ;; esac`,
  )
  await pipDownload(release, 'cpu', folder('index'), { env: { PATH: pip.PATH } })
  expect(pip.calls()).toEqual([
    '--no-deps --no-index torch==2.13.0+cpu',
    '--no-deps torch==2.13.0+cpu',
    `--no-deps --extra-index-url=${release.builds.cpu.index} torch==2.13.0+cpu`,
  ])
})

test("asks for the platform of each of CUDA's wheels, which pip takes by the letter", async () => {
  const pip = fakePip(temporaryPath('pip-platforms'), `echo "$platforms" >'${temporaryPath('platforms')}'; /bin/cp '${cpuWheel}' "$dest"`)
  await pipDownload(release, 'cpu', folder('platforms-dest'), { env: { PATH: pip.PATH } })
  const asked = readFileSync(temporaryPath('platforms'), 'utf8').trim().split(' ')
  // Those of torch, cublas, cupti, nccl, cudnn, nvrtc and nvtx, as they were published for 2.13 and 2.14.
  const tags = ['manylinux_2_28', 'manylinux_2_27', 'manylinux_2_25', 'manylinux_2_18', 'manylinux2014', 'manylinux_2_12', 'manylinux_2_5']
  expect(asked).toEqual(expect.arrayContaining(tags.map((tag) => `${tag}_x86_64`)))
})

test('asks for the wheel of another processor where it is told to', async () => {
  const pip = fakePip(temporaryPath('pip-arm64'), `echo "$platforms" >'${temporaryPath('arm64-platforms')}'; /bin/cp '${cpuWheel}' "$dest"`)
  await pipDownload(release, 'cpu', folder('arm64-dest'), { env: { PATH: pip.PATH }, arch: 'arm64' })
  const asked = readFileSync(temporaryPath('arm64-platforms'), 'utf8').trim().split(' ')
  expect(asked).toContain('manylinux_2_28_aarch64')
  expect(asked.filter((tag) => !tag.endsWith('_aarch64'))).toEqual([])
})

test("for CUDA it brings CUDA's own wheels, and nothing that only Python needs", async () => {
  const pip = fakePip(
    temporaryPath('pip-cuda'),
    `case "$args" in *nvidia*) echo x >"$dest/nvidia_cublas-13.0-py3-none-any.whl" ;; *) /bin/cp '${cudaWheel}' "$dest" ;; esac`,
  )
  const wheels = await pipDownload(release, 'cu130', folder('cuda'), { env: { PATH: pip.PATH } })
  expect(wheels.map((path) => basename(path))).toEqual([basename(cudaWheel), 'nvidia_cublas-13.0-py3-none-any.whl'])
  expect(pip.calls()[1]).toBe(
    '--no-index cuda-toolkit[cublas,cudart]==13.0.2; platform_system == "Linux" nvidia-cudnn-cu13==9.20.0.48; platform_system == "Linux"',
  )
})

test('a failure tells every attempt and what pip said', async () => {
  const pip = fakePip(temporaryPath('pip-fails'), "echo 'WARNING: retrying' >&2; echo 'ERROR: No matching distribution' >&2; exit 1")
  await expectDiffSalError(
    () => pipDownload(release, 'cpu', folder('fails'), { env: { PATH: pip.PATH } }),
    'ERR_DIFFSAL_LIBTORCH_MISSING',
    '--no-index: No matching distribution',
    `--extra-index-url=${release.builds.cpu.index}: No matching distribution`,
  )
})

test('no pip, and a full disk', async () => {
  await expectDiffSalError(
    () => pipDownload(release, 'cpu', folder('no-pip'), { env: { PATH: folder('empty-path') } }),
    'ERR_DIFFSAL_LIBTORCH_MISSING',
    'there is no pip',
  )
  const pip = fakePip(temporaryPath('pip-full'), "echo 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device' >&2; exit 1")
  await expectDiffSalError(() => pipDownload(release, 'cpu', folder('full'), { env: { PATH: pip.PATH } }), 'ERR_DIFFSAL_NO_SPACE', 'disk is full')
  expect(pip.calls()).toHaveLength(1)
})

test('runs nothing of the working folder, wherever it is called from', async () => {
  const evil = folder('evil')
  const proof = temporaryPath('evil-ran')
  const code = `open(${JSON.stringify(proof)}, 'a').write('x')\n`
  mkdirSync(join(evil, 'pip'))
  // What `python3 -m pip` would find first, and what pip imports.
  for (const name of ['pip/__init__.py', 'pip/__main__.py', 'logging.py', 'socket.py', 'sitecustomize.py']) writeFileSync(join(evil, name), code)
  for (const name of ['python3', 'pip3']) writeFileSync(join(evil, name), `#!/bin/sh\necho x >>'${proof}'\n`, { mode: 0o755 })
  const ours = folder('isolated')
  const calls = temporaryPath('isolated-calls')
  const bin = folder('isolated-bin')
  // The system's own where there is one, so that its rules of looking for modules are what is tried.
  const python = ['/usr/bin/python3', '/usr/local/bin/python3'].find(existsSync)
  writeFileSync(join(bin, 'python3'), `#!/bin/sh\necho "$PWD $1" >>'${calls}'\n${python === undefined ? 'exit 1' : `exec ${python} "$@"`}\n`, { mode: 0o755 })
  const program = `
    import { pipDownload } from ${JSON.stringify(join(packageFolder(), 'dist/libtorch/pip.js'))}
    await pipDownload({ version: '0.0.0', builds: { cpu: { index: 'http://127.0.0.1:9/' } } }, 'cpu', ${JSON.stringify(ours)}, {
      env: { PATH: ${JSON.stringify(`.:${bin}:`)}, PIP_INDEX_URL: 'http://127.0.0.1:9/', PIP_RETRIES: '0' } }).catch(() => undefined)`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: evil, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(existsSync(proof)).toBe(false)
  const lines = readFileSync(calls, 'utf8').trim().split('\n')
  expect(lines.every((line) => line === `${realpathSync(ours)} -I`)).toBe(true)
})
