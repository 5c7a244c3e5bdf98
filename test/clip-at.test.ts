import { afterEach, beforeEach, expect, test } from 'vitest'
import { clipAt, DiffSal, metrics, presets, setLogger, type DecodedVideo, type Tensor } from '../lib/index.ts'
import { readFrames } from '../lib/media/frames.ts'
import { probe } from '../lib/media/probe.ts'
import { readSound } from '../lib/media/sound.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { noiseLike } from './support/test-values.ts'
import { lightConfig } from './support/tiny-config.ts'

let warnings: string[] = []
beforeEach(() => {
  warnings = []
  setLogger((level, message) => void (level === 'warn' && warnings.push(message)))
})
afterEach(() => setLogger(undefined))

/** Frame k is all k, sample i is i. */
function counted(
  count: number,
  fps: number,
  sampleRate: number,
): Required<DecodedVideo> & { frames: Tensor<'uint8'>; audio: { samples: Float32Array; sampleRate: number } } {
  const data = Uint8Array.from({ length: count * 12 }, (_, i) => Math.floor(i / 12))
  return {
    frames: { dtype: 'uint8', shape: [count, 2, 2, 3], data },
    audio: { samples: Float32Array.from({ length: Math.round((count / fps) * sampleRate) }, (_, i) => i + 1), sampleRate },
    fps,
  }
}

const numbers = ({ data }: Tensor<'uint8'>): number[] => Array.from({ length: data.length / 12 }, (_, t) => data[t * 12]!)

test('the frames around one, the edge frames repeated', () => {
  const video = counted(20, 25, 1000)
  expect(numbers(clipAt(video, 10).frames!)).toEqual(Array.from({ length: 16 }, (_, t) => 2 + t))
  expect(numbers(clipAt(video, 0, { clipLength: 4 }).frames!)).toEqual([0, 0, 0, 1])
  expect(numbers(clipAt(video, 19, { clipLength: 8 }).frames!)).toEqual([15, 16, 17, 18, 19, 19, 19, 19])
})

test('their own sound: T / fps seconds from half a frame before the first, silent beyond the ends', () => {
  const video = counted(50, 25, 1000)
  const { audio } = clipAt(video, 20)
  // Frame 12 is shown from 480 ms on, and the clip's sound begins 20 ms before.
  expect(audio).toMatchObject({ sampleRate: 1000, fps: 25 })
  expect([audio!.samples.length, audio!.samples[0], audio!.samples.at(-1)]).toEqual([640, 461, 1100])
  const start = clipAt(video, 0).audio!.samples
  expect([start.length, start.findIndex((value) => value !== 0), start[340]]).toEqual([640, 340, 1])
  const end = clipAt(video, 49).audio!.samples
  expect([end.length, end.findLastIndex((value) => value !== 0)]).toEqual([640, 2000 - (41 * 40 - 20) - 1])
})

test('sound alone, a video without sound, and what is neither', async () => {
  const { frames, audio, fps } = counted(20, 10, 1000)
  expect(clipAt({ audio, fps }, 1000)).toMatchObject({ audio: { fps: 10 } })
  expect(clipAt({ frames, fps }, 3)).toMatchObject({ audio: null })
  const refused = (work: () => unknown, ...words: string[]) => expectDiffSalError(() => Promise.resolve().then(work), 'ERR_DIFFSAL_INVALID_ARGUMENT', ...words)
  await refused(() => clipAt({ fps }, 0), "'video'")
  await refused(() => clipAt({ frames, fps }, 20), "'frame'", '0 to 19')
  await refused(() => clipAt({ frames, fps: 0 }, 0), "'fps'")
  await refused(() => clipAt({ frames, audio: { samples: [0] as never, sampleRate: 1000 }, fps }, 0), "'audio.samples'")
  await refused(() => clipAt({ frames: { ...frames, shape: [20, 12] }, fps }, 0), "'frames.shape'")
  await refused(() => clipAt({ frames, fps, rate: 3 } as never, 0), "'rate'")
})

/** A file as a program of one's own would have it in memory. */
async function decoded(path: string, size: readonly [number, number]): Promise<DecodedVideo> {
  const { video, audio, ...info } = await probe(path)
  const pictures: Uint8Array[] = []
  for await (const { pixels } of readFrames({ ...info, audio, video: video! }, size)) pictures.push(pixels.slice())
  const chunks: Float32Array[] = []
  for await (const chunk of readSound({ ...info, video, audio: audio! })) chunks.push(chunk.slice())
  return {
    frames: { dtype: 'uint8', shape: [pictures.length, ...size, 3], data: Uint8Array.from(Buffer.concat(pictures)) },
    audio: { samples: Float32Array.from(chunks.flatMap((chunk) => [...chunk])), sampleRate: 16_000 },
    fps: video!.rate.num / video!.rate.den,
  }
}

test('who cuts by clipAt gets the maps of predictVideo, with the scenes preset; who gives 1.6 s does not', async () => {
  await using model = await DiffSal.load(presets.scenes.weights, { threads: 1 })
  const path = 'examples/scene.mp4'
  const video = await decoded(path, model.config.size)
  let [compared, otherwise] = [0, 0]
  for await (const { frame, tensor } of model.predictVideo(path, { stride: 24, seed: 1 })) {
    const clip = clipAt(video, frame, { clipLength: model.config.clipLength })
    const map = await model.predict(clip, { seed: 1 })
    expect(map.data, `frame ${frame}`).toEqual(tensor.data)
    compared += 1
    // As the text said it once: 1.6 s around the frame.
    const middle = Math.round((frame / video.fps) * 16_000)
    const samples = Float32Array.from({ length: 25_600 }, (_, i) => video.audio!.samples[middle - 12_800 + i] ?? 0)
    const { values } = await metrics.cc(await model.predict({ frames: clip.frames, audio: { samples, sampleRate: 16_000 } }, { seed: 1 }), tensor)
    otherwise += values[0]! < 0.9 ? 1 : 0
  }
  expect(compared).toBeGreaterThan(5)
  expect(otherwise).toBeGreaterThan(0)
  expect(warnings).toEqual([expect.stringMatching(/^'audio' lasts 1\.6 s, as 16 frames do at 10 a second\. .*16 \/ fps seconds.*clipAt/)])
}, 180_000)

test('a sound that is not as long as fps says is refused; one of no usual length is warned about, once a model', async () => {
  await using model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
  const frames: Tensor<'uint8'> = { dtype: 'uint8', shape: [16, 8, 12, 3], data: new Uint8Array(16 * 8 * 12 * 3) }
  const predict = (length: number, fps?: number) =>
    model.predict({ frames, audio: { samples: noiseLike('sound', length), sampleRate: 16_000, fps } }, { steps: 1, seed: 1 })
  const refused = (length: number, fps: number, ...words: string[]) => expectDiffSalError(() => predict(length, fps), 'ERR_DIFFSAL_INVALID_ARGUMENT', ...words)
  await refused(25_600, 25, "'audio.samples'", '0.64 s (16 frames at 25 a second; clipAt cuts it)', '1.6 s')
  await refused(160_000, 30, '0.5333 s', '10 s')
  await refused(1000, 25, '0.0625 s')
  await expectDiffSalError(() => predict(25_600, Number.NaN), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'audio.fps'")
  for (const [length, fps] of [
    [10_240, 25],
    [10_240 + 300, 25],
    [25_600, 10],
    [8533, 30],
    [8533, undefined],
    [10_677, undefined],
  ] as const)
    await predict(length, fps)
  // Silence says nothing, however long.
  await model.predict({ frames, audio: { samples: new Float32Array(25_600), sampleRate: 16_000 } }, { steps: 1 })
  expect(warnings).toEqual([])
  await predict(160_000)
  await predict(25_600)
  expect(warnings).toEqual([expect.stringMatching(/^'audio' lasts 10 s, as 16 frames do at 1\.6 a second\./)])
})

test('a clip of a file that no memory holds is refused as such', async () => {
  const error = await expectDiffSalError(() => clipAt('examples/scene.mp4', 0, { size: [65_536, 65_536] }), 'ERR_DIFFSAL_OUT_OF_MEMORY')
  expect(error.message).toMatch(/^Out of memory: \d+ numbers of type uint8/)
})
