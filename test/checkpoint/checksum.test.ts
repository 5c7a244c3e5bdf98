import { readFile, writeFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readHeader } from '../../lib/checkpoint/safetensors.ts'
import { DiffSal, presets } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { rewriteWeights } from '../support/rewrite-weights.ts'
import { temporaryPath } from '../support/temporary.ts'
import { lightConfig } from '../support/tiny-config.ts'

const path = temporaryPath('sound.safetensors')
let model: DiffSal
beforeAll(async () => {
  model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
  await model.save(path)
})
afterAll(() => model.dispose())

const load = async (file: string): Promise<void> => (await DiffSal.load(file, { threads: 1 })).dispose()

/** A copy with a byte that is another. */
async function flipped(at: number): Promise<string> {
  const bytes = await readFile(path)
  bytes[at]! ^= 1
  const copy = temporaryPath(`flipped-${at}.safetensors`)
  await writeFile(copy, bytes)
  return copy
}

test('is the CRC-32 of the file, with zeros in its own place', async () => {
  for (const dtype of ['float32', 'float16'] as const) {
    const file = temporaryPath(`${dtype}.safetensors`)
    await model.save(file, { dtype })
    const { metadata } = await readHeader(file)
    const bytes = await readFile(file)
    const stored = metadata.diffsal_crc32!
    bytes.write('00000000', bytes.indexOf(`"diffsal_crc32":"${stored}"`) + 17)
    expect(stored).toBe(crc32(bytes).toString(16).padStart(8, '0'))
  }
})

test('damage anywhere under a sound header is found, and named', async () => {
  await load(path)
  const { dataStart, fileSize } = await readHeader(path)
  for (const at of [dataStart, dataStart + 7, Math.floor((dataStart + fileSize) / 2), fileSize - 1]) {
    const damaged = await flipped(at)
    await expectDiffSalError(() => load(damaged), 'ERR_DIFFSAL_CHECKPOINT', damaged, /damaged.*checksum [\da-f]{8}, but [\da-f]{8} came/)
  }
})

test('damage in the words of the header is found, too', async () => {
  const bytes = await readFile(path)
  const damaged = await flipped(bytes.indexOf('unetWidth') + 12)
  await expectDiffSalError(() => load(damaged), 'ERR_DIFFSAL_CHECKPOINT', damaged)
})

test('files of others, and ours from before, have none and are taken', async () => {
  await load(await rewriteWeights(path, () => undefined))
  await load(presets.scenes.weights)
})

test('a training is not resumed from a checkpoint that is damaged', async () => {
  const file = temporaryPath('training.safetensors')
  await model.trainer({ seed: 1 }).save(file)
  const { tensors } = await readHeader(file)
  const bytes = await readFile(file)
  bytes[tensors.get([...tensors.keys()].find((name) => name.startsWith('training/'))!)!.begin]! ^= 1
  await writeFile(file, bytes)
  await expectDiffSalError(() => DiffSal.resume(file, { threads: 1 }), 'ERR_DIFFSAL_CHECKPOINT', file, /damaged/)
})

test('an abort ends the looking', async () => {
  await expect(DiffSal.load(path, { threads: 1, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
})
