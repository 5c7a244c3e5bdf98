import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DiffSal } from '../lib/index.ts'
import { setLogger } from '../lib/log.ts'
import { predictMedia, predictVideo, readVideoOptions, type PredictVideoOptions, type VideoMap, type VideoProgress } from '../lib/predict-video.ts'
import { probe } from '../lib/media/probe.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { FakeModel } from './support/fake-model.ts'
import { ffmpegs } from './support/ffmpegs.ts'
import { beeping, flashing, h264 } from './support/flashes.ts'
import { ffmpeg, frameNumber, numberedFrames, picture, runningFfmpegs, tone } from './support/media.ts'
import { temporaryPath } from './support/temporary.ts'
import { lightConfig } from './support/tiny-config.ts'

const speaker = 'examples/speaker.mp4'

let warnings: string[] = []
beforeEach(() => {
  warnings = []
  setLogger((level, message) => void (level === 'warn' && warnings.push(message)))
})
afterEach(async () => {
  setLogger(undefined)
  expect(await runningFfmpegs()).toEqual([])
})

async function collect(model: FakeModel, path: string, options?: PredictVideoOptions): Promise<VideoMap[]> {
  const maps: VideoMap[] = []
  for await (const map of predictVideo(model, path, options)) maps.push(map)
  return maps
}

async function input(name: string, ...args: string[]): Promise<string> {
  const path = temporaryPath(name)
  await ffmpeg(...args, path)
  return path
}

/** The frame numbers in the first window of a call. */
function windowOf(model: FakeModel, call: number, b = 0): number[] {
  const { shape, data } = model.calls[call]!.input.frames!
  const [, length, height, width] = shape as [number, number, number, number]
  return Array.from({ length }, (_, t) => frameNumber(data, (b * length + t) * height * width * 3))
}

test('speaker.mp4: every frame has its map, its time and its sound', async () => {
  const model = new FakeModel()
  const maps = await collect(model, speaker, { batch: 4, seed: 7, steps: 3, eta: 0.5 })
  expect(maps.map(({ frame }) => frame)).toEqual(Array.from({ length: 150 }, (_, k) => k))
  expect(maps[45]).toMatchObject({ frame: 45, time: 1.5, tensor: { dtype: 'float32', shape: [1, 1, 32, 64] } })
  expect(maps.every(({ tensor }) => tensor.data.length === 32 * 64)).toBe(true)
  expect(model.calls.map(({ input: { frames } }) => frames!.shape[0])).toEqual([...Array.from({ length: 37 }, () => 4), 2])
  for (const {
    input: { audio },
    options,
  } of model.calls) {
    expect(options).toMatchObject({ steps: 3, eta: 0.5 })
    expect(new Set(options.seed)).toEqual(new Set([7]))
    expect(options.seed).toHaveLength(audio!.length)
    for (const { samples, sampleRate } of audio!) {
      expect(sampleRate).toBe(16_000)
      expect(Math.abs(samples.length - (16 / 30) * 16_000)).toBeLessThanOrEqual(1)
    }
  }
  // He speaks in the middle; before the start there is nothing to hear.
  const energy = (samples: Float32Array): number => samples.reduce((sum, value) => sum + value * value, 0)
  expect(energy(model.calls[18]!.input.audio![0]!.samples)).toBeGreaterThan(0.01)
  expect(energy(model.calls[0]!.input.audio![0]!.samples.subarray(0, 4_400))).toBe(0)
  expect(warnings).toEqual([])
})

test('windows of a real file, at the edges and with a stride', async () => {
  const path = temporaryPath('numbered.mkv')
  await numberedFrames(path, 45, '25', ['-f', 'lavfi', '-i', 'sine=d=1.8', '-c:a', 'flac'])
  const model = new FakeModel({ size: [32, 32] })
  const maps = await collect(model, path, { stride: 20, batch: 2 })
  expect(maps.map(({ frame, time }) => [frame, time])).toEqual([
    [0, 0],
    [20, 0.8],
    [40, 1.6],
  ])
  const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
  expect(windowOf(model, 0)).toEqual([...Array.from({ length: 8 }, () => 0), ...range(0, 7)])
  expect(windowOf(model, 0, 1)).toEqual(range(12, 27))
  expect(windowOf(model, 1)).toEqual([...range(32, 44), 44, 44, 44])
})

test.each(ffmpegs)('a flash and its beep are in the same window, though the streams begin apart: %s', async (_name, program) => {
  vi.stubEnv('DIFFSAL_FFMPEG', program)
  const path = temporaryPath('apart.ts')
  await ffmpeg(...flashing(3, 0.5), '-itsoffset', '0.8', ...beeping(2.2, 1.3), ...h264, '-c:a', 'aac', path)
  const model = new FakeModel({ size: [32, 32] })
  const maps = await collect(model, path)
  expect(maps.map(({ frame, time }) => [frame, Number(time.toFixed(4))])).toEqual(Array.from({ length: 75 }, (_, k) => [k, k / 25]))
  for (const [k, { input }] of model.calls.entries()) {
    const { data } = input.frames!
    const flash = Array.from({ length: 16 }, (_, t) => t).filter((t) => data[t * 32 * 32 * 3]! > 200)
    const { samples } = input.audio![0]!
    const beep = samples.findIndex((value) => Math.abs(value) > 0.2)
    if (flash.length !== 1 || k < 20 || beep < 1000 || flash[0]! > 13) continue
    // The flash's frame is shown 20 ms after the beep began, and lasts 40 ms; its sample in the window is the middle of it.
    expect(Math.abs(beep - (flash[0]! + 0.5) * 640 + 320), `window ${k}`).toBeLessThan(500)
  }
  vi.unstubAllEnvs()
})

test('without a seed, one is drawn for the whole video', async () => {
  const [first, second] = [new FakeModel(), new FakeModel()]
  await collect(first, speaker, { stride: 50 })
  await collect(second, speaker, { stride: 50 })
  const seeds = first.calls.map(({ options }) => options.seed![0]!)
  expect(new Set(seeds).size).toBe(1)
  expect(seeds[0]).not.toBe(second.calls[0]!.options.seed![0])
})

test('the summary has the number of frames', async () => {
  const model = new FakeModel()
  const maps = predictMedia(model, await probe(speaker), readVideoOptions(model, { stride: 100 }))
  expect((await maps.next()).value).toMatchObject({ frame: 0 })
  expect((await maps.next()).value).toMatchObject({ frame: 100 })
  expect(await maps.next()).toEqual({ done: true, value: { frames: 150, times: Array.from({ length: 49 }, (_, i) => (101 + i) / 30) } })
})

test('progress', async () => {
  const seen: VideoProgress[] = []
  await collect(new FakeModel(), speaker, { stride: 75, steps: 2, onProgress: (progress) => seen.push(progress) })
  expect(seen).toEqual([
    { maps: 0, mapEstimate: 2, step: 1, steps: 2 },
    { maps: 0, mapEstimate: 2, step: 2, steps: 2 },
    { maps: 1, mapEstimate: 2, step: 1, steps: 2 },
    { maps: 1, mapEstimate: 2, step: 2, steps: 2 },
  ])
})

test('a video without sound: silence and a warning, unless sound is not wanted', async () => {
  const path = await input('mute.mp4', ...picture('64x48', '25', 0.4), '-c:v', 'libx264', '-pix_fmt', 'yuv420p')
  const hearing = new FakeModel()
  expect(await collect(hearing, path)).toHaveLength(10)
  expect(hearing.calls[0]!.input.audio![0]!.samples).toEqual(new Float32Array(10_240))
  expect(warnings).toEqual([expect.stringMatching(/has no sound.*silence/)])

  warnings = []
  const told = new FakeModel()
  expect(await collect(told, path, { videoOnly: true })).toHaveLength(10)
  expect(told.calls.every(({ input: { audio } }) => audio === null)).toBe(true)
  const deaf = new FakeModel({ audio: false })
  expect(await collect(deaf, path)).toHaveLength(10)
  expect(deaf.calls.every(({ input }) => !('audio' in input))).toBe(true)
  expect(warnings).toEqual([])
})

test('a model of sound alone: sound without video, and with it', async () => {
  const alone = await input('alone.mp3', ...tone(1), '-c:a', 'libmp3lame')
  const model = new FakeModel({ video: false })
  const maps = await collect(model, alone, { stride: 5 })
  expect(maps.length).toBeGreaterThanOrEqual(5)
  expect(maps[1]).toMatchObject({ frame: 5, time: 0.2 })
  expect(model.calls.every(({ input }) => !('frames' in input) && input.audio!.length === 1)).toBe(true)

  const seeing = new FakeModel({ video: false })
  expect(await collect(seeing, speaker, { stride: 30 })).toHaveLength(5)
  expect(seeing.calls.every(({ input }) => !('frames' in input))).toBe(true)

  const mute = await input('mute-2.mp4', ...picture('64x48', '25', 0.4), '-c:v', 'libx264', '-pix_fmt', 'yuv420p')
  await expectDiffSalError(() => collect(new FakeModel({ video: false }), mute), 'ERR_DIFFSAL_MEDIA', 'no sound')
  await expectDiffSalError(() => collect(new FakeModel(), alone), 'ERR_DIFFSAL_MEDIA', 'no video')
})

test('bad files', async () => {
  const model = new FakeModel()
  await expectDiffSalError(() => collect(model, temporaryPath('missing.mp4')), 'ERR_DIFFSAL_FILE', 'does not exist')
  expect(model.calls).toEqual([])

  const codec = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-movflags', '+faststart']
  const whole = await input('whole.mp4', ...picture('320x240', '25', 4), ...tone(4), ...codec)
  const cut = temporaryPath('cut.mp4')
  const bytes = readFileSync(whole)
  writeFileSync(cut, bytes.subarray(0, Math.floor(bytes.length * 0.6)))
  await expectDiffSalError(() => collect(model, cut, { batch: 8 }), 'ERR_DIFFSAL_MEDIA', 'cut off', /\d+ of about 100 frames/)
  expect(model.calls.length).toBeGreaterThan(1)
})

test.each<[unknown, ...string[]]>([
  [{ strid: 2 }, "unknown option 'strid'", "Did you mean 'stride'"],
  [{ stride: 0 }, "'stride'", 'at least 1'],
  [{ stride: 1.5 }, "'stride'", '1.5'],
  [{ batch: 0 }, "'batch'", '0'],
  [{ steps: 0 }, "'steps'", '0'],
  [{ steps: 1.5 }, "'steps'", '1.5'],
  [{ eta: 2 }, "'eta'", 'from 0 to 1'],
  [{ seed: -1 }, "'seed'", '-1'],
  [{ videoOnly: 'yes' }, "'videoOnly'", 'true or false'],
  [{ videoTrack: 0 }, "'videoTrack'", 'at least 1'],
  [{ audioTrack: 1.5 }, "'audioTrack'", '1.5'],
  [{ stallLimit: 0 }, "'stallLimit'", '0'],
  [{ signal: {} }, "'signal'", 'AbortSignal'],
  [{ onProgress: 1 }, "'onProgress'", 'a function'],
  [[], "'options'", 'an object'],
])('options %j are refused before anything is read', async (options, ...parts) => {
  const attempt = (): unknown => collect(new FakeModel(), '/nowhere.mp4', options as PredictVideoOptions)
  await expectDiffSalError(attempt, 'ERR_DIFFSAL_INVALID_ARGUMENT', ...parts)
})

test('a model of sound alone cannot be told to leave the sound out', async () => {
  const attempt = (): unknown => collect(new FakeModel({ video: false }), speaker, { videoOnly: true })
  await expectDiffSalError(attempt, 'ERR_DIFFSAL_INVALID_ARGUMENT', 'videoOnly')
})

/** A model whose predictions end when they are told to, the calls of `ends`. */
function held(config?: Partial<FakeModel['config']>): { model: FakeModel; ends: (() => void)[] } {
  const model = new FakeModel(config)
  const ends: (() => void)[] = []
  model.before = () => new Promise<void>((resolve) => ends.push(resolve))
  return { model, ends }
}

const decoding = async (): Promise<boolean> => (await runningFfmpegs()).some((command) => command.includes('rawvideo'))

test('a batch is given to the model while it has another, one more is read, and no further', async () => {
  // So large frames that the pipe holds but a part of one.
  const { model, ends } = held({ size: [224, 384] })
  const maps = predictVideo(model, speaker, { stride: 40 })
  const first = maps.next()
  await vi.waitUntil(() => ends.length === 2, { timeout: 20_000 })
  // Frames 0 and 40 are predicted; the window of 80 has been read, and with it the decoder waits.
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(ends).toHaveLength(2)
  expect(await decoding()).toBe(true)
  // In order, though the second is ready before the first.
  ends[1]!()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(ends).toHaveLength(2)
  ends[0]!()
  expect((await first).value).toMatchObject({ frame: 0 })
  // That one was taken gives room for another, though nobody asks for a map.
  await vi.waitUntil(() => ends.length === 3, { timeout: 20_000 })
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(ends).toHaveLength(3)
  expect((await maps.next()).value).toMatchObject({ frame: 40 })
  // The next call may have begun by now, or begin later.
  model.before = undefined
  for (const end of ends.slice(2)) end()
  expect((await maps.next()).value).toMatchObject({ frame: 80 })
  expect((await maps.next()).value).toMatchObject({ frame: 120 })
  expect((await maps.next()).done).toBe(true)
})

test('a failure comes in its turn, and nothing that goes on beside it is left', async () => {
  const model = new FakeModel()
  const reason = new Error('the second')
  model.before = async () => {
    const { length } = model.calls
    await new Promise((resolve) => setTimeout(resolve, 100 / length))
    if (length === 2) throw reason
  }
  const maps = predictVideo(model, speaker)
  expect((await maps.next()).value).toMatchObject({ frame: 0 })
  await expect(maps.next()).rejects.toBe(reason)
  expect(await runningFfmpegs()).toEqual([])
  expect(model.calls.length).toBeLessThanOrEqual(3)
})

test('a failing model ends the decoding', async () => {
  const model = new FakeModel()
  const reason = new Error('out of order')
  model.before = () => Promise.reject(reason)
  await expect(collect(model, speaker)).rejects.toBe(reason)
})

test('leaving the loop ends the decoding at once', async () => {
  const model = new FakeModel()
  for await (const { frame } of predictVideo(model, speaker)) if (frame === 3) break
  expect(await runningFfmpegs()).toEqual([])
})

test('return() during a prediction does not wait for it', async () => {
  const model = new FakeModel()
  let stopped: unknown
  model.before = () =>
    new Promise((_, reject) => {
      const { signal } = model.calls.at(-1)!.options
      signal!.addEventListener('abort', () => {
        stopped = signal!.reason
        reject(signal!.reason as Error)
      })
    })
  const maps = predictVideo(model, speaker)
  const pending = maps.next()
  await vi.waitUntil(() => model.calls.length >= 1, { timeout: 20_000 })
  expect(await maps.return()).toEqual({ done: true, value: undefined })
  expect(stopped).toBeDefined()
  expect(await pending).toEqual({ done: true, value: undefined })
  expect(await runningFfmpegs()).toEqual([])
  expect(await maps.next()).toEqual({ done: true, value: undefined })
})

test('aborting before, during a prediction and between maps rejects with the reason', async () => {
  const reason = new Error('stop')
  const model = new FakeModel()
  await expect(collect(model, speaker, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(model.calls).toEqual([])

  const during = new AbortController()
  model.before = () => during.abort(reason)
  await expect(collect(model, speaker, { signal: during.signal })).rejects.toBe(reason)
  expect(await runningFfmpegs()).toEqual([])

  const between = new AbortController()
  const maps = predictVideo(new FakeModel(), speaker, { signal: between.signal })
  await maps.next()
  expect(await runningFfmpegs()).toHaveLength(2)
  between.abort(reason)
  await vi.waitUntil(async () => (await runningFfmpegs()).length === 0)
  await expect(maps.next()).rejects.toBe(reason)
})

test('a name with odd characters', async () => {
  const path = temporaryPath("-x %d 'ü.mp4")
  copyFileSync(speaker, path)
  expect(await collect(new FakeModel(), path, { stride: 75 })).toHaveLength(2)
})

test('a model that is disposed ends the decoding that nobody reads on', async () => {
  const model = await DiffSal.create(lightConfig, { seed: 1 })
  const abandoned = model.predictVideo(speaker, { steps: 1 })
  expect((await abandoned.next()).done).toBe(false)
  expect(await runningFfmpegs()).not.toEqual([])
  await model.dispose()
  await vi.waitFor(async () => expect(await runningFfmpegs()).toEqual([]), { timeout: 10_000 })
  await expectDiffSalError(() => abandoned.next(), 'ERR_DIFFSAL_DISPOSED', 'model')
})
