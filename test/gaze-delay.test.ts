import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clipAt, datasets, DiffSal, type Tensor } from '../lib/index.ts'
import { answering, delayFrames } from '../lib/gaze-delay.ts'
import { clipBatches, FrameWindow, reachOf, SoundWindow } from '../lib/media/clip-windows.ts'
import type { Frame } from '../lib/media/frames.ts'
import { rational } from '../lib/media/rational.ts'
import { openStream } from '../lib/predict-stream.ts'
import { predictVideo, type PredictVideoOptions } from '../lib/predict-video.ts'
import { openEntries } from '../lib/run/datasets.ts'
import { audioVisualTree, colourOf, framesOf, write, writeMap, writePicture } from './datasets/trees.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { FakeModel } from './support/fake-model.ts'
import { ffmpeg, frameNumber, numberedFrames } from './support/media.ts'
import { temporaryPath } from './support/temporary.ts'
import { lightConfig } from './support/tiny-config.ts'

/** The frames of frame k's window, by the rule: those around the frame that came `delay` before it, or the first; the edge frames repeated. */
function windowOf(k: number, delay: number, clipLength: number, count: number): number[] {
  const centre = Math.max(0, k - delay)
  return Array.from({ length: clipLength }, (_, t) => Math.min(Math.max(centre - clipLength / 2 + t, 0), count - 1))
}

/** One-pixel frames that hold their own number, and how many of them were read. */
function numbered(count: number): { frames: AsyncGenerator<Frame, void, undefined>; read: () => number } {
  let read = 0
  async function* frames(): AsyncGenerator<Frame, void, undefined> {
    for (; read < count; ) yield { pixels: Uint8Array.of(read, 0, 0), time: read++ / 25 }
  }
  return { frames: frames(), read: () => read }
}

/** Samples that hold their own number, from 1. */
async function* ramp(count: number): AsyncGenerator<Float32Array, void, undefined> {
  yield Float32Array.from({ length: count }, (_, i) => i + 1)
}

test.each([
  [30, 8, 1, 1, 1],
  [30, 8, 3, 4, 3],
  [30, 8, 4, 1, 2],
  [30, 8, 7, 2, 1],
  [40, 8, 25, 1, 4],
  [5, 16, 60, 1, 2],
  [1, 8, 3, 1, 1],
  [33, 2, 10, 5, 2],
])('%i frames, clips of %i, %i frames late, stride %i, batches of %i: every window is the one of the rule', async (count, clipLength, delay, stride, batch) => {
  const source = numbered(count)
  const sound = new SoundWindow(ramp(count * 640))
  const plan = { clipLength, gazeDelay: delay / 25, stride, batch, video: true, audio: true }
  const rate = rational(25, 1)
  const seen: number[] = []
  for await (const { frames, times, clips, audio } of clipBatches(
    { frames: new FrameWindow(source.frames, [1, 1], reachOf(clipLength, delay / 25, rational(25, 1))), sound, rate },
    plan,
  )) {
    for (const [b, k] of frames.entries()) {
      seen.push(k)
      expect(times[b]!.at(-1)).toBe(k / 25)
      const window = Array.from({ length: clipLength }, (_, t) => clips!.data[(b * clipLength + t) * 3]!)
      expect(window, `frame ${k}`).toEqual(windowOf(k, delay, clipLength, count))
      // From half a frame before the window's first frame to half a frame after its last, wherever they lie.
      const from = (Math.max(0, k - delay) - clipLength / 2 - 0.5) * 640
      const expected = Float32Array.from({ length: clipLength * 640 }, (_, i) => (from + i >= 0 && from + i < count * 640 ? from + i + 1 : 0))
      expect(audio![b]!.samples, `sound of frame ${k}`).toEqual(expected)
    }
    // Later windows end earlier, and no frame is read that none needs; but one after the first, and after the last batch that there is no other.
    if (frames.length === batch && frames.at(-1)! + stride < count)
      expect(source.read()).toBeLessThanOrEqual(Math.max(2, clipLength / 2, frames.at(-1)! + 1 + Math.max(0, clipLength / 2 - 1 - delay)))
  }
  expect(seen).toEqual(Array.from({ length: Math.ceil(count / stride) }, (_, i) => i * stride))
})

test('sound alone lies as much earlier, and is held for as long', async () => {
  // Longer than what is held at least, in small pieces.
  const samples = 200 * 640
  async function* pieces(): AsyncGenerator<Float32Array, void, undefined> {
    for (let at = 0; at < samples; at += 500) yield Float32Array.from({ length: 500 }, (_, i) => at + i + 1)
  }
  const plan = { clipLength: 8, gazeDelay: 1, stride: 1, batch: 3, video: false, audio: true }
  let k = 0
  for await (const { audio } of clipBatches({ sound: new SoundWindow(pieces()), rate: rational(100, 1) }, plan)) {
    for (const one of audio!) {
      const from = (Math.max(0, k++ - 100) - 4.5) * 160
      expect(one.samples).toEqual(Float32Array.from({ length: 8 * 160 }, (_, i) => (from + i >= 0 && from + i < samples ? from + i + 1 : 0)))
    }
  }
  expect(k).toBe(800)
})

test('the frame that eyes answer to is the earliest of the last so many seconds; where frames stay long, their own', () => {
  // Thirty a second for a second, then a slide each ten seconds, then thirty again: as many frames before as the mean rate shows.
  const times = [...Array.from({ length: 30 }, (_, i) => i / 30), 1, 11, 21, ...Array.from({ length: 5 }, (_, i) => 21 + (i + 1) / 30)]
  const at30 = answering(0.1, 30)
  const answered = (k: number): number => at30.frameAt(k, (i) => times[i]!)
  expect([0, 1, 3, 4, 20].map(answered)).toEqual([0, 0, 0, 1, 17])
  expect([30, 31, 32, 33, 34, 37].map(answered)).toEqual([27, 31, 32, 32, 32, 34])
  expect(answering(0.1, 38 / 21.2).frameAt(20, (i) => times[i]!)).toBe(20)
  expect(answering(0, 10_000).frameAt(20, (i) => i / 10_000)).toBe(20)
})

test.each([
  [5, 0],
  [10, 1],
  [12.5, 1],
  [24, 2],
  [24.98, 2],
  [25, 2],
  [30_000 / 1001, 3],
  [30, 3],
  [50, 5],
  [60_000 / 1001, 6],
  [2000, 200],
])('at %d frames a second 0.1 s are %i frames, also where times are rounded or tremble', (fps, frames) => {
  expect([delayFrames(0.1, fps), delayFrames(0, fps)]).toEqual([frames, 0])
  const answers = answering(0.1, fps)
  const tick = (rate: number) => (i: number) => Math.round((i / fps) * rate) / rate
  const trembling = (i: number): number => (i + 0.2 * Math.sin(7.3 * i)) / fps
  for (const timeOf of fps > 100 ? [tick(90_000)] : [tick(1000), tick(600), tick(90_000), trembling]) {
    for (let k = frames; k < frames + 200; k++) expect(k - answers.frameAt(k, timeOf), `frame ${k}`).toBe(frames)
  }
})

test('at a variable rate windows go by the times of the frames, those of a stream too', async () => {
  // Ten frames a second, a stop of a second, and on: 7.8 a second on the average.
  const times = [...Array.from({ length: 30 }, (_, i) => i / 10), 4, 4.1, 4.2, 4.3, 4.4, 4.5]
  const fps = times.length / 4.6
  async function* slides(): AsyncGenerator<Frame, void, undefined> {
    for (const [k, time] of times.entries()) yield { pixels: new Uint8Array(12).fill(k), time }
  }
  const centres = times.map((_, k) => (k < 30 ? Math.max(0, k - 2) : Math.max(30, k - 2)))
  const expected = centres.map((k) => windowOf(k, 0, 8, 36))
  const windows: number[][] = []
  const plan = { clipLength: 8, gazeDelay: 0.3, stride: 1, batch: 1, video: true, audio: false }
  for await (const { clips } of clipBatches({ frames: new FrameWindow(slides(), [2, 2], reachOf(8, 0.3, rational(360, 46))), rate: rational(360, 46) }, plan)) {
    windows.push(Array.from({ length: 8 }, (_, t) => clips!.data[t * 12]!))
  }
  expect(windows).toEqual(expected)
  const model = new FakeModel({ size: [2, 2], clipLength: 8, audio: false, gazeDelay: 0.3 })
  const stream = openStream(model, { fps, repeat: false, drop: 'block', latency: 60 })
  const maps = (async () => {
    for await (const { frame, time } of stream) expect(time).toBe(times[frame])
  })()
  for (const [k, time] of times.entries()) await stream.pushFrame({ dtype: 'uint8', shape: [2, 2, 3], data: new Uint8Array(12).fill(k) }, time)
  stream.end()
  await maps
  expect(model.calls.map(({ input }) => Array.from({ length: 8 }, (_, t) => input.frames!.data[t * 12]!))).toEqual(expected)
})

/** A video whose frames tell their numbers, with a tone of silence: 45 frames at 25 a second. */
async function video(): Promise<string> {
  const path = temporaryPath('delayed.mkv')
  await numberedFrames(path, 45, '25', ['-f', 'lavfi', '-i', 'sine=d=1.8', '-c:a', 'flac'])
  return path
}

const size = [32, 32] as const
const numbersOf = (frames: Tensor<'uint8'>): number[] =>
  Array.from({ length: frames.data.length / (32 * 32 * 3) }, (_, t) => frameNumber(frames.data, t * 32 * 32 * 3))

/** What a model is given for each frame of a video. */
async function given(path: string, gazeDelay: number, options?: PredictVideoOptions): Promise<Map<number, FakeModel['calls'][number]['input']>> {
  const model = new FakeModel({ size, clipLength: 8, gazeDelay })
  const inputs = new Map<number, FakeModel['calls'][number]['input']>()
  const frames: number[] = []
  for await (const { frame, time } of predictVideo(model, path, { ...options, seed: 1 })) {
    expect(time).toBeCloseTo(frame / 25, 6)
    frames.push(frame)
  }
  for (const [i, frame] of frames.entries()) inputs.set(frame, model.calls[i]!.input)
  return inputs
}

test.each([0.08, 0.12, 0.2, 1])(
  "with a delay of %d s, a video's maps are made of the clips so much earlier; so they are in a part, in a stream, and by clipAt",
  async (gazeDelay) => {
    const path = await video()
    const delay = Math.round(gazeDelay * 25)
    const [plain, late] = [await given(path, 0), await given(path, gazeDelay)]
    expect(late.size).toBe(45)
    for (const [k, { frames, audio }] of late) {
      expect(numbersOf(frames!), `frame ${k}`).toEqual(windowOf(k, delay, 8, 45))
      if (k < delay) continue
      const earlier = plain.get(k - delay)!
      expect(audio).toEqual(earlier.audio)
    }
    const part = await given(path, gazeDelay, { start: 1, end: 1.2 })
    expect([...part.keys()]).toEqual([25, 26, 27, 28, 29])
    for (const [k, input] of part) expect(input).toEqual(late.get(k))

    const streamed = new FakeModel({ size, clipLength: 8, gazeDelay })
    const stream = openStream(streamed, { fps: 25, sampleRate: 16_000, drop: 'block', seed: 1 })
    const maps = (async () => {
      let count = 0
      for await (const { frame } of stream) expect(frame).toBe(count++)
      return count
    })()
    const whole = await clipAt(path, 22, { clipLength: 46, size })
    const pictures = numbersOf(whole.frames!)
    expect(pictures).toEqual(Array.from({ length: 46 }, (_, t) => Math.min(Math.max(t - 1, 0), 44)))
    // The sound of all, which begins a frame and a half before the first.
    await stream.pushAudio(whole.audio!.samples.subarray(1.5 * 640))
    for (let k = 0; k < 45; k++)
      await stream.pushFrame({ dtype: 'uint8', shape: [32, 32, 3], data: whole.frames!.data.subarray((k + 1) * 3072, (k + 2) * 3072) })
    stream.end()
    expect(await maps).toBe(45)
    for (const k of [0, 3, 20, 44]) {
      const clip = await clipAt(path, k, { clipLength: 8, gazeDelay, size })
      expect(clip.frames!.data, `frame ${k}`).toEqual(late.get(k)!.frames!.data)
      expect(clip.audio!.samples).toEqual(late.get(k)!.audio![0]!.samples)
      expect(streamed.calls[k]!.input.frames!.data).toEqual(late.get(k)!.frames!.data)
      if (k > 0 && k < 44) expect(streamed.calls[k]!.input.audio![0]!.samples).toEqual(late.get(k)!.audio![0]!.samples)
    }
  },
)

test('in memory clipAt cuts as of a file', () => {
  const data = Uint8Array.from({ length: 20 * 3 }, (_, i) => Math.floor(i / 3))
  const samples = Float32Array.from({ length: 800 }, (_, i) => i + 1)
  const cut = (gazeDelay: number) =>
    clipAt({ frames: { dtype: 'uint8', shape: [20, 1, 1, 3], data }, audio: { samples, sampleRate: 1000 }, fps: 25 }, 10, { clipLength: 4, gazeDelay })
  const late = cut(0.12)
  expect([...late.frames!.data].filter((_, i) => i % 3 === 0)).toEqual([5, 6, 7, 8])
  expect([late.audio!.samples.length, late.audio!.samples[0]]).toEqual([160, (5 - 0.5) * 40 + 1])
  expect([...cut(1).frames!.data].filter((_, i) => i % 3 === 0)).toEqual([0, 0, 0, 1])
  expect(() => cut(1.01)).toThrow(/'gazeDelay'.*0 to 1/)
})

test('a stream waits for no frame that a delay leaves out', async () => {
  const model = new FakeModel({ size: [2, 2], clipLength: 8, audio: false, gazeDelay: 0.2 })
  const stream = openStream(model, { fps: 25 })
  const maps = stream[Symbol.asyncIterator]()
  const push = (k: number): Promise<void> => stream.pushFrame({ dtype: 'uint8', shape: [2, 2, 3], data: new Uint8Array(12).fill(k) })
  // The first maps are of the window around frame 0, which has three frames after it.
  for (let k = 0; k < 4; k++) await push(k)
  for (let k = 0; k < 4; k++) expect((await maps.next()).value).toMatchObject({ frame: k })
  for (let k = 4; k < 12; k++) {
    await push(k)
    expect((await maps.next()).value).toMatchObject({ frame: k })
  }
  await maps.return()
})

test("a frame's window has pictures of its own shot alone, however late it lies; without shots, people still look where the shot before led them", async () => {
  const path = temporaryPath('two-shots.mkv')
  const colour = (name: string): string[] => ['-f', 'lavfi', '-i', `color=${name}:s=32x32:r=25:d=1`]
  await ffmpeg(...colour('red'), ...colour('lime'), '-filter_complex', '[0][1]concat,format=gbrp', '-c:v', 'ffv1', path)
  const reds = ({ data }: Tensor<'uint8'>): number[] => Array.from({ length: 8 }, (_, t) => Number(data[t * 32 * 32 * 3]! > 200))
  const [all, parted] = [await given(path, 0.2), await given(path, 0.2, { shots: true })]
  // The cut is at frame 25, five frames are 0.2 s, and a window has three frames after its middle.
  expect([25, 27, 28].map((k) => reds(all.get(k)!.frames!).lastIndexOf(1))).toEqual([7, 6, 5])
  for (const k of [0, 24]) expect(reds(parted.get(k)!.frames!)).toEqual(new Array(8).fill(1))
  for (const k of [25, 27, 40]) expect(reds(parted.get(k)!.frames!)).toEqual(new Array(8).fill(0))
})

test('datasets: the clip and the sound are as much earlier, the gaze is of the moment; a picture and a scene stay', async () => {
  const form = { size: [24, 32], clipLength: 8, stride: 1, split: 'test' } as const
  const root = temporaryPath('gaze-delay')
  await mkdir(root, { recursive: true })
  await write(join(root, 'v.csv'), 'viewer,start_ms,duration_ms,x,y\na,0,400,0.25,0.5\nb,200,10000,0.75,0.25\n')
  await numberedFrames(join(root, 'v.mkv'), 40, '10')
  const [plain, late] = [await datasets.openGaze(root, form), await datasets.openGaze(root, { ...form, gazeDelay: 0.3 })]
  const stills = await datasets.openGaze(root, { ...form, gazeDelay: 0.3, stills: true })
  for (const k of [0, 2, 3, 20, 39]) {
    const [here, there] = [(await late.get(k))!, (await plain.get(k))!]
    expect([here.frame, here.target]).toEqual([k, there.target])
    expect(Array.from({ length: 8 }, (_, t) => frameNumber(here.frames.data, t * 24 * 32 * 3))).toEqual(windowOf(k, 3, 8, 40))
    expect(frameNumber((await stills.get(k))!.frames.data)).toBe(Math.max(0, k - 3))
  }

  const tree = temporaryPath('gaze-delay-tree')
  await audioVisualTree(tree)
  const recorded = { size: [6, 8], clipLength: 4, windows: 'test' } as const
  const [before, after] = [
    await datasets.openAudioVisual(tree, 'AVAD', recorded),
    await datasets.openAudioVisual(tree, 'AVAD', { ...recorded, gazeDelay: 0.12 }),
  ]
  for (const k of [3, 10, 19]) {
    const [here, moment, earlier] = [(await after.get(k))!, (await before.get(k))!, (await before.get(k - 3))!]
    expect([framesOf(here.frames), here.audio]).toEqual([framesOf(earlier.frames), earlier.audio])
    expect([here.target, here.frame]).toEqual([moment.target, k])
  }

  // DHF1K's videos have thirty frames a second.
  const published = temporaryPath('gaze-delay-dhf1k')
  for (let k = 1; k <= 20; k++) {
    await writePicture(join(published, `frames/1/${k}.png`), colourOf(k - 1))
    await writeMap(join(published, `maps/1/${k}.png`), 255)
  }
  const dhf1k = await datasets.openDhf1k(published, { ...recorded, gazeDelay: 0.1 })
  expect(framesOf((await dhf1k.get(10))!.frames)).toEqual([5, 6, 7, 8])

  const openScenes = async (gazeDelay: number) => {
    const [scenes] = await openEntries([{ dataset: 'scenes', length: 2 }], 'test', { size: [64, 96], clipLength: 16, gazeDelay, fixations: false }, (_, open) =>
      open(),
    )
    return scenes!.dataset.get(0)
  }
  expect(await openScenes(0.3)).toEqual(await openScenes(0))
})

test('it is kept with the weights, and refused where it is none', async () => {
  const path = temporaryPath('delayed.safetensors')
  {
    await using model = await DiffSal.create({ ...lightConfig, gazeDelay: 0.25 }, { seed: 1, threads: 1 })
    await model.save(path)
  }
  await using model = await DiffSal.load(path, { threads: 1 })
  expect(model.config.gazeDelay).toBe(0.25)
  await using other = await DiffSal.load(path, { threads: 1, config: { gazeDelay: 0 } })
  expect(other.config.gazeDelay).toBe(0)
  for (const gazeDelay of [-0.1, 1.1, Number.NaN, '0.1', null]) {
    await expectDiffSalError(
      () => DiffSal.create({ ...lightConfig, gazeDelay: gazeDelay as never }),
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      'config.gazeDelay',
      '0 to 1',
    )
    await expectDiffSalError(
      () => datasets.openGaze(temporaryPath('none'), { gazeDelay: gazeDelay as never }),
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      'gazeDelay',
      '0 to 1',
    )
  }
})

test('a stream waits for sound that is late half of its latency after the frame, also where a delay puts the sound before it', async () => {
  const model = new FakeModel({ size: [2, 2], clipLength: 8, gazeDelay: 0.5 })
  const stream = openStream(model, { fps: 30, sampleRate: 1000, latency: 1 })
  const maps = (async () => {
    let count = 0
    for await (const _ of stream) count += 1
    return count
  })()
  // The sound comes 0.7 s late: later than half a second after its own moment, earlier than half a second after the frame's.
  const late = 21
  for (let k = 0; k < 90; k++) {
    await stream.pushFrame({ dtype: 'uint8', shape: [2, 2, 3], data: new Uint8Array(12) }, k / 30)
    const [from, to] = [Math.round(((k - late) * 1000) / 30), Math.round(((k - late + 1) * 1000) / 30)]
    if (k >= late) await stream.pushAudio(new Float32Array(to - from).fill(1), from / 1000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  stream.end()
  expect(await maps).toBe(90)
  for (const [k, { input }] of model.calls.entries()) {
    // Those of the beginning have silence before it, and those that are left at the end are not waited for.
    if (k < 25 || k > 70) continue
    expect(
      input.audio![0]!.samples.every((value) => value === 1),
      `frame ${k}`,
    ).toBe(true)
  }
})
