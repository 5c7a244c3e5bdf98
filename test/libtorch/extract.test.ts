import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { extractArchive, targetOf } from '../../lib/libtorch/extract.ts'
import type { Progress } from '../../lib/libtorch/progress.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { fakeWheel, makeZip, type ZipFile } from './zip.ts'

function archive(name: string, content: Buffer): { path: string; folder: string } {
  const path = temporaryPath(`${name}.whl`)
  writeFileSync(path, content)
  return { path, folder: temporaryPath(name) }
}

test('unpacks the needed files only, with their permissions and progress to the end', async () => {
  const { path, folder } = archive('whole', fakeWheel())
  const progress: Progress[] = []
  await extractArchive(path, folder, (step) => progress.push(step))
  expect(readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()).toEqual([
    'torch',
    'torch/include',
    'torch/include/ATen',
    'torch/include/ATen/ATen.h',
    'torch/lib',
    'torch/lib/libtorch.so',
    'torch/lib/libtorch_cpu.so',
    'torch/version.py',
  ])
  expect(statSync(join(folder, 'torch/lib/libtorch.so')).mode & 0o111).not.toBe(0)
  expect(statSync(join(folder, 'torch/version.py')).mode & 0o111).toBe(0)
  expect(readFileSync(join(folder, 'torch/lib/libtorch_cpu.so'), 'latin1')).toBe('x'.repeat(300_000))
  const last = progress.at(-1)
  expect(last?.done).toBe(last?.total)
  expect(last?.total).toBeGreaterThan(300_000)
})

test.each([
  ['torch/lib/libtorch_cpu.so', 'torch/lib/libtorch_cpu.so'],
  ['libtorch/lib/libtorch_cpu.so', 'torch/lib/libtorch_cpu.so'],
  ['libtorch/build-version', 'torch/build-version'],
  ['torch/lib/libgomp-24e2ab19.so.1', 'torch/lib/libgomp-24e2ab19.so.1'],
  ['torch/lib/libtorch_cuda_linalg.so', 'torch/lib/libtorch_cuda_linalg.so'],
  ['libtorch/lib/libcudnn_adv.so.9', 'torch/lib/libcudnn_adv.so.9'],
  ['torch/share/cmake/Torch/TorchConfig.cmake', 'torch/share/cmake/Torch/TorchConfig.cmake'],
  ['nvidia/cu13/lib/libcudart.so.13', 'nvidia/cu13/lib/libcudart.so.13'],
  ['nvidia/cu13/include/cuda.h', undefined],
  ['torch/lib/libtorch_python.so', undefined],
  ['torch/lib/libtorchbind_test.so', undefined],
  ['torch/include/pybind11/pybind11.h', undefined],
  ['torch/nn/modules/conv.py', undefined],
  ['torch-2.13.0+cpu.dist-info/METADATA', undefined],
])('%s goes to %s', (name, target) => {
  expect(targetOf(name)).toBe(target)
})

test.each(['../escaped.h', 'torch/include/ATen/../../../../escaped.h', '/escaped.h', 'torch\\..\\..\\escaped.h'])(
  'refuses the entry %s and writes nothing outside',
  async (name) => {
    const { path, folder } = archive(`slip-${name.length}`, fakeWheel('2.13.0+cpu', [{ name, data: 'out' }]))
    await expectDiffSalError(() => extractArchive(path, folder), 'ERR_DIFFSAL_FILE', 'damaged')
    expect(existsSync(folder)).toBe(false)
    expect(existsSync(temporaryPath('escaped.h'))).toBe(false)
  },
)

const broken: [string, Buffer, string][] = [
  ['a text', Buffer.from('<html>Not found</html>'), 'not a zip or wheel'],
  ['an empty file', Buffer.alloc(0), 'not a zip or wheel'],
  ['the first half', fakeWheel().subarray(0, 400), 'not a zip or wheel'],
  ['a wrong checksum', wheelWith({ name: 'torch/include/c10/a.h', data: 'text', crc: 1 }), "checksum of 'torch/include/c10/a.h' is wrong"],
  ['a symbolic link', wheelWith({ name: 'torch/include/c10/a.h', data: '/etc/passwd', mode: 0o120777 }), 'symbolic link'],
]
/** A zip with these bytes before its end record, which counts one entry that may be anywhere (zip64 says where). */
function zip64(locator: (buffer: Buffer) => void, record: (buffer: Buffer) => void = () => undefined): Buffer {
  const [first, second, end] = [Buffer.alloc(56), Buffer.alloc(20), Buffer.alloc(22, 0xff)]
  first.writeUInt32LE(0x06064b50)
  record(first)
  second.write('PK\x06\x07', 'latin1')
  locator(second)
  end.write('PK\x05\x06\0\0\0\0', 'latin1')
  end.writeUInt16LE(0, 20)
  return Buffer.concat([Buffer.alloc(44), first, second, end])
}

test.each([
  ['a zip64 locator beyond 2^53', zip64((buffer) => buffer.fill(0xff, 8, 16)), 'outside of the file'],
  ['a zip64 locator past the end', zip64((buffer) => buffer.writeUInt32LE(1000, 8)), 'outside of the file'],
  [
    'a zip64 directory beyond 2^53',
    zip64(
      (buffer) => buffer.writeUInt32LE(44, 8),
      (buffer) => buffer.fill(0xff, 32),
    ),
    'outside of the file',
  ],
])('refuses %s, and the process lives on', async (name, content, part) => {
  const { path, folder } = archive(name.replaceAll(/\W/g, '-'), content)
  await expectDiffSalError(() => extractArchive(path, folder), 'ERR_DIFFSAL_FILE', path, part)
})

test.each(broken)('refuses %s', async (name, content, part) => {
  const { path, folder } = archive(name.replaceAll(' ', '-'), content)
  await expectDiffSalError(() => extractArchive(path, folder), 'ERR_DIFFSAL_FILE', path, part)
})

function wheelWith(file: ZipFile): Buffer {
  return makeZip([{ name: 'torch/version.py', data: '' }, file])
}

test('names an archive that is not there', async () => {
  await expectDiffSalError(() => extractArchive(temporaryPath('none.whl'), temporaryPath('none')), 'ERR_DIFFSAL_FILE', 'none.whl', 'does not exist')
})
