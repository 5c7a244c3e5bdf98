import { existsSync, mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { PngWriter } from '../../lib/media/png.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

const left = Float32Array.from({ length: 8 }, (_, i) => (i % 4 < 2 ? 0.3 : 0.1))

test("grey pictures of the video's size, named by frame", async () => {
  const folder = temporaryPath('new/maps')
  const writer = await PngWriter.create(folder, [2, 4], [20, 41])
  await writer.write(0, left)
  await writer.write(
    24,
    left.map((value) => 1 - value),
  )
  await writer.finish()
  expect(existsSync(folder)).toBe(false)
  await writer.commit()
  await writer.discard()
  expect(readdirSync(folder).sort()).toEqual(['000000.png', '000024.png'])
  expect(readdirSync(temporaryPath('new'))).toEqual(['maps'])
  const meta = await sharp(`${folder}/000000.png`).metadata()
  expect(meta).toMatchObject({ width: 41, height: 20, channels: 1, depth: 'uchar' })
  for (const [name, light, dark] of [
    ['000000', 2, 38],
    ['000024', 38, 2],
  ] as const) {
    const pixels = await sharp(`${folder}/${name}.png`).toColourspace('b-w').raw().toBuffer()
    expect(pixels).toHaveLength(20 * 41)
    expect([pixels[10 * 41 + light], pixels[10 * 41 + dark]]).toEqual([255, 0])
  }
})

test('in a folder that exists, other files stay', async () => {
  const folder = temporaryPath('existing')
  mkdirSync(folder)
  writeFileSync(`${folder}/000000.png`, 'old')
  writeFileSync(`${folder}/notes.txt`, 'mine')
  const writer = await PngWriter.create(folder, [2, 4], [2, 4])
  await writer.write(0, left)
  await writer.finish()
  await writer.commit()
  await writer.discard()
  expect(readdirSync(folder).sort()).toEqual(['000000.png', 'notes.txt'])
  expect((await sharp(`${folder}/000000.png`).metadata()).width).toBe(4)
})

test('discarding removes the pictures and leaves what was there', async () => {
  const made = await PngWriter.create(temporaryPath('fresh/deep/maps'), [2, 4], [2, 4])
  await made.write(0, left)
  await made.discard()
  expect(existsSync(temporaryPath('fresh'))).toBe(false)

  const folder = temporaryPath('kept')
  mkdirSync(folder)
  writeFileSync(`${folder}/000000.png`, 'old')
  const writer = await PngWriter.create(folder, [2, 4], [2, 4])
  await writer.write(0, left)
  await writer.discard()
  expect(readdirSync(folder)).toEqual(['000000.png'])
})

test('a file is no folder', async () => {
  const path = temporaryPath('a-file')
  writeFileSync(path, '')
  await expectDiffSalError(() => PngWriter.create(path, [2, 4], [2, 4]), 'ERR_DIFFSAL_FILE', `'${path}'`, 'not a directory')
})

test('a link to a folder that is not there yet stays, and the folder is made', async () => {
  const link = temporaryPath('link')
  symlinkSync('behind/maps', link)
  const writer = await PngWriter.create(link, [2, 4], [2, 4])
  await writer.write(0, left)
  await writer.finish()
  await writer.commit()
  await writer.discard()
  expect(readlinkSync(link)).toBe('behind/maps')
  expect(readdirSync(temporaryPath('behind/maps'))).toEqual(['000000.png'])
})
