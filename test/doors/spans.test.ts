import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { clipAt, cropFilter, cropVideo, findShots, qualityFilter, writeViewPage, type Reframing, type Shot } from '../../lib/index.ts'
import { listen } from '../../lib/listen.ts'
import { predictVideo } from '../../lib/predict-video.ts'
import { qualityRegions } from '../../lib/quality-regions.ts'
import { reframe } from '../../lib/reframe.ts'
import { thumbnails } from '../../lib/thumbnails.ts'
import { spotClip } from '../support/blob-clips.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { FakeModel } from '../support/fake-model.ts'
import { ffmpegs } from '../support/ffmpegs.ts'
import { beeping, flashing, h264, look } from '../support/flashes.ts'
import { decodeFrames, ffmpeg, frameTimes, numberedFrames, runningFfmpegs } from '../support/media.ts'
import { sceneClip } from '../support/shot-clips.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(async () => {
  vi.unstubAllEnvs()
  expect(await runningFfmpegs()).toEqual([])
})

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

test('reframe: the frames of the part, by their numbers in the video; what is outside does not pull', async () => {
  const path = await spotClip('jumps.mkv', 'if(between(t\\,1\\,1.999)\\,0.8\\,0.2)', 75)
  const options = { seed: 1, stride: 5, shots: false, videoOnly: true } as const
  const found = await reframe(new FakeModel(), path, { ...options, start: 1, end: 2 })
  expect([found.start, found.end]).toEqual([1, 2])
  expect(found.frames.map(({ frame }) => frame)).toEqual(numbers(25, 50))
  expect(found.frames.map(({ time }) => time)).toEqual(numbers(25, 50).map((k) => k / 25))
  for (const { frame, x } of found.frames) expect(Math.abs(x + 25 - 0.8 * 160), `${frame}`).toBeLessThan(6)
  const late = await reframe(new FakeModel(), path, { ...options, start: 2.02 })
  expect([late.start, late.end, late.frames[0]!.frame, late.frames.at(-1)!.frame]).toEqual([2.02, undefined, 51, 74])
  const early = await reframe(new FakeModel(), path, { ...options, end: 0.5 })
  expect([early.start, early.end, early.frames[0]!.frame, early.frames.at(-1)!.frame]).toEqual([undefined, 0.5, 0, 12])
  expect(await reframe(new FakeModel(), path, options)).not.toHaveProperty('start')
})

test('the shots of a part keep their numbers of the whole video', async () => {
  const path = await sceneClip('shots.mkv', [
    ['bars', 20],
    ['test', 20],
    ['colours', 20],
  ])
  const { frames } = await reframe(new FakeModel(), path, { seed: 1, stride: 4, start: 1, videoOnly: true })
  expect(frames.map(({ frame, shot }) => [frame, shot])).toEqual(numbers(25, 60).map((k) => [k, k < 40 ? 1 : 2]))
})

test.each(ffmpegs)('cropVideo writes the part that was reframed, picture and sound in step: %s', async (_, program) => {
  vi.stubEnv('DIFFSAL_FFMPEG', program)
  const path = temporaryPath('in step.mp4')
  await ffmpeg(...flashing(4, 0.5), ...beeping(4, 0.5), ...h264, '-c:a', 'aac', path)
  const window = { size: [120, 160], window: [120, 68] } as const
  const part = (from: number, to: number, span: object): Reframing => ({
    ...window,
    ...span,
    frames: numbers(from, to).map((k) => ({ frame: k, time: k / 25, shot: 0, x: 40, y: 0 })),
  })
  const output = temporaryPath('part.mp4')
  for (const [from, to, span, flashes] of [
    [30, 80, { start: 1.2, end: 3.2 }, [0.32, 1.32]],
    [60, 100, { start: 2.4 }, [0.12, 1.12]],
    [0, 40, { end: 1.6 }, [0.52, 1.52]],
  ] as const) {
    await cropVideo(path, part(from, to, span), output)
    const seen = await look(output)
    expect(seen.times).toHaveLength(to - from)
    expect(seen.flashes).toHaveLength(flashes.length)
    expect(seen.beeps).toHaveLength(flashes.length)
    for (const [i, at] of flashes.entries()) {
      expect(Math.abs(seen.flashes[i]! - at), `flash ${i}`).toBeLessThan(0.021)
      // The beep begins with the second of the clock, the flash with the frame after: 20 ms.
      expect(Math.abs(seen.flashes[i]! - seen.beeps[i]!), `beep ${i}`).toBeLessThan(0.045)
    }
    expect(seen.info.duration!).toBeLessThan((to - from) / 25 + 0.1)
  }
  // Places of another part, or of another video.
  for (const [from, to, span] of [
    [30, 70, { start: 1.2, end: 3.2 }],
    [30, 90, { start: 1.2, end: 3.2 }],
    [0, 99, {}],
    [0, 101, {}],
    [90, 110, { start: 3.6 }],
    [25, 80, { start: 1.2, end: 3.2 }],
  ] as const) {
    const bad = temporaryPath('bad/part.mp4')
    await expectDiffSalError(() => cropVideo(path, part(from, to, span), bad), 'ERR_DIFFSAL_INVALID_ARGUMENT', /reframing\.frames.*as many frames as there are/)
  }
  await expectDiffSalError(() => cropVideo(path, part(30, 80, {}), output), 'ERR_DIFFSAL_INVALID_ARGUMENT', /frames\[0\]\.frame.*0: one place a frame/)
  await expectDiffSalError(() => cropVideo(path, part(30, 80, { start: 2, end: 1 }), output), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'end'")
})

test.each(ffmpegs)('cropFilter is a script for the part, as -ss and -to cut it: %s', async (_, program) => {
  const path = await sceneClip('scripted.mkv', [['test', 50]])
  const frames = numbers(20, 40).map((k) => ({ frame: k, time: k / 25, shot: 0, x: 4 * k + 0.4, y: 0 }))
  const script = temporaryPath('script.txt')
  writeFileSync(script, cropFilter({ size: [180, 320], window: [180, 102], start: 0.8, end: 1.6, frames }))
  const output = temporaryPath('scripted-part.mkv')
  execFileSync(program, ['-nostdin', '-loglevel', 'error', '-y', '-ss', '0.8', '-to', '1.6', '-i', path, '-filter_script:v', script, '-c:v', 'ffv1', output])
  const [cut, originals] = [await decodeFrames(output, 'gray', 102 * 180), await decodeFrames(path, 'gray', 320 * 180)]
  expect(cut).toHaveLength(20)
  for (const k of numbers(20, 40)) expect(cut[k - 20]!.subarray(0, 102).equals(originals[k]!.subarray(4 * k, 4 * k + 102)), `frame ${k}`).toBe(true)
})

test('qualityRegions and qualityFilter: segments of the part, by numbers in the video, and a graph that counts from its first frame', async () => {
  const path = await spotClip('regions.mkv', 'if(lt(t\\,2)\\,0.8\\,0.2)', 75)
  const found = await qualityRegions(new FakeModel({ size: [45, 80] }), path, { every: 1, stride: 5, videoOnly: true, shots: false, start: 1, end: 2.6 })
  expect([found.start, found.end]).toEqual([1, 2.6])
  expect(found.segments.map(({ frame, frames }) => [frame, frames])).toEqual([
    [25, 25],
    [50, 15],
  ])
  const middle = ({ regions: [one] }: (typeof found.segments)[number]): number => (one!.x + one!.width / 2) / 160
  expect(middle(found.segments[0]!)).toBeCloseTo(0.8, 1)
  expect(middle(found.segments[1]!)).toBeCloseTo(0.2, 1)
  expect(qualityFilter(found)).toMatch(/trim=start_frame=0:end_frame=25.*\n.*trim=start_frame=25:end_frame=40/)
  const { start: _, ...whole } = found
  await expectDiffSalError(() => qualityFilter(whole), 'ERR_DIFFSAL_INVALID_ARGUMENT', /segments\[0\]\.frame.*0/)
  await expectDiffSalError(() => qualityFilter({ ...found, start: -1 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'regions.start'")
})

test('thumbnails are of the part', async () => {
  const path = await spotClip('pictures.mkv', '0.5', 75)
  const found = await thumbnails(new FakeModel(), path, { count: 3, stride: 2, apart: 0.2, start: 1, end: 2, videoOnly: true })
  expect(found).toHaveLength(3)
  for (const { frame, time } of found) expect(frame >= 25 && frame < 50 && time === frame / 25, `${frame}`).toBe(true)
})

test('findShots: the shots of the part, cut where it begins and ends', async () => {
  const path = await sceneClip('cut.mkv', [
    ['bars', 50],
    ['test', 50],
    ['colours', 50],
  ])
  const shotsOf = async (options: object): Promise<Shot[]> => {
    const shots: Shot[] = []
    for await (const shot of findShots(path, options)) shots.push(shot)
    return shots
  }
  const whole = await shotsOf({})
  expect(whole.map(({ begins, frame, frames }) => [begins, frame, frames])).toEqual([
    ['video', 0, 50],
    ['cut', 50, 50],
    ['cut', 100, 50],
  ])
  expect(await shotsOf({ start: 1, end: 5 })).toEqual([
    { shot: 0, begins: 'video', frame: 25, frames: 25, start: 1, end: 2 },
    { shot: 1, begins: 'cut', frame: 50, frames: 50, start: 2, end: 4 },
    { shot: 2, begins: 'cut', frame: 100, frames: 25, start: 4, end: 5 },
  ])
  expect(await shotsOf({ start: 2, end: 4 })).toEqual([whole[1]])
  expect(await shotsOf({ start: 2.5, end: 3 })).toEqual([{ shot: 1, begins: 'video', frame: 63, frames: 12, start: 2.52, end: 3 }])
  expect(await shotsOf({ start: 4.5 })).toEqual([{ ...whole[2], begins: 'video', frame: 113, frames: 37, start: 4.52 }])
  expect(await shotsOf({ end: 0.1 })).toEqual([{ ...whole[0], frames: 3, end: 0.12 }])
  await expectDiffSalError(() => shotsOf({ start: 7 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'start'", 'which has 150 frames')
  await expectDiffSalError(() => shotsOf({ start: 2, end: 2 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'end'")
})

test('listen looks at frames of the part, each with its own sound', async () => {
  const path = temporaryPath('heard.mkv')
  // A tone whose loudness tells the time.
  await ffmpeg(
    '-f',
    'lavfi',
    '-i',
    'testsrc2=s=64x48:r=25:d=4',
    '-f',
    'lavfi',
    '-i',
    'aevalsrc=0.2*t*sin(2*PI*500*t):d=4:s=16000',
    '-c:v',
    'ffv1',
    '-c:a',
    'pcm_f32le',
    path,
  )
  const model = new FakeModel({ size: [16, 32] })
  const { frames } = await listen(model, path, { frames: 4, seed: 1, steps: 1, start: 2, end: 3 })
  expect(frames.map(({ frame }) => frame)).toEqual([53, 59, 65, 71])
  for (const [i, { time }] of frames.entries()) {
    const { samples } = model.calls[5 * i]!.input.audio![0]!
    const loud = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    // The clip's sound ends 7.5 frames after its frame.
    expect(loud).toBeCloseTo(0.2 * (time + 7.5 / 25), 2)
  }
  await expectDiffSalError(() => listen(model, path, { start: 9 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'start'", 'which has 100 frames')
  await expectDiffSalError(() => listen(model, path, { start: 3.95 }), 'ERR_DIFFSAL_MEDIA', 'one frame in that part')
})

test('clipAt cuts of a file what predictVideo cuts of it, at the size of the model or its own', async () => {
  const path = temporaryPath('numbered.mkv')
  await numberedFrames(path, 45, '25', ['-f', 'lavfi', '-i', 'sine=d=1.8', '-c:a', 'flac'])
  const model = new FakeModel({ size: [32, 32], clipLength: 8 })
  const maps = predictVideo(model, path, { seed: 1, steps: 1 })
  for await (const { frame } of maps) {
    if (![0, 3, 20, 44].includes(frame)) continue
    const { input } = model.calls[frame]!
    const { frames, audio } = await clipAt(path, frame, { clipLength: 8, size: [32, 32] })
    expect(frames!.shape).toEqual([8, 32, 32, 3])
    expect(frames!.data, `frame ${frame}`).toEqual(input.frames!.data)
    expect(audio, `sound ${frame}`).toEqual(input.audio![0])
  }
  expect((await clipAt(path, 5, { size: [9, 20] })).frames!.shape).toEqual([16, 9, 20, 3])
  expect((await clipAt(path, 5)).frames!.shape).toEqual([16, 32, 32, 3])
  await expectDiffSalError(() => clipAt(path, 45), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'frame' must be below 45, the number of frames of")
  await expectDiffSalError(() => clipAt(path, -1), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'frame'")
  await expectDiffSalError(() => clipAt(path, 1, { size: [0, 3] }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'size')
  await expectDiffSalError(() => clipAt(path, 1, { start: 2 } as object), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'start'")
})

test.each(ffmpegs)('a flash and its beep are in the clip that clipAt cuts, though the streams begin apart: %s', async (_, program) => {
  vi.stubEnv('DIFFSAL_FFMPEG', program)
  const path = temporaryPath('apart.mkv')
  await ffmpeg('-itsoffset', '0.3', ...flashing(3, 0.5), ...beeping(3, 0.2), ...h264, '-c:a', 'pcm_s16le', path)
  const times = await frameTimes(path)
  const { flashes, beeps } = await look(path)
  const frame = times.indexOf(flashes[1]!)
  const { frames, audio } = await clipAt(path, frame)
  const mean = (t: number): number => frames!.data.subarray(t * 160 * 120 * 3, (t + 1) * 160 * 120 * 3).reduce((sum, value) => sum + value, 0) / (160 * 120 * 3)
  expect(numbers(0, 16).filter((t) => mean(t) > 220)).toEqual([8])
  const heard = audio!.samples.findIndex((value) => Math.abs(value) > 0.1) / audio!.sampleRate
  // The clip's sound begins 8.5 frames before its middle frame.
  expect(Math.abs(heard - 8.5 / 25 - (beeps[1]! - flashes[1]!))).toBeLessThan(0.002)
})

test('clipAt of sound alone, of a silent video and of a picture', async () => {
  const [sound, silent, still] = ['sound.wav', 'silent.mkv', 'still.png'].map(temporaryPath) as [string, string, string]
  await ffmpeg('-f', 'lavfi', '-i', 'sine=d=2', sound)
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=10:d=1', '-c:v', 'ffv1', silent)
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=10:d=1', '-frames:v', '1', still)
  const heard = await clipAt(sound, 30)
  expect(heard).not.toHaveProperty('frames')
  expect(heard.audio).toMatchObject({ sampleRate: 16_000, fps: 25 })
  expect(heard.audio!.samples).toHaveLength(10_240)
  expect(await clipAt(silent, 3)).toMatchObject({ audio: null, frames: { shape: [16, 48, 64, 3] } })
  expect(await clipAt(still, 0)).toMatchObject({ audio: null, frames: { shape: [16, 48, 64, 3] } })
})

test('a page has no part of its own, and says so', async () => {
  const maps = (async function* () {})()
  await expectDiffSalError(
    () => writeViewPage(temporaryPath('page.html'), 'clip.mp4', maps, { start: 1 } as object),
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    "unknown option 'start'",
  )
})
