import sharp from 'sharp'
import { expect, test } from 'vitest'
import { chooseMoments, type Moment } from '../../lib/reframe/moments.ts'
import { thumbnails } from '../../lib/thumbnails.ts'
import { spotClip } from '../support/blob-clips.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { FakeModel } from '../support/fake-model.ts'
import { ffmpeg } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

const moment = (frame: number, confidence: number, light = 100, shot = 0): Moment => ({ frame, time: frame / 10, confidence, light, shot, x: 0, y: 0 })
const chosen = (moments: readonly Moment[], count: number, apart: number): number[] => chooseMoments(moments, count, apart).map(({ frame }) => frame)

test('the most concentrated, the best first, no two too near', () => {
  const moments = [moment(0, 0.1), moment(10, 0.9), moment(14, 0.8), moment(30, 0.5), moment(50, 0.7)]
  expect(chosen(moments, 3, 1)).toEqual([10, 50, 30])
  expect(chosen(moments, 2, 0)).toEqual([10, 14])
  expect(chosen(moments, 9, 100)).toEqual([10])
})

test('not in a fade to black or white, unless there is nothing else', () => {
  const light = (frame: number): number => [10, 40, 100, 100, 100, 100, 200, 250][frame]!
  const moments = Array.from({ length: 8 }, (_, k) => moment(k, k === 1 ? 0.99 : k === 6 ? 0.98 : k === 7 ? 0.97 : 0.5 + k / 100, light(k)))
  expect(chosen(moments, 1, 0)).toEqual([5])
  expect(chosen([moment(0, 0.3, 2), moment(1, 0.4, 2)], 1, 0)).toEqual([1])
  // A dark shot is no fade.
  expect(chosen([moment(0, 0.3, 120), moment(1, 0.3, 120), moment(2, 0.9, 30, 1), moment(3, 0.8, 30, 1)], 1, 0)).toEqual([2])
})

test('pictures of a video, whole and cropped to where people look', async () => {
  const path = await spotClip('looked.mkv', 'if(lt(t\\,1)\\,0.8\\,0.2)', 50)
  const found = await thumbnails(new FakeModel({ size: [45, 80] }), path, { count: 2, apart: 0.9, stride: 5, videoOnly: true })
  expect(found).toHaveLength(2)
  expect(Math.abs(found[0]!.time - found[1]!.time)).toBeGreaterThanOrEqual(0.9)
  for (const { frame, time, size, data } of found) {
    expect(time).toBeCloseTo(frame / 25)
    expect(size).toEqual([90, 160])
    expect(await sharp(data).metadata()).toMatchObject({ format: 'png', width: 160, height: 90 })
    const { data: pixels } = await sharp(data).removeAlpha().raw().toBuffer({ resolveWithObject: true })
    const red = (x: number): number => pixels[3 * (45 * 160 + x)]!
    expect(time < 1 ? red(128) : red(32), `${time}`).toBeGreaterThan(200)
    expect(time < 1 ? red(32) : red(128), `${time}`).toBeLessThan(50)
  }
  const [cut] = await thumbnails(new FakeModel({ size: [45, 80] }), path, { aspect: '1:1', format: 'jpeg', stride: 5, videoOnly: true })
  expect(cut!.size).toEqual([90, 90])
  expect(await sharp(cut!.data).metadata()).toMatchObject({ format: 'jpeg', width: 90, height: 90 })
})

test('square pixels, rotation, and more pictures than there are', async () => {
  const path = temporaryPath('wide.mkv')
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=25:d=0.4', '-vf', 'setsar=2', '-c:v', 'libx264', path)
  const found = await thumbnails(new FakeModel(), path, { count: 9, stride: 4, apart: 0.2, videoOnly: true })
  expect(found.length).toBeLessThan(9)
  expect(await sharp(found[0]!.data).metadata()).toMatchObject({ width: 320, height: 90 })
})

test('what cannot be, before anything is predicted', async () => {
  const path = await spotClip('bad.mkv', '0.5', 3)
  for (const options of [{ count: 0 }, { count: 101 }, { aspect: 0.01 }, { aspect: 'wide' }, { apart: -1 }, { format: 'gif' }, { keep: 1 }]) {
    const model = new FakeModel()
    await expectDiffSalError(() => thumbnails(model, path, options as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', Object.keys(options)[0]!)
    expect(model.calls).toEqual([])
  }
})
