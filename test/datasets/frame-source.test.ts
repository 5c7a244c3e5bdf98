import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { PictureFrames, VideoFrames } from '../../lib/datasets/frame-source.ts'
import { LruCache } from '../../lib/datasets/lru-cache.ts'
import { NumberedFolder, pictureExtensions } from '../../lib/datasets/numbered-folder.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { ffmpeg, frameNumber, runningFfmpegs } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'
import { colourOf, framesOf, write, writePicture } from './trees.ts'

test.each([
  ['AVI, MPEG-4', 'a.avi', '30', ['-c:v', 'mpeg4', '-q:v', '1', '-g', '12']],
  ['AVI, MPEG-4 with B-frames', 'b.avi', '25', ['-c:v', 'mpeg4', '-q:v', '1', '-g', '12', '-bf', '2']],
  ['MP4, H.264 with B-frames', 'c.mp4', '30000/1001', ['-c:v', 'libx264', '-crf', '1', '-g', '20', '-bf', '3', '-pix_fmt', 'yuv444p']],
  ['MPEG-TS, whose clock does not start at 0', 'd.ts', '25', ['-c:v', 'mpeg2video', '-q:v', '1', '-g', '12', '-bf', '2']],
] as const)('%s: any clip of a video file, to the frame', async (_name, file, rate, coding) => {
  const path = temporaryPath(file)
  const source = `color=black:s=32x32:r=${rate},format=gbrp,geq=r='mod(N,16)*16+8':g='mod(floor(N/16),16)*16+8':b='128'`
  await ffmpeg('-f', 'lavfi', '-i', source, '-frames:v', '100', ...coding, path)
  for (const frames of [new VideoFrames(path), new VideoFrames(path, new LruCache(2))]) {
    for (const first of [0, 1, 11, 12, 13, 40, 59, 83, 84]) {
      const clip = Array.from({ length: 16 }, (_, t) => first + t)
      const data = await frames.read(clip, [32, 32])
      expect(
        clip.map((_, t) => frameNumber(data, t * 32 * 32 * 3)),
        `from ${first}`,
      ).toEqual(clip)
    }
  }
  const edges = await new VideoFrames(path).read([0, 0, 0, 1], [16, 16])
  expect([0, 1, 2, 3].map((t) => frameNumber(edges, t * 16 * 16 * 3))).toEqual([0, 0, 0, 1])
  expect(await runningFfmpegs()).toEqual([])
})

test('pictures that clips share are decoded once', async () => {
  const folder = temporaryPath('shared')
  for (let frame = 0; frame < 4; frame++) await writePicture(join(folder, `${frame + 1}.png`), colourOf(frame))
  const pictures = (await NumberedFolder.open(folder, pictureExtensions))!
  const frames = new PictureFrames(pictures, 1, new LruCache(3))
  const read = async (numbers: number[]): Promise<number[]> => framesOf({ shape: [numbers.length, 2, 2, 3], data: await frames.read(numbers, [2, 2]) })
  expect(await read([0, 0, 1, 2])).toEqual([0, 0, 1, 2])
  for (const number of [1, 2, 3]) await writeFile(join(folder, `${number}.png`), 'gone')
  // Of the four, the three used last are kept.
  expect(await read([1, 2, 3])).toEqual([1, 2, 3])
  await expectDiffSalError(() => read([0, 1]), 'ERR_DIFFSAL_MEDIA', /1\.png/)
  // What failed is not kept.
  await writePicture(join(folder, '1.png'), colourOf(0))
  expect(await read([0])).toEqual([0])
})

test('a folder of numbered files, whatever they are called', async () => {
  const names = ['img_00002.jpg', 'img_00004.jpg', 'img_00003.JPG', 'img_7.jpg', 'readme.txt', '.img_00009.jpg', 'notes.jpg', 'img_00002.png']
  const folder = new NumberedFolder('f', names, pictureExtensions)
  expect([folder.count, folder.first, folder.last]).toEqual([4, 2, 7])
  expect([1, 2, 3, 4, 5, 6, 7, 8].map((number) => folder.has(number))).toEqual([false, true, true, true, false, false, true, false])
  expect([2, 3, 4, 7].map((number) => folder.file(number))).toEqual(
    ['img_00002.jpg', 'img_00003.JPG', 'img_00004.jpg', 'img_7.jpg'].map((name) => join('f', name)),
  )
  const padded = new NumberedFolder('f', ['Dive_001_009.png', 'Dive_001_010.png'], pictureExtensions)
  expect([padded.first, padded.last, padded.file(9), padded.file(11)]).toEqual([9, 10, 'f/Dive_001_009.png', 'f/Dive_001_011.png'])
  const bare = new NumberedFolder('f', ['9.png', '10.png', '100.png'], pictureExtensions)
  expect([bare.file(9), bare.file(10), bare.file(100), bare.file(2)]).toEqual(['f/9.png', 'f/10.png', 'f/100.png', 'f/2.png'])
  const empty = new NumberedFolder('f', [], pictureExtensions)
  expect([empty.count, empty.first, empty.last, empty.has(0)]).toEqual([0, 0, -1, false])
  expect(await NumberedFolder.open(temporaryPath('no-folder'), pictureExtensions)).toBeUndefined()
  await write(temporaryPath('a-file'), 'x')
  await expectDiffSalError(() => NumberedFolder.open(temporaryPath('a-file'), pictureExtensions), 'ERR_DIFFSAL_FILE', /not a directory/)
})
