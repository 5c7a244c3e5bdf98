import { expect, test } from 'vitest'
import { clipBatches, FrameWindow, SoundWindow, type ClipBatch, type ClipEnd, type ClipPlan } from '../../lib/media/clip-windows.ts'
import type { Frame } from '../../lib/media/frames.ts'
import { rational, type Rational } from '../../lib/media/rational.ts'

/** One-pixel frames that hold their own number, at times of their own, and how many of them were asked for. */
function numbered(count: number, time = (k: number): number => k / 25): { frames: AsyncGenerator<Frame, void, undefined>; read: () => number } {
  let read = 0
  async function* frames(): AsyncGenerator<Frame, void, undefined> {
    for (let k = 0; k < count; k++) {
      read += 1
      yield { pixels: Uint8Array.of(k & 255, k >> 8, 7), time: time(k) }
    }
  }
  return { frames: frames(), read: () => read }
}

/** Samples that hold their own number, in chunks of changing length. */
async function* ramp(count: number): AsyncGenerator<Float32Array, void, undefined> {
  for (let from = 0, turn = 0; from < count; turn++) {
    const length = Math.min(1 + ((turn * 7919) % 3000), count - from)
    yield Float32Array.from({ length }, (_, i) => from + i + 1)
    from += length
  }
}

const plan: ClipPlan = { clipLength: 16, stride: 1, batch: 1, video: true, audio: false }

async function collect(batches: AsyncGenerator<ClipBatch, ClipEnd, undefined>): Promise<ClipEnd & { batches: ClipBatch[] }> {
  const all: ClipBatch[] = []
  for (;;) {
    const next = await batches.next()
    if (next.done) return { batches: all, ...next.value }
    all.push(next.value)
  }
}

/** The frame numbers in a batch's windows. */
function contents({ clips, frames }: ClipBatch, clipLength: number): Record<number, number[]> {
  const pixels = clips!.data
  const windows = frames.map((frame, b) => [
    frame,
    Array.from({ length: clipLength }, (_, t) => pixels[(b * clipLength + t) * 3]! + 256 * pixels[(b * clipLength + t) * 3 + 1]!),
  ])
  return Object.fromEntries(windows) as Record<number, number[]>
}

/** As the paper's rule says it, written down independently. */
function expectedWindow(frame: number, count: number, clipLength: number): number[] {
  const window: number[] = []
  for (let k = frame - clipLength / 2; k <= frame + clipLength / 2 - 1; k++) window.push(k < 0 ? 0 : Math.min(k, count - 1))
  return window
}

test.each([
  [2, 16, 1, 1],
  [5, 16, 1, 4],
  [16, 16, 1, 1],
  [17, 16, 1, 3],
  [100, 16, 1, 7],
  [100, 16, 24, 2],
  [97, 16, 24, 4],
  [40, 8, 3, 2],
  [40, 32, 5, 1],
  [9, 2, 1, 2],
  [9, 2, 4, 1],
])('%i frames, clips of %i, stride %i, batches of %i: every window is the one of the rule', async (count, clipLength, stride, batch) => {
  const frames = new FrameWindow(numbered(count).frames, [1, 1], clipLength)
  const result = await collect(clipBatches({ frames, rate: rational(25, 1) }, { ...plan, clipLength, stride, batch }))
  const windows = Object.assign({}, ...result.batches.map((one) => contents(one, clipLength))) as Record<number, number[]>
  const expected: Record<number, number[]> = {}
  for (let k = 0; k < count; k += stride) expected[k] = expectedWindow(k, count, clipLength)
  expect(windows).toEqual(expected)
  expect(result.frames).toBe(count)
  const maps = Object.keys(expected).length
  const sizes = Array.from({ length: Math.ceil(maps / batch) }, (_, i) => Math.min(batch, maps - i * batch))
  expect(result.batches.map(({ frames: indices }) => indices.length)).toEqual(sizes)
  for (const { clips, frames: indices } of result.batches) expect(clips!.shape).toEqual([indices.length, clipLength, 1, 1, 3])
})

test('no more is read ahead than a window needs, and no more is kept', async () => {
  const source = numbered(5000)
  const window = new FrameWindow(source.frames, [1, 1], 16)
  const batches = clipBatches({ frames: window, rate: rational(25, 1) }, { ...plan, stride: 10, batch: 2 })
  for (;;) {
    const next = await batches.next()
    if (next.done) break
    expect(source.read()).toBeLessThanOrEqual(next.value.frames.at(-1)! + 8)
  }
})

/** The excerpt of frame k, from the rule: half a frame before the first of the window to half a frame after its last. */
function expectedSound(k: number, count: number, { num, den }: Rational, start = 0): number[] {
  const seconds = (halfFrames: number): number => start + (halfFrames * den) / (2 * num)
  const from = Math.round(seconds(2 * (k - 8) - 1) * 16_000)
  const to = Math.round(seconds(2 * (k + 7) + 1) * 16_000)
  return Array.from({ length: to - from }, (_, i) => (from + i >= 0 && from + i < count ? from + i + 1 : 0))
}

test.each([
  ['25', rational(25, 1), 1],
  ['30000/1001', rational(30_000, 1001), 1],
  ['59.94', rational(60_000, 1001), 7],
  ['8: longer than the model hears', rational(8, 1), 1],
  ['1: longer than the ring was', rational(1, 1), 1],
])('the sound of every frame at %s frames a second', async (_name, rate, stride) => {
  const count = Math.round((40 * rate.den * 16_000) / rate.num) - 777
  const frames = new FrameWindow(numbered(40, (k) => (k * rate.den) / rate.num).frames, [1, 1], 16)
  const source = { frames, sound: new SoundWindow(ramp(count)), rate }
  const { batches } = await collect(clipBatches(source, { ...plan, audio: true, stride }))
  expect(batches).toHaveLength(Math.ceil(40 / stride))
  for (const {
    frames: [k],
    audio,
  } of batches) {
    expect(audio).toHaveLength(1)
    expect(audio![0]!.sampleRate).toBe(16_000)
    // Compared as bytes: arrays of numbers this long take seconds to compare one by one.
    const [found, expected] = [audio![0]!.samples, Float32Array.from(expectedSound(k!, count, rate))]
    expect(Buffer.compare(Buffer.from(found.buffer), Buffer.from(expected.buffer)), `frame ${k}`).toBe(0)
  }
})

test('sound that starts before the first frame is heard before it', async () => {
  const frames = new FrameWindow(numbered(20, (k) => 0.2 + k / 25).frames, [1, 1], 16)
  const source = { frames, sound: new SoundWindow(ramp(16_000)), rate: rational(25, 1) }
  const { batches } = await collect(clipBatches(source, { ...plan, audio: true }))
  // 0.2 s are five frames, so the window of frame 0 has 3.5 frames of silence before.
  const [first] = batches[0]!.audio!
  expect(first!.samples.findIndex((value) => value !== 0)).toBe(3.5 * 640)
  for (const {
    frames: [k],
    audio,
  } of batches)
    expect([...audio![0]!.samples]).toEqual(expectedSound(k!, 16_000, rational(25, 1), 0.2))
})

test("at a variable rate the sound is around the frame's own time, and every frame's time is told once", async () => {
  const time = (k: number): number => (k < 10 ? k / 50 : 0.2 + (k - 10) * 0.3)
  const frames = new FrameWindow(numbered(30, time).frames, [1, 1], 16)
  const source = { frames, sound: new SoundWindow(ramp(120_000)), rate: rational(25, 1) }
  const { batches, times, frames: count } = await collect(clipBatches(source, { ...plan, audio: true, stride: 4, batch: 3 }))
  expect(count).toBe(30)
  expect([...batches.flatMap((batch) => batch.times.flat()), ...times]).toEqual(Array.from({ length: 30 }, (_, k) => time(k)))
  for (const { frames: indices, times: passed, audio } of batches) {
    for (const [b, k] of indices.entries()) {
      expect(passed[b]!.at(-1)).toBe(time(k))
      // 16 frames at 25 a second, of which eight and a half lie before the middle of frame k.
      const [samples, from] = [audio![b]!.samples, Math.round((time(k) - 0.34) * 16_000)]
      expect(samples).toHaveLength(10_240)
      expect(samples[6000]).toBe(from + 6001)
      expect(samples[0]).toBe(from < 0 ? 0 : from + 1)
    }
  }
})

test('where there is no sound, the excerpts are silence of the right length', async () => {
  const frames = new FrameWindow(numbered(3).frames, [1, 1], 16)
  const { batches } = await collect(clipBatches({ frames, rate: rational(25, 1) }, { ...plan, batch: 8, audio: true }))
  const [{ audio }] = batches as [ClipBatch]
  expect(audio!.map(({ samples }) => samples.length)).toEqual([10_240, 10_240, 10_240])
  expect(audio!.every(({ samples }) => samples.every((value) => value === 0))).toBe(true)
})

test.each([
  [0, 0],
  [1, 1],
  [640, 1],
  [641, 2],
  [16_000, 25],
  [16_001, 26],
])('sound alone: %i samples are %i frames at 25 a second', async (samples, expected) => {
  const source = { sound: new SoundWindow(ramp(samples)), rate: rational(25, 1) }
  const { batches, frames } = await collect(clipBatches(source, { ...plan, video: false, audio: true }))
  expect(frames).toBe(expected)
  expect(batches.map(({ frames: [k] }) => k)).toEqual(Array.from({ length: expected }, (_, k) => k))
  for (const {
    frames: [k],
    audio,
    clips,
  } of batches) {
    expect(clips).toBeUndefined()
    expect([...audio![0]!.samples]).toEqual(expectedSound(k!, samples, rational(25, 1)))
  }
})
