import { afterEach, expect, test } from 'vitest'
import { DiffSal, presets, type ListenOptions } from '../lib/index.ts'
import { hearingRule, listen, type Listener } from '../lib/listen.ts'
import { probe } from '../lib/media/probe.ts'
import { readSound } from '../lib/media/sound.ts'
import { listeningStrip } from '../lib/report/listening-strip.ts'
import sharp from 'sharp'
import { expectDiffSalError } from './support/expect-error.ts'
import { ffmpeg, picture, runningFfmpegs } from './support/media.ts'
import { temporaryPath } from './support/temporary.ts'
import { testWeights } from './support/test-weights.ts'
import { lightConfig } from './support/tiny-config.ts'

const speaker = 'examples/speaker.mp4'

afterEach(async () => {
  expect(await runningFfmpegs()).toEqual([])
})

interface Asked {
  readonly samples: Float32Array
  readonly seed: number
  readonly first: number
}

/** A model whose map is a bump, moved by what it is told: `by` gives pixels of a clip's sound and seed. */
function bumpModel(by: (samples: Float32Array, seed: number) => number): { model: Listener; asked: Asked[] } {
  const asked: Asked[] = []
  const model: Listener = {
    config: { size: [32, 64], clipLength: 16, video: true, audio: true },
    async predict({ frames, audio }, { seed }) {
      const { samples } = audio![0]!
      asked.push({ samples, seed: seed![0]!, first: frames!.data[0]! })
      const centre = 32 + by(samples, seed![0]!)
      const data = Float32Array.from({ length: 32 * 64 }, (_, i) => Math.exp(-(((i % 64) - centre) ** 2) / 32) + 0.01)
      return { dtype: 'float32', shape: [1, 1, 32, 64], data }
    },
  }
  return { model, asked }
}

const loudness = (samples: Float32Array): number => Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length)

test('each frame is heard five times: right, with another seed, silent, shuffled and a second early', async () => {
  const { model, asked } = bumpModel(() => 0)
  const { frames, seed, shift } = await listen(model, speaker, { frames: 6, seed: 7 })
  expect([frames.length, asked.length, seed, shift]).toEqual([6, 30, 7, 1])
  const whole: number[] = []
  const { audio, ...rest } = await probe(speaker)
  for await (const chunk of readSound({ ...rest, audio: audio! })) whole.push(...chunk)
  const right = Array.from({ length: 6 }, (_, i) => asked[5 * i]!.samples)
  const others = new Set<number>()
  for (const [i, { frame, time }] of frames.entries()) {
    const [own, other, silent, shuffled, early] = asked.slice(5 * i, 5 * i + 5)
    expect([own!.seed, other!.seed, silent!.seed, shuffled!.seed, early!.seed]).toEqual([7, 8, 7, 7, 7])
    expect(other!.samples).toEqual(own!.samples)
    expect(silent!.samples).toEqual(new Float32Array(own!.samples.length))
    const from = right.indexOf(shuffled!.samples)
    expect(from).not.toBe(i)
    others.add(from)
    // 30 frames a second, so that 16 frames are 8533 samples; what is past the end is the beginning.
    const at = Math.round((time - 8.5 / 30) * 16_000) + 16_000
    expect(Array.from(early!.samples.subarray(0, 2000))).toEqual(Array.from({ length: 2000 }, (_, k) => whole[(at + k) % whole.length]))
    expect(frame).toBe(Math.round(time * 30))
  }
  // Every frame's sound is once another's.
  expect([...others].toSorted()).toEqual([0, 1, 2, 3, 4, 5])
  // Evenly over 150 frames.
  expect(frames.map(({ frame }) => frame)).toEqual([12, 36, 60, 84, 108, 132])
})

test('a model that ignores the sound does not hear, and one that follows it does, by the rule', async () => {
  const deaf = await listen(bumpModel((_, seed) => 2 * (seed % 2)).model, speaker, { frames: 4, seed: 1 })
  expect(deaf).toMatchObject({ hears: false, verdict: 'does not hear', changedBy: [], changes: { otherSeed: { timesNoise: 1 } } })
  expect(deaf.changes.silence.cc).toBeCloseTo(1, 9)
  expect(deaf.changes.silence.kl).toBeCloseTo(0, 9)
  const ears = await listen(bumpModel((samples, seed) => (loudness(samples) === 0 ? 8 : 0) + (seed % 2)).model, speaker, { frames: 4, seed: 1 })
  expect(ears).toMatchObject({ hears: true, verdict: 'hears', changedBy: ['silence'] })
  expect(ears.changes.silence.timesNoise).toBeGreaterThan(hearingRule.timesNoise)
  expect(ears.changes.silence.kl).toBeGreaterThan(hearingRule.timesNoise * ears.changes.otherSeed.kl)
  expect(ears.changes.shuffled.cc).toBeCloseTo(1, 9)
  // As much as the noise is not enough, nor is a change that nobody would see.
  const restless = await listen(bumpModel((samples, seed) => (loudness(samples) === 0 ? 4 : 0) + 4 * (seed % 2)).model, speaker, { frames: 4, seed: 1 })
  expect(restless.hears).toBe(false)
  const slight = await listen(bumpModel((samples) => (loudness(samples) === 0 ? 0.01 : 0)).model, speaker, { frames: 4, seed: 1 })
  expect(slight.hears).toBe(false)
  expect(slight.changes.silence.timesNoise).toBeGreaterThan(hearingRule.timesNoise)
})

test('the weights of scenes hear a generated scene, and the strip shows it', async () => {
  await using model = await DiffSal.load(presets.scenes.weights)
  const progress: number[] = []
  const heard = await model.listen('examples/scene.mp4', { frames: 6, seed: 1, steps: 2, onProgress: ({ maps, total }) => void progress.push(maps / total) })
  expect(heard.verdict).toBe('hears')
  expect(heard.changedBy).toEqual(['silence', 'shuffled', 'shifted'])
  expect(progress).toEqual(Array.from({ length: 30 }, (_, i) => (i + 1) / 30))
  const { width, height, format } = await sharp(await listeningStrip(heard.frames)).metadata()
  expect([format, width, height]).toEqual(['png', 6 * (2 * 96 + 4) - 4, 6 * (2 * 64 + 4) - 4])
})

test('what cannot be listened to is refused', async () => {
  const { model } = bumpModel(() => 0)
  const refused = (options: object, argument: string) =>
    expectDiffSalError(() => listen(model, speaker, options as ListenOptions), 'ERR_DIFFSAL_INVALID_ARGUMENT', '', argument)
  await refused({ frames: 1 }, 'frames')
  await refused({ shift: 0 }, 'shift')
  await refused({ seed: -1 }, 'seed')
  await refused({ sound: 'right' }, 'sound')
  const deaf = { ...model, config: { ...model.config, audio: false } }
  await expectDiffSalError(() => listen(deaf, speaker), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'does not hear', 'model')
  const mute = temporaryPath('mute.mp4')
  await ffmpeg(...picture('64x48', '25', 0.8), mute)
  await expectDiffSalError(() => listen(model, mute), 'ERR_DIFFSAL_MEDIA', 'no sound')
  await expectDiffSalError(() => listen(model, 'nowhere.mp4'), 'ERR_DIFFSAL_FILE', 'nowhere.mp4')
  await expect(listen(model, speaker, { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
  const leaving = new AbortController()
  const late = listen(model, speaker, { frames: 4, signal: leaving.signal, onProgress: () => leaving.abort('later') })
  await expect(late).rejects.toBe('later')
})

test('a model that is disposed of ends it', async () => {
  const model = await DiffSal.load(await testWeights(lightConfig), { threads: 1 })
  const heard = expectDiffSalError(() => model.listen(speaker, { frames: 4 }), 'ERR_DIFFSAL_DISPOSED', 'disposed', 'model')
  await model.dispose()
  await heard
  await expectDiffSalError(() => model.listen(speaker), 'ERR_DIFFSAL_DISPOSED', 'disposed', 'model')
})
