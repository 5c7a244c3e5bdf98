import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { DiffSal, presets, type Tensor } from '../lib/index.ts'
import { LiveClips, type LivePlan } from '../lib/live/live-clips.ts'
import { readFrames, type Frame } from '../lib/media/frames.ts'
import { probe } from '../lib/media/probe.ts'
import { rationalValue } from '../lib/media/rational.ts'
import { readSound } from '../lib/media/sound.ts'
import { openStream, type SaliencyStream, type StreamMap, type StreamOptions } from '../lib/predict-stream.ts'
import { predictVideo } from '../lib/predict-video.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { FakeModel } from './support/fake-model.ts'
import { lightConfig } from './support/tiny-config.ts'
import { collectWarnings } from './support/warnings.ts'

const warnings = collectWarnings()
const scene = 'examples/scene.mp4'

const unheard: unknown[] = []
const hear = (reason: unknown): void => void unheard.push(reason)
process.on('unhandledRejection', hear)
afterAll(() => void process.off('unhandledRejection', hear))
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
const before = timers()
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve))
  expect(unheard.splice(0)).toEqual([])
  await vi.waitFor(() => expect(timers()).toBeLessThanOrEqual(before + 1))
})

/** Frame k is all k, of 2 × 2 pixels. */
function frame(k: number, size: readonly [number, number] = [2, 2]): Tensor<'uint8'> {
  return { dtype: 'uint8', shape: [...size, 3], data: new Uint8Array(size[0] * size[1] * 3).fill(k) }
}

/** A small model: eight frames a clip, of which four come before the predicted one and three after. */
const small = (config: Partial<FakeModel['config']> = {}): FakeModel => new FakeModel({ size: [2, 2], clipLength: 8, ...config })

/** The numbers of the frames that a call was given. */
const seen = (model: FakeModel, call: number): number[] => Array.from({ length: 8 }, (_, t) => model.calls[call]!.input.frames!.data[t * 12]!)
const heard = (model: FakeModel, call: number): number[] => [...model.calls[call]!.input.audio![0]!.samples]

async function collect(stream: SaliencyStream): Promise<StreamMap[]> {
  const maps: StreamMap[] = []
  for await (const map of stream) maps.push(map)
  return maps
}

/** Whether arrays are the same, bit for bit. */
function same(a: Tensor['data'], b: Tensor['data']): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength))
}

/** A file's frames and sound, pushed as a camera would: each frame with the sound that has come until then. */
async function pushFile(stream: SaliencyStream, path: string, size: readonly [number, number], timed: boolean): Promise<void> {
  const { video, audio, ...info } = await probe(path)
  const frames = readFrames({ ...info, audio, video: video! }, size) as AsyncGenerator<Frame>
  const sound = audio && readSound({ ...info, video, audio })
  let heardUntil = 0
  for await (const { pixels, time } of frames) {
    while (sound && heardUntil < time + 0.4) {
      const { done, value } = await sound.next()
      if (done) break
      await stream.pushAudio(value, timed ? heardUntil : undefined)
      heardUntil += value.length / 16_000
    }
    await stream.pushFrame({ dtype: 'uint8', shape: [...size, 3], data: pixels }, timed ? time : undefined)
  }
  stream.end()
}

test.each([true, false])(
  'fed with the frames and the sound of a file, the model is given what predictVideo gives it: times told: %s',
  async (timed) => {
    const video = await probe(scene)
    const [ofFile, ofStream] = [new FakeModel(), new FakeModel()]
    const expected: StreamMap[] = []
    for await (const { frame, time, tensor } of predictVideo(ofFile, scene, { seed: 3, steps: 2, stride: 2 }))
      expected.push({ frame, time, size: [32, 64], tensor })
    const stream = openStream(ofStream, { fps: rationalValue(video.video!.rate), sampleRate: 16_000, drop: 'block', seed: 3, steps: 2, stride: 2 })
    const [maps] = await Promise.all([collect(stream), pushFile(stream, scene, [32, 64], timed)])
    expect(maps.map(({ frame }) => frame)).toEqual(expected.map(({ frame }) => frame))
    for (const [i, { time, tensor, size }] of maps.entries()) {
      expect(Math.abs(time - expected[i]!.time)).toBeLessThan(1e-9)
      expect(size).toEqual([32, 64])
      expect(same(tensor.data, expected[i]!.tensor.data)).toBe(true)
    }
    expect(ofStream.calls).toHaveLength(ofFile.calls.length)
    for (const [i, { input, options }] of ofStream.calls.entries()) {
      const [clip, sound] = [ofFile.calls[i]!.input.frames!, ofFile.calls[i]!.input.audio![0]!]
      expect(same(input.frames!.data, clip.data), `frames of clip ${i}`).toBe(true)
      expect(same(input.audio![0]!.samples, sound.samples), `sound of clip ${i}`).toBe(true)
      expect([input.audio![0]!.sampleRate, input.audio![0]!.fps]).toEqual([sound.sampleRate, sound.fps])
      expect([options.steps, options.seed, options.eta]).toEqual([2, [3], 0])
    }
    expect(stream.dropped).toBe(0)
    expect(warnings).toEqual([])
  },
  120_000,
)

test('with the real network, the maps of a stream are those of the file', async () => {
  await using model = await DiffSal.load(presets.scenes.weights, { threads: 1 })
  const expected: Tensor[] = []
  for await (const { tensor } of model.predictVideo(scene, { seed: 1, steps: 1, stride: 16 })) expected.push(tensor)
  const stream = model.stream({ fps: rationalValue((await probe(scene)).video!.rate), sampleRate: 16_000, drop: 'block', seed: 1, steps: 1, stride: 16 })
  const [maps] = await Promise.all([collect(stream), pushFile(stream, scene, model.config.size, true)])
  expect(expected.length).toBeGreaterThan(3)
  expect(maps.map(({ tensor }, i) => same(tensor.data, expected[i]!.data))).toEqual(expected.map(() => true))
}, 180_000)

test('a map comes when the frames after its own are there; with a smaller lookahead sooner, with the last one repeated and silence from there', async () => {
  for (const [lookahead, frames, sound] of [
    [undefined, [0, 0, 0, 0, 0, 1, 2, 3], 8],
    [1, [0, 0, 0, 0, 0, 1, 1, 1], 6],
    [0, [0, 0, 0, 0, 0, 0, 0, 0], 5],
  ] as const) {
    const model = small()
    const stream = openStream(model, { fps: 100, sampleRate: 1000, ...(lookahead !== undefined && { lookahead }) })
    const maps = stream[Symbol.asyncIterator]()
    const first = maps.next()
    await stream.pushAudio(new Float32Array(200).fill(1))
    for (let k = 0; k < (lookahead ?? 3); k++) await stream.pushFrame(frame(k))
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(model.calls).toHaveLength(0)
    await stream.pushFrame(frame(lookahead ?? 3))
    expect((await first).value).toMatchObject({ frame: 0, time: 0, size: [2, 2] })
    expect(seen(model, 0)).toEqual(frames)
    // 10 ms a frame: 45 ms before the frame's time there is nothing; then as many frames as are looked ahead, and a half.
    const samples = heard(model, 0)
    expect([samples.length, samples.indexOf(1), samples.lastIndexOf(1) + 1]).toEqual([80, 45, Math.round((sound - 0.5) * 10) + 5])
    await maps.return()
  }
})

test('missing frames are the one before them again; late ones take its time; a long stop is none', async () => {
  const model = small()
  const stream = openStream(model, { fps: 10, drop: 'block', videoOnly: true })
  const all = collect(stream)
  for (const [k, time] of [
    [0, 5],
    [1, 5.1],
    [4, 5.4],
    [5, 5.35],
    [6, 5.5],
    [7, 60],
  ] as const)
    await stream.pushFrame(frame(k), time)
  stream.end()
  const maps = await all
  expect(maps.map(({ frame, time }) => [frame, Number(time.toFixed(3))])).toEqual([
    [0, 5],
    [1, 5.1],
    [2, 5.2],
    [3, 5.3],
    [4, 5.4],
    [5, 5.4],
    [6, 5.5],
    [7, 60],
  ])
  expect(seen(model, 4)).toEqual([0, 1, 1, 1, 4, 5, 6, 7])
  expect(model.calls.every(({ input }) => input.audio === null)).toBe(true)

  const uneven = small()
  const kept = openStream(uneven, { fps: 10, drop: 'block', videoOnly: true, repeat: false })
  const others = collect(kept)
  for (const [k, time] of [
    [0, 0],
    [1, 0.7],
    [2, 0.8],
  ] as const)
    await kept.pushFrame(frame(k), time)
  kept.end()
  expect((await others).map(({ frame, time }) => [frame, time])).toEqual([
    [0, 0],
    [1, 0.7],
    [2, 0.8],
  ])
})

test('sound that is missing is silence, that comes twice is heard once, that is late is waited for and then given up', async () => {
  const model = small()
  const stream = openStream(model, { fps: 10, sampleRate: 1000, drop: 'block', lookahead: 0, latency: 1 })
  const all = collect(stream)
  const tone = (value: number, length: number): Float32Array => new Float32Array(length).fill(value)
  await stream.pushAudio(tone(1, 200), 0)
  await stream.pushAudio(tone(2, 500), 0.5)
  await stream.pushAudio(tone(3, 400), 0.8)
  for (let k = 0; k < 11; k++) await stream.pushFrame(frame(k), k / 10)
  // From here there is no sound: half of latency later it is no longer waited for.
  await vi.waitFor(() => expect(model.calls).toHaveLength(11))
  for (let k = 11; k < 18; k++) await stream.pushFrame(frame(k), k / 10)
  await vi.waitFor(() => expect(model.calls).toHaveLength(12))
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(model.calls).toHaveLength(12)
  await stream.pushFrame(frame(18), 1.8)
  await vi.waitFor(() => expect(model.calls).toHaveLength(13))
  stream.end()
  expect(await all).toHaveLength(19)
  // The clip of frame 9 hears from 0.45 s on, until half a frame after its own: 0.5 s to 1 s are 2, and what came again is left out.
  const samples = heard(model, 9)
  const changes = samples.flatMap((value, i) => (i === 0 || value !== samples[i - 1] ? [[i, value]] : []))
  expect(changes).toEqual([
    [0, 0],
    [50, 2],
    [500, 0],
  ])
  expect(heard(model, 11).includes(3)).toBe(true)
  expect(heard(model, 18).every((value) => value === 0)).toBe(true)
})

test('oldest: who waits longest gets no map, and is seen still; the maps go on', async () => {
  const model = small()
  const ends: (() => void)[] = []
  model.before = () => new Promise<void>((resolve) => ends.push(resolve))
  const stream = openStream(model, { fps: 10, latency: 0.5, lookahead: 1, videoOnly: true })
  const maps = stream[Symbol.asyncIterator]()
  const first = maps.next()
  for (let k = 0; k < 60; k++) await stream.pushFrame(frame(k))
  await vi.waitUntil(() => ends.length === 1)
  ends[0]!()
  // The first was begun at once; of the others five may wait.
  expect((await first).value!.frame).toBe(0)
  expect(stream.dropped).toBe(53)
  model.before = undefined
  for (const end of ends) end()
  stream.end()
  const rest: number[] = []
  for (;;) {
    const next = await maps.next()
    if (next.done) break
    rest.push(next.value.frame)
  }
  expect(rest).toEqual([54, 55, 56, 57, 58, 59])
  expect(seen(model, 1)).toEqual([50, 51, 52, 53, 54, 55, 55, 55])
  expect(seen(model, 0).every((value, i, all) => i === 0 || value >= all[i - 1]!)).toBe(true)
  expect(rest.length + 1 + stream.dropped).toBe(60)
})

test('block: a push waits until there is room, and no map is lost', async () => {
  const model = small()
  const stream = openStream(model, { fps: 10, latency: 0.5, lookahead: 0, drop: 'block', videoOnly: true })
  let pushed = 0
  const pushing = (async () => {
    for (let k = 0; k < 40; k++) {
      await stream.pushFrame(frame(k))
      pushed += 1
    }
    stream.end()
  })()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(pushed).toBe(5)
  const maps = await collect(stream)
  await pushing
  expect(maps.map(({ frame }) => frame)).toEqual(Array.from({ length: 40 }, (_, k) => k))
})

test('error: the stream ends where the model cannot keep up, for the reader and the writer', async () => {
  const stream = openStream(small(), { fps: 10, latency: 0.5, drop: 'error', videoOnly: true })
  const push = async (): Promise<void> => {
    for (let k = 0; k < 40; k++) await stream.pushFrame(frame(k))
  }
  await expectDiffSalError(push, 'ERR_DIFFSAL_OVERRUN', 'cannot keep up')
  await expectDiffSalError(() => collect(stream), 'ERR_DIFFSAL_OVERRUN', 'cannot keep up')
})

test.each([0, 0.3])(
  'nothing is held but what is needed, however long it goes on: a gaze delay of %d s',
  (gazeDelay) => {
    const plan: LivePlan = {
      clipLength: 16,
      gazeDelay,
      lookahead: 7,
      stride: 1,
      fps: 10,
      sampleRate: 16_000,
      video: true,
      audio: true,
      latency: 1,
      drop: 'oldest',
      repeats: true,
      stallLimit: 60,
    }
    const clips = new LiveClips(plan)
    const pixels = new Uint8Array(12)
    const most = { frames: 0, samples: 0 }
    // Nine hours, at noon of some day, of which nobody reads a map.
    for (let k = 0; k < 9 * 3600 * 10; k++) {
      const time = 1.7e9 + k / 10
      clips.takeFrame(pixels, [2, 2], time)
      if (k % 10 === 0) clips.takeSound(new Float32Array(16_000), time)
      if (k % 1000 === 0) for (const name of ['frames', 'samples'] as const) most[name] = Math.max(most[name], clips.held[name])
    }
    expect(most.frames).toBeLessThan(10 + 16 + 8 + 10 * gazeDelay)
    expect(most.samples).toBeLessThan(5 * 16_000)
    expect(clips.dropped).toBeGreaterThan(300_000)
  },
  60_000,
)

test('what is pushed is copied, and can be used again', async () => {
  const model = small()
  const stream = openStream(model, { fps: 10, sampleRate: 1000, lookahead: 0 })
  const maps = stream[Symbol.asyncIterator]()
  const [picture, samples] = [frame(7), new Float32Array(200).fill(1)]
  await stream.pushAudio(samples)
  await stream.pushFrame(picture)
  picture.data.fill(9)
  samples.fill(9)
  await maps.next()
  expect(new Set(seen(model, 0))).toEqual(new Set([7]))
  expect(new Set(heard(model, 0))).toEqual(new Set([0, 1]))
  await maps.return()
})

test('a model of sound alone: its frames are counted by the sound', async () => {
  const model = small({ video: false })
  const stream = openStream(model, { fps: 10, sampleRate: 1000, drop: 'block' })
  const all = collect(stream)
  for (let i = 0; i < 10; i++) await stream.pushAudio(new Float32Array(100).fill(i))
  await expectDiffSalError(() => stream.pushFrame(frame(0)), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'only hears')
  stream.end()
  expect((await all).map(({ frame }) => frame)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(model.calls.every(({ input }) => !('frames' in input))).toBe(true)
  expect(() => openStream(small({ video: false }), { fps: 10 })).toThrow('sampleRate')
})

test('a stream without sound says so', async () => {
  const stream = openStream(small(), { fps: 10, lookahead: 0 })
  const maps = stream[Symbol.asyncIterator]()
  await stream.pushFrame(frame(1))
  expect((await maps.next()).value).toMatchObject({ frame: 0 })
  expect(warnings).toEqual([expect.stringMatching(/no sound.*silence/)])
  await expectDiffSalError(() => stream.pushAudio(new Float32Array(4)), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'sampleRate')
  await maps.return()
})

test.each<[unknown, string]>([
  [undefined, 'fps'],
  [{}, 'fps'],
  [{ fps: 0 }, 'fps'],
  [{ fps: 30, sampleRate: 10 }, 'sampleRate'],
  [{ fps: 30, lookahead: 4 }, 'from 0 to 3'],
  [{ fps: 30, lookahead: -1 }, 'lookahead'],
  [{ fps: 30, latency: 0 }, 'latency'],
  [{ fps: 30, drop: 'newest' }, "'oldest', 'block', 'error'"],
  [{ fps: 30, look: 1 }, 'unknown option'],
  [{ fps: 30, signal: 1 }, 'signal'],
])('options %j are refused', async (options, words) => {
  await expectDiffSalError(() => openStream(small(), options as StreamOptions), 'ERR_DIFFSAL_INVALID_ARGUMENT', words)
})

test('what is pushed is checked, and the stream goes on', async () => {
  const stream = openStream(small(), { fps: 10, sampleRate: 1000, lookahead: 0 })
  const refused = (push: () => Promise<void>, ...words: (string | RegExp)[]) => expectDiffSalError(push, 'ERR_DIFFSAL_INVALID_ARGUMENT', ...words)
  await stream.pushFrame(frame(0))
  await refused(() => stream.pushFrame(frame(1, [2, 3])), "'frame.shape' must be (2, 2, 3), as of the frames before, but (2, 3, 3) came")
  await refused(() => stream.pushFrame({ ...frame(1), shape: [12] }), '(h, w, 3)')
  await refused(() => stream.pushFrame(undefined as never), "'frame'")
  await refused(() => stream.pushFrame(frame(1), Number.NaN), "'time'")
  await refused(() => stream.pushAudio([1] as never), "'samples'")
  await refused(() => stream.pushAudio(new Float32Array(4), '1' as never), "'time'")
  await refused(() => stream.pushAudio(new Float32Array(4), 11), 'within 10 s of the picture', /11\.00 s, while the newest frame is of 0\.00 s/)
  // At three times the rate that was told, the sound runs away.
  const run = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await stream.pushAudio(new Float32Array(3000))
  }
  await refused(run, "is 'sampleRate' right")
  stream.end()
  expect(await collect(stream)).toHaveLength(1)
})

test('a stream that stalls, or never begins, ends after the stall limit', async () => {
  const never = openStream(small(), { fps: 10, videoOnly: true, stallLimit: 0.05 })
  await expectDiffSalError(() => collect(never), 'ERR_DIFFSAL_MEDIA', 'gave nothing for 0.05 s')
  await expectDiffSalError(() => never.pushFrame(frame(0)), 'ERR_DIFFSAL_MEDIA', 'gave nothing')
  const stalls = openStream(small(), { fps: 10, lookahead: 0, videoOnly: true, stallLimit: 0.05 })
  await stalls.pushFrame(frame(0))
  const maps = stalls[Symbol.asyncIterator]()
  expect((await maps.next()).done).toBe(false)
  await expectDiffSalError(() => maps.next(), 'ERR_DIFFSAL_MEDIA', 'gave nothing for 0.05 s')
})

test('after its end, and after the reader left, nothing is taken', async () => {
  const ended = openStream(small(), { fps: 10, videoOnly: true })
  ended.end()
  expect(await collect(ended)).toEqual([])
  await expectDiffSalError(() => ended.pushFrame(frame(0)), 'ERR_DIFFSAL_DISPOSED', 'has ended')

  const left = openStream(small(), { fps: 10, lookahead: 0, drop: 'block', videoOnly: true })
  await left.pushFrame(frame(0))
  for await (const _ of left) break
  await expectDiffSalError(() => left.pushFrame(frame(1)), 'ERR_DIFFSAL_DISPOSED', 'has ended')
  // Nobody awaits this one, and nothing comes of it.
  void left.pushFrame(frame(1))
})

test('aborting, a failing model, and leaving release a reader and a writer that wait', async () => {
  const reason = new Error('enough')
  const full = async (stream: SaliencyStream): Promise<void> => {
    for (let k = 0; k < 100; k++) await stream.pushFrame(frame(k))
  }
  const controller = new AbortController()
  const aborted = openStream(small(), { fps: 10, drop: 'block', videoOnly: true, signal: controller.signal })
  const [writing, waiting] = [full(aborted), aborted.pushAudio.length]
  expect(waiting).toBe(2)
  controller.abort(reason)
  await expect(writing).rejects.toBe(reason)
  await expect(collect(aborted)).rejects.toBe(reason)

  const model = small()
  model.before = () => Promise.reject(reason)
  const failing = openStream(model, { fps: 10, drop: 'block', videoOnly: true })
  const writer = full(failing)
  await Promise.all([expect(collect(failing)).rejects.toBe(reason), expect(writer).rejects.toBe(reason)])

  const idle = openStream(small(), { fps: 10, videoOnly: true })
  const maps = idle[Symbol.asyncIterator]()
  const pending = maps.next()
  expect(await maps.return()).toEqual({ done: true, value: undefined })
  expect(await pending).toEqual({ done: true, value: undefined })
  expect(() => openStream(small(), { fps: 10, signal: AbortSignal.abort(reason), videoOnly: true })).not.toThrow()
})

test('a model that is disposed ends its streams', async () => {
  const model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
  const stream = model.stream({ fps: 10, videoOnly: true })
  const pending = collect(stream)
  await stream.pushFrame(frame(0))
  await Promise.all([expectDiffSalError(() => pending, 'ERR_DIFFSAL_DISPOSED', 'model'), model.dispose()])
  await expectDiffSalError(() => stream.pushFrame(frame(1)), 'ERR_DIFFSAL_DISPOSED', 'model')
  expect(() => model.stream({ fps: 10 })).toThrow('disposed')
})

test('as a Duplex: a pipeline of objects, with back-pressure, errors and destruction', async () => {
  const model = small()
  const stream = openStream(model, { fps: 10, sampleRate: 1000, drop: 'block' })
  const source = Readable.from(
    Array.from({ length: 30 }, (_, k) => [
      { samples: new Float32Array(100).fill(k), time: k / 10 },
      { frame: frame(k), time: k / 10 },
    ]).flat(),
  )
  const frames: number[] = []
  const sink = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write({ frame: number }: StreamMap, _, done) {
      frames.push(number)
      setImmediate(done)
    },
  })
  await pipeline(source, stream.toDuplex(), sink)
  expect(frames).toEqual(Array.from({ length: 30 }, (_, k) => k))

  const wrong = openStream(small(), { fps: 10, videoOnly: true }).toDuplex()
  await expectDiffSalError(
    () => pipeline(Readable.from([{ picture: 1 }]), wrong, new Writable({ objectMode: true })),
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    "'chunk'",
  )
  expect(wrong.destroyed).toBe(true)

  // Nobody reads: the writer is held back.
  const held = openStream(small(), { fps: 10, latency: 0.3, lookahead: 0, drop: 'block', videoOnly: true })
  const duplex = held.toDuplex()
  let written = 0
  const writing = (async () => {
    for (let k = 0; k < 100 && !duplex.destroyed; k++) {
      if (!duplex.write({ frame: frame(k) })) await new Promise((resolve) => duplex.once('drain', resolve).once('close', resolve))
      written += 1
    }
  })().catch(() => undefined)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(written).toBeLessThan(20)
  const closed = new Promise((resolve) => duplex.once('close', resolve))
  duplex.on('error', () => undefined)
  duplex.destroy()
  await closed
  await expectDiffSalError(() => held.pushFrame(frame(0)), 'ERR_DIFFSAL_DISPOSED')
  await writing
})
