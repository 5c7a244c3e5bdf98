import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { NpyWriter } from '../../lib/media/npy.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

/** Reads a .npy file by the format's own description. */
function readNpy(path: string): { header: string; shape: number[]; data: Float32Array } {
  const file = readFileSync(path)
  expect(file.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\x00')
  const length = file.readUInt16LE(8)
  const header = file.subarray(10, 10 + length).toString('latin1')
  expect((10 + length) % 64).toBe(0)
  expect(header.endsWith('\n')).toBe(true)
  const shape = /'shape': \(([^)]*)\)/.exec(header)![1]!.split(',').map(Number)
  const body = file.subarray(10 + length)
  return { header, shape, data: new Float32Array(body.buffer.slice(body.byteOffset, body.byteOffset + body.length)) }
}

test('maps come back as they were', async () => {
  const path = temporaryPath('folder/inside/maps.npy')
  const writer = await NpyWriter.create(path, [3, 5])
  const all = Float32Array.from({ length: 4 * 15 }, (_, i) => Math.sin(i))
  for (let k = 0; k < 4; k++) await writer.write(24 * k, all.subarray(15 * k, 15 * (k + 1)))
  await writer.finish()
  expect(existsSync(path)).toBe(false)
  await writer.commit()
  await writer.discard()
  const { header, shape, data } = readNpy(path)
  expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \(4, 3, 5\), \} +\n$/)
  expect(shape).toEqual([4, 3, 5])
  expect(data).toEqual(all)
  expect(readdirSync(dirname(path))).toEqual(['maps.npy'])
})

test('an existing file is replaced at the end and not before', async () => {
  const path = temporaryPath('old.npy')
  writeFileSync(path, 'old')
  const writer = await NpyWriter.create(path, [1, 2])
  await writer.write(0, Float32Array.of(1, 2))
  await writer.finish()
  expect(readFileSync(path, 'utf8')).toBe('old')
  await writer.commit()
  expect(readNpy(path).data).toEqual(Float32Array.of(1, 2))
})

test('discarding leaves neither file nor folder', async () => {
  const path = temporaryPath('gone/deep/maps.npy')
  const writer = await NpyWriter.create(path, [1, 2])
  await writer.write(0, Float32Array.of(1, 2))
  await writer.discard()
  expect(existsSync(temporaryPath('gone'))).toBe(false)
})

test('places that cannot be written', async () => {
  const folder = dirname(temporaryPath('x'))
  await expectDiffSalError(() => NpyWriter.create(folder, [1, 2]), 'ERR_DIFFSAL_FILE', 'is a directory')
  writeFileSync(temporaryPath('file'), '')
  await expectDiffSalError(() => NpyWriter.create(temporaryPath('file/maps.npy'), [1, 2]), 'ERR_DIFFSAL_FILE', 'Cannot write')
})
