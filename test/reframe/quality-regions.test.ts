import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { qualityFilter } from '../../lib/index.ts'
import { checkFilter } from '../../lib/media/ffmpeg-filters.ts'
import { qualityRegions } from '../../lib/quality-regions.ts'
import { spotClip } from '../support/blob-clips.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { FakeModel } from '../support/fake-model.ts'
import { bundledFfmpeg } from '../support/bundled-ffmpeg.ts'
import { ffmpegOfPath } from '../support/ffmpegs.ts'
import { decodeFrames, ffmpeg } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

test('regions are around what people look at, a part of the video at a time', async () => {
  const path = await spotClip('moving.mkv', 'if(lt(t\\,1)\\,0.8\\,0.2)', 50)
  const { size, segments } = await qualityRegions(new FakeModel({ size: [45, 80] }), path, {
    every: 1,
    strength: 0.2,
    stride: 5,
    videoOnly: true,
    shots: false,
  })
  expect(size).toEqual([90, 160])
  expect(segments.map(({ frame, frames }) => [frame, frames])).toEqual([
    [0, 25],
    [25, 25],
  ])
  for (const [i, place] of [0.8, 0.2].entries()) {
    const { regions } = segments[i]!
    expect(regions.at(-1)).toEqual({ x: 0, y: 0, width: 160, height: 90, offset: 0.1 })
    expect(regions[0]!.offset).toBe(-0.2)
    const [left, right] = [regions[0]!.x, regions[0]!.x + regions[0]!.width]
    expect(left < place * 160 && right > place * 160 && right - left < 40, `${left} ${right}`).toBe(true)
  }
})

test.skipIf(ffmpegOfPath === undefined).for(['libx264', 'libx265'])(
  'the filter graph with %s: the same frames, and what people look at is better at the same bitrate',
  async (encoder, { skip }) => {
    if (!(await promisify(execFile)(ffmpegOfPath!, ['-hide_banner', '-encoders'])).stdout.includes(` ${encoder} `)) return skip()
    vi.stubEnv('DIFFSAL_FFMPEG', ffmpegOfPath!)
    const path = temporaryPath(`noise-${encoder}.mkv`)
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=160x96:r=25,noise=alls=40:allf=t:all_seed=3', '-frames:v', '50', '-c:v', 'ffv1', '-pix_fmt', 'yuv420p', path)
    const whole = { x: 0, y: 0, width: 160, height: 96 }
    const segment = (x: number) => [
      { x, y: 0, width: 80, height: 96, offset: -0.2 },
      { ...whole, offset: 0.2 },
    ]
    const graph = temporaryPath('graph.txt')
    writeFileSync(
      graph,
      qualityFilter({
        size: [96, 160],
        segments: [
          { frame: 0, frames: 25, regions: segment(0) },
          { frame: 25, frames: 25, regions: segment(80) },
        ],
      }),
    )
    const output = temporaryPath(`${encoder}.mkv`)
    await promisify(execFile)(ffmpegOfPath!, [
      '-nostdin',
      '-loglevel',
      'error',
      '-y',
      '-i',
      path,
      '-filter_complex_script',
      graph,
      '-map',
      '[v]',
      '-c:v',
      encoder,
      '-preset',
      'veryfast',
      '-b:v',
      '400k',
      output,
    ])
    const [coded, originals] = [await decodeFrames(output, 'gray', 160 * 96), await decodeFrames(path, 'gray', 160 * 96)]
    expect(coded).toHaveLength(50)
    const error = (k: number, left: number): number => {
      let sum = 0
      for (let y = 0; y < 96; y++) for (let x = left; x < left + 80; x++) sum += (coded[k]![y * 160 + x]! - originals[k]![y * 160 + x]!) ** 2
      return sum
    }
    const halves = (from: number, to: number) =>
      [0, 80].map((left) => Array.from({ length: to - from }, (_, i) => error(from + i, left)).reduce((a, b) => a + b, 0)) as [number, number]
    const [early, late] = [halves(5, 25), halves(30, 50)]
    expect(early[0]).toBeLessThan(0.7 * early[1])
    expect(late[1]).toBeLessThan(0.7 * late[0])
    vi.unstubAllEnvs()
  },
)

test('what cannot be', async () => {
  const path = await spotClip('bad.mkv', '0.5', 3)
  for (const options of [{ strength: 1 }, { every: 0 }, { keep: 1 }]) {
    const model = new FakeModel()
    await expectDiffSalError(() => qualityRegions(model, path, options as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', Object.keys(options)[0]!)
    expect(model.calls).toEqual([])
  }
  const region = { x: 0, y: 0, width: 10, height: 10, offset: 0 }
  const of =
    (one: object, frame = 0) =>
    () =>
      qualityFilter({ size: [9, 20], segments: [{ frame, frames: 1, regions: [{ ...region, height: 9, ...one }] }] })
  await expectDiffSalError(of({ width: 21 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /regions\[0\]\.width.*1 to 20/)
  await expectDiffSalError(of({ offset: 2 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /offset/)
  await expectDiffSalError(of({}, 1), 'ERR_DIFFSAL_INVALID_ARGUMENT', /segments\[0\]\.frame.*0/)
  vi.stubEnv('DIFFSAL_FFMPEG', bundledFfmpeg)
  await expectDiffSalError(() => checkFilter('addroi', '4.2'), 'ERR_DIFFSAL_FFMPEG_MISSING', /addroi/)
  await checkFilter('crop', '1')
  vi.unstubAllEnvs()
})
