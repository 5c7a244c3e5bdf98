import { truncate } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { WavFile } from '../../lib/datasets/wav.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { chunk, numbers, wavFile, write } from './trees.ts'

async function saved(bytes: Uint8Array): Promise<string> {
  const path = temporaryPath('a.wav')
  await write(path, bytes)
  return path
}

/** -1, -0.5, 0 and the highest below 1, in each coding. */
const s24 = Buffer.from([0, 0, 0x80, 0, 0, 0xc0, 0, 0, 0, 0xff, 0xff, 0x7f])

test.each([
  ['8 bits', 8, 1, numbers('u8', [0, 64, 128, 255]), 127 / 128],
  ['16 bits', 16, 1, numbers('i16', [-32768, -16384, 0, 32767]), 32767 / 32768],
  ['24 bits', 24, 1, s24, (2 ** 23 - 1) / 2 ** 23],
  ['32 bits', 32, 1, numbers('i32', [-(2 ** 31), -(2 ** 30), 0, 2 ** 31 - 1]), 1],
  ['floats', 32, 3, numbers('f32', [-1, -0.5, 0, 0.75]), 0.75],
  ['doubles', 64, 3, numbers('f64', [-1, -0.5, 0, 0.75]), 0.75],
])('%s, in the plain and the extensible form', async (_name, bits, kind, data, last) => {
  for (const extensible of [false, true]) {
    const wav = await WavFile.open(await saved(wavFile(1, 44_100, bits, data, { kind, extensible })))
    expect(wav).toMatchObject({ sampleRate: 44_100, channels: 1, length: 4 })
    expect(await wav!.read(0, 4)).toEqual(Float32Array.of(-1, -0.5, 0, last))
  }
})

test('any part can be read, and beyond the ends it is silent', async () => {
  const wav = await WavFile.open(
    await saved(
      wavFile(
        1,
        8000,
        16,
        numbers(
          'i16',
          [1, 2, 3, 4, 5].map((value) => value * 1024),
        ),
      ),
    ),
  )
  const read = async (from: number, to: number): Promise<number[]> => [...(await wav!.read(from, to))].map((value) => value * 32)
  expect(await read(1, 3)).toEqual([2, 3])
  expect(await read(-2, 2)).toEqual([0, 0, 1, 2])
  expect(await read(3, 8)).toEqual([4, 5, 0, 0, 0])
  expect(await read(-3, 7)).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 0, 0])
  expect(await read(9, 11)).toEqual([0, 0])
  expect(await read(-4, -2)).toEqual([0, 0])
})

test('channels are averaged', async () => {
  const wav = await WavFile.open(await saved(wavFile(2, 8000, 16, numbers('i16', [16384, 0, -16384, 16384]))))
  expect(wav).toMatchObject({ channels: 2, length: 2 })
  expect(await wav!.read(0, 2)).toEqual(Float32Array.of(0.25, 0))
})

test('other chunks, odd ones too, are passed over', async () => {
  const before = Buffer.concat([chunk('LIST', Buffer.from('INFO title')), chunk('junk', Buffer.alloc(7))])
  const wav = await WavFile.open(await saved(wavFile(1, 8000, 16, numbers('i16', [16384]), { before })))
  expect(await wav!.read(0, 1)).toEqual(Float32Array.of(0.5))
})

test.each([[0], [0xffffffff], [1000]])("a length of %i, which is not the data's, means as far as the file goes", async (length) => {
  const wav = await WavFile.open(await saved(wavFile(1, 8000, 16, numbers('i16', [8192, 16384]), { length })))
  expect(wav!.length).toBe(2)
  expect(await wav!.read(0, 3)).toEqual(Float32Array.of(0.25, 0.5, 0))
})

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a text', Buffer.from('RIFFraff'.repeat(8))],
  ['another coding (A-law)', wavFile(1, 8000, 8, Buffer.alloc(8), { kind: 6 })],
  ['no data', wavFile(1, 8000, 16, Buffer.alloc(0)).subarray(0, 36)],
  ['no channels', wavFile(0, 8000, 16, Buffer.alloc(8))],
])('%s is none of ours', async (_name, bytes) => {
  expect(await WavFile.open(await saved(bytes))).toBeUndefined()
})

test('a file that is missing, or gets shorter, is named', async () => {
  await expectDiffSalError(() => WavFile.open(temporaryPath('none.wav')), 'ERR_DIFFSAL_FILE', /none\.wav.*does not exist/)
  const path = await saved(wavFile(1, 8000, 16, Buffer.alloc(100)))
  const wav = await WavFile.open(path)
  await truncate(path, 60)
  await expectDiffSalError(() => wav!.read(0, 50), 'ERR_DIFFSAL_MEDIA', /became shorter/)
})

test('NaN and infinity are damage', async () => {
  for (const value of [Number.NaN, Infinity]) {
    const wav = await WavFile.open(await saved(wavFile(1, 8000, 32, numbers('f32', [0, value, 0]), { kind: 3 })))
    await expectDiffSalError(() => wav!.read(0, 3), 'ERR_DIFFSAL_MEDIA', /a\.wav.*sample 1/)
    expect(await wav!.read(2, 3)).toEqual(Float32Array.of(0))
  }
})
