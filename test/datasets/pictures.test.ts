import { writeFileSync } from 'node:fs'
import sharp, { type Sharp } from 'sharp'
import { expect, test } from 'vitest'
import { readGrey, readPictureSize, readRgb } from '../../lib/datasets/pictures.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

const ramp = Buffer.from(Array.from({ length: 256 * 4 }, (_, i) => i % 256))
const grey = (): Sharp => sharp(ramp, { raw: { width: 256, height: 4, channels: 1 } }).toColourspace('b-w')
const rgb = (): Sharp =>
  sharp(Buffer.from(Array.from({ length: 3 * 256 * 4 }, (_, i) => Math.floor(i / 3) % 256)), { raw: { width: 256, height: 4, channels: 3 } })

test.each<[string, () => Sharp, number]>([
  ['grey', () => grey().png(), 1],
  ['grey as TIFF', () => grey().tiff({ compression: 'lzw' }), 1],
  ['grey with transparency', () => grey().ensureAlpha(0.5).png(), 2],
  ['grey of 16 bits', () => grey().toColourspace('grey16').png(), 1],
  ['colours that are grey', () => rgb().png(), 3],
])('a picture of %s is read as the levels that it has', async (name, make, channels) => {
  const path = temporaryPath(`${name}.png`)
  writeFileSync(path, await make().toBuffer())
  expect((await sharp(path).metadata()).channels).toBe(channels)
  const { height, width, data } = await readGrey(path)
  expect([height, width]).toEqual([4, 256])
  expect(Buffer.from(data)).toEqual(ramp)
  expect((await readGrey(path, [4, 128])).data).toHaveLength(512)
})

test('a drawing is no picture, whatever it is called: a short one can take hours to draw', async () => {
  const path = temporaryPath('drawing.png')
  const filter = '<feGaussianBlur stdDeviation="900"/><feTurbulence numOctaves="500" baseFrequency="0.01"/>'.repeat(3)
  writeFileSync(
    path,
    `<svg xmlns="http://www.w3.org/2000/svg" width="8000" height="8000"><filter id="f">${filter}</filter>${'<rect width="8000" height="8000" filter="url(#f)"/>'.repeat(20)}</svg>`,
  )
  for (const read of [() => readGrey(path), () => readRgb(path, [8, 8]), () => readPictureSize(path)]) {
    await expectDiffSalError(read, 'ERR_DIFFSAL_MEDIA', `'${path}'`, 'svg')
  }
})
