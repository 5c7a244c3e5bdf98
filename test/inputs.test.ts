import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, defaultConfig, melSlices, type AudioExcerpt, type ClipInput, type NormalisationConfig, type Tensor } from '../lib/index.ts'
import { expectClose } from './support/expect-close.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { noiseLike } from './support/test-values.ts'
import { testWeights } from './support/test-weights.ts'
import { lightConfig } from './support/tiny-config.ts'
import { tinyInputs } from './support/tiny-inputs.ts'

const { frames, mel, noise } = tinyInputs()
const [height, width] = [64, 96]
const options = { steps: 1, noise }

let model: DiffSal

beforeAll(async () => {
  model = await DiffSal.load(await testWeights(lightConfig), { threads: 1 })
})

afterAll(() => model?.dispose())

const predict = (input: ClipInput) => model.predict(input, options)

/** The largest difference of two maps. */
const difference = (a: Tensor<'float32'>, b: Tensor<'float32'>) => a.data.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b.data[i]!)), 0)

/** 16 pictures of noise, in channels of unlike brightness. */
function pictures(h: number, w: number, name = 'pictures'): Tensor<'uint8'> {
  const data = Uint8Array.from(noiseLike(name, 16 * h * w * 3), (value, i) => value * [255, 120, 60][i % 3]!)
  return { dtype: 'uint8', shape: [16, h, w, 3], data }
}

/** (T, h, w, 3) pixels, not only whole ones, as the float32 (1, 3, T, h, w) that a network takes. */
function normalised(pixels: Pick<Tensor, 'shape' | 'data'>, { scale, mean, std }: NormalisationConfig): Tensor<'float32'> {
  const [t, h, w] = pixels.shape as [number, number, number]
  const plane = t * h * w
  const data = new Float32Array(3 * plane)
  for (let i = 0; i < 3 * plane; i++) {
    const c = i % 3
    data[c * plane + Math.floor(i / 3)] = ((Number(pixels.data[i]) / 255) * scale - mean[c]!) / std[c]!
  }
  return { dtype: 'float32', shape: [1, 3, t, h, w], data }
}

/**
 * (T, h, w, 3) resized: a pixel is the mean of the source around its place, weighted by a triangle that reaches as far as
 * its neighbours on the coarser of the two grids.
 */
function resized(pixels: Tensor<'uint8'>, h: number, w: number): { shape: number[]; data: Float64Array } {
  const [t, fromHeight, fromWidth] = pixels.shape as [number, number, number]
  const weights = (from: number, to: number) =>
    Array.from({ length: to }, (_, i) => {
      const scale = from / to
      const row = Array.from({ length: from }, (_, j) => Math.max(0, 1 - Math.abs(j + 0.5 - (i + 0.5) * scale) / Math.max(scale, 1)))
      const sum = row.reduce((a, b) => a + b)
      return row.flatMap((value, j) => (value > 0 ? [[j, value / sum] as const] : []))
    })
  const [rows, columns] = [weights(fromHeight, h), weights(fromWidth, w)]
  const data = new Float64Array(t * h * w * 3)
  for (let f = 0, at = 0; f < t; f++)
    for (const row of rows)
      for (const column of columns)
        for (let c = 0; c < 3; c++, at++)
          for (const [y, a] of row) for (const [x, b] of column) data[at]! += a * b * pixels.data[((f * fromHeight + y) * fromWidth + x) * 3 + c]!
  return { shape: [t, h, w, 3], data }
}

const tone = (sampleRate: number, seconds = 1, hertz = 1000): AudioExcerpt => ({
  samples: Float32Array.from({ length: Math.round(seconds * sampleRate) }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / sampleRate)),
  sampleRate,
})

describe('uint8 frames', () => {
  it("of the model's size are normalised by the configuration", async () => {
    const pixels = pictures(height, width)
    const map = await predict({ frames: pixels, mel })
    expectClose(map, await predict({ frames: normalised(pixels, defaultConfig.normalisation), mel }), 1e-5)
    expect(difference(map, await predict({ frames: pictures(height, width, 'others'), mel }))).toBeGreaterThan(1e-3)
  })

  it('are normalised by whatever the configuration says', async () => {
    const normalisation = { scale: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const
    await using other = await DiffSal.load(await testWeights(lightConfig), { config: { normalisation }, threads: 1 })
    const pixels = pictures(height, width)
    const map = await other.predict({ frames: pixels, mel }, options)
    expectClose(map, await predict({ frames: normalised(pixels, normalisation), mel }), 1e-5)
  })

  it.each([
    ['twice the size', 2 * height, 2 * width],
    ['three times the size', 3 * height, 3 * width],
    ['half the size', height / 2, width / 2],
    ['another shape', 2 * height, width / 3],
    ['a size that nothing divides', 101, 67],
    ['one pixel', 1, 1],
  ])('of %s are resized, bilinear and antialiased', async (_, h, w) => {
    const pixels = pictures(h, w)
    const map = await predict({ frames: pixels, mel })
    expectClose(map, await predict({ frames: normalised(resized(pixels, height, width), defaultConfig.normalisation), mel }), 1e-5)
  })

  it('may come as one clip or as a batch', async () => {
    const one = pictures(32, 48)
    const map = await predict({ frames: one, mel })
    expectClose(await predict({ frames: { ...one, shape: [1, ...one.shape] }, mel }), map, 0)
    const other = pictures(32, 48, 'others')
    const two = tinyInputs(2)
    const both = await model.predict(
      { frames: { dtype: 'uint8', shape: [2, ...one.shape], data: Buffer.concat([one.data, other.data]) }, audio: null },
      { steps: 1, noise: two.noise },
    )
    const first = { ...noise, data: two.noise.data.slice(0, height * width) }
    const alone = await model.predict({ frames: one, audio: null }, { steps: 1, noise: first })
    expectClose({ ...both, shape: [1, 1, height, width], data: both.data.slice(0, height * width) }, alone, 1e-5)
  })

  it.each<[string, number[]]>([
    ['15 frames', [15, 8, 8, 3]],
    ['four channels', [16, 8, 8, 4]],
    ['channels first', [16, 3, 8, 8]],
    ['no height', [16, 0, 8, 3]],
    ['no clip', [0, 16, 8, 8, 3]],
    ['one dimension too many', [1, 1, 16, 8, 8, 3]],
    ['a single picture', [8, 8, 3]],
  ])('are refused: %s', async (_, shape) => {
    const data = new Uint8Array(shape.reduce((a, b) => a * b))
    const call = () => predict({ frames: { dtype: 'uint8', shape, data }, mel })
    const error = await expectDiffSalError(call, 'ERR_DIFFSAL_INVALID_ARGUMENT', '(16, h, w, 3)')
    expect(error.argument).toBe('frames.shape')
  })
})

describe('sound', () => {
  /** The slices of exactly 1.6 s at 16 kHz, as the network takes them. */
  async function slicesOf(samples: Float32Array): Promise<Tensor<'float32'>> {
    expect(samples).toHaveLength(25600)
    const slices = await melSlices(samples, { sampleRate: 16000, size: [height / 2, width / 2], slots: 9 })
    return { ...slices, shape: [1, ...slices.shape] }
  }

  it.each([1, 2, 10_667, 25_599, 25_600])('of %i samples is heard in the middle of 1.6 s of silence', async (count) => {
    const samples = noiseLike('sound', count).map((value) => value + 0.1)
    const centred = new Float32Array(25600)
    centred.set(samples, Math.floor((25600 - count) / 2))
    const map = await predict({ frames, audio: { samples, sampleRate: 16000 } })
    expectClose(map, await predict({ frames, mel: await slicesOf(centred) }), 1e-6)
    // One sample later would be another map.
    centred.copyWithin(1, 0)
    const late = difference(map, await predict({ frames, mel: await slicesOf(centred) }))
    if (count > 1) expect(late).toBeGreaterThan(1e-5)
  })

  it.each([25_601, 25_602, 160_000])('of %i samples is heard in its middle alone', async (count) => {
    // Loud outside of what is heard.
    const samples = new Float32Array(count).fill(0.9)
    const begin = Math.floor((count - 25600) / 2)
    const middle = noiseLike('sound', 25600)
    samples.set(middle, begin)
    const map = await predict({ frames, audio: { samples, sampleRate: 16000 } })
    expectClose(map, await predict({ frames, mel: await slicesOf(middle) }), 1e-6)
  })

  it('makes a difference: none, silence, and a tone are three maps', async () => {
    const none = await predict({ frames, audio: null })
    const silence = await predict({ frames, audio: { samples: new Float32Array(16000), sampleRate: 16000 } })
    const heard = await predict({ frames, audio: tone(16000) })
    expect(difference(none, silence)).toBeGreaterThan(0.01)
    expect(difference(silence, heard)).toBeGreaterThan(0.005)
    expect(difference(none, heard)).toBeGreaterThan(0.01)
  })

  it.each([48000, 44100, 22050, 96000, 8000])('at %i Hz is heard as at 16 kHz', async (sampleRate) => {
    const map = await predict({ frames, audio: tone(16000) })
    expectClose(await predict({ frames, audio: tone(sampleRate) }), map, 1e-4)
  })

  it.each([48000, 44100])('of 10 s at %i Hz is cut before it is resampled, in its middle', async (sampleRate) => {
    // The pitch tells where in the sound a sample was.
    const sweep = (rate: number): AudioExcerpt => ({
      samples: Float32Array.from({ length: 10 * rate }, (_, i) => 0.5 * Math.sin(2 * Math.PI * (200 + (100 * i) / rate) * (i / rate))),
      sampleRate: rate,
    })
    expectClose(await predict({ frames, audio: sweep(sampleRate) }), await predict({ frames, audio: sweep(16000) }), 2e-5)
  })

  it('comes one excerpt a clip, each at its own rate', async () => {
    const two = tinyInputs(2)
    const audio = [tone(16000), tone(48000, 0.5, 440)]
    const maps = await model.predict({ frames: two.frames, audio }, { steps: 1, noise: two.noise })
    const size = height * width
    for (const i of [0, 1]) {
      const cut = (tensor: Tensor<'float32'>) => ({
        ...tensor,
        shape: [1, ...tensor.shape.slice(1)],
        data: tensor.data.slice((i * tensor.data.length) / 2, ((i + 1) * tensor.data.length) / 2),
      })
      const alone = await model.predict({ frames: cut(two.frames), audio: [audio[i]!] }, { steps: 1, noise: cut(two.noise) })
      expectClose({ ...alone, data: maps.data.slice(i * size, (i + 1) * size) }, alone, 1e-5)
    }
  })

  const refused = async (input: unknown, argument: string, ...parts: string[]) => {
    const error = await expectDiffSalError(() => predict(input as ClipInput), 'ERR_DIFFSAL_INVALID_ARGUMENT', ...parts)
    expect(error.argument).toBe(argument)
  }

  it('is refused where it is not what it says', async () => {
    const samples = new Float32Array(100)
    await refused({ frames, audio: { samples: [0, 0], sampleRate: 16000 } }, 'audio.samples', 'Float32Array')
    await refused({ frames, audio: Array(1) }, 'audio[0]', 'undefined came')
    await refused({ frames, audio: { samples: new Float32Array(0), sampleRate: 16000 } }, 'audio.samples', 'at least 1')
    await refused({ frames, audio: { samples } }, 'audio.sampleRate', 'undefined came')
    await refused({ frames, audio: { samples, sampleRate: 999 } }, 'audio.sampleRate', '1000 to 384000')
    await refused({ frames, audio: { samples, sampleRate: 44100.5 } }, 'audio.sampleRate', '44100.5 came')
    await refused({ frames, audio: { samples, rate: 16000 } }, 'audio.rate', 'sampleRate')
    await refused({ frames, audio: [{ samples, sampleRate: 16000 }, null] }, 'audio[1]', 'null came')
    await refused({ frames, audio: samples }, 'audio', 'Float32Array')
  })

  it('is refused twice, and for another number of clips', async () => {
    await refused({ frames, mel, audio: tone(16000) }, 'mel', "left out where 'audio' is given")
    await refused({ frames, audio: [tone(16000), tone(16000)] }, 'audio', "of the same batch as 'frames', 1", 'a batch of 2')
    await refused({ frames, audio: [] }, 'audio')
    await refused({ frames }, 'audio', 'null leaves sound out')
  })
})

describe("features' tensors", () => {
  it('are copies of their own, whatever becomes of the features and the model', async () => {
    const model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    const features = await model.encode({ frames, mel })
    const [first, second] = [features.tensors(), features.tensors()]
    features.dispose()
    const closed = model.dispose()
    const [one, two] = await Promise.all([first, second])
    await closed
    for (const [i, tensor] of [...one.video, one.audio!].entries()) {
      const other = [...two.video, two.audio!][i]!
      expectClose(tensor, other, 0)
      expect(tensor.data.some((value) => value !== 0)).toBe(true)
      expect(tensor.data.buffer).not.toBe(other.data.buffer)
    }
    await expectDiffSalError(() => features.tensors(), 'ERR_DIFFSAL_DISPOSED')
  })
})

describe('a model that only sees', () => {
  it('takes frames alone', async () => {
    await using deaf = await DiffSal.create({ ...lightConfig, audio: false }, { seed: 1, threads: 1 })
    const map = await deaf.predict({ frames }, options)
    expect(map.shape).toEqual([1, 1, height, width])
    expectClose(await deaf.predict({ frames, audio: null }, options), map, 0)
    using features = await deaf.encode({ frames })
    expect((await features.tensors()).audio).toBeNull()
    expect(deaf.parameters().filter(({ name }) => name.startsWith('audio_net') || name.startsWith('spatiotemp_net'))).toEqual([])
    for (const input of [
      { frames, mel },
      { frames, audio: tone(16000) },
    ])
      await expectDiffSalError(() => deaf.predict(input), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'left out, because this model only sees')
  })
})

describe('a model that only hears', () => {
  it('takes sound alone', async () => {
    await using blind = await DiffSal.create({ ...lightConfig, video: false }, { seed: 1, threads: 1 })
    const map = await blind.predict({ audio: tone(16000) }, options)
    expect(map.shape).toEqual([1, 1, height, width])
    expect(difference(map, await blind.predict({ mel }, options))).toBeGreaterThan(0)
    using features = await blind.encode({ mel })
    const { video, audio } = await features.tensors()
    expect(video.every((tensor) => tensor.data.every((value) => value === 0))).toBe(true)
    expect(audio!.shape).toEqual([1, 8, 9, 2, 3])
    expect(blind.parameters().filter(({ name }) => name.startsWith('visual_net'))).toEqual([])
    await expectDiffSalError(() => blind.predict({ frames, mel }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'frames'", 'only hears')
  })

  it('refuses to hear nothing', async () => {
    await using blind = await DiffSal.create({ ...lightConfig, video: false }, { seed: 1, threads: 1 })
    for (const input of [{}, { audio: null }, { audio: [] }]) {
      await expectDiffSalError(() => blind.predict(input), 'ERR_DIFFSAL_INVALID_ARGUMENT', /audio|hear/)
      await expectDiffSalError(() => blind.encode(input), 'ERR_DIFFSAL_INVALID_ARGUMENT', /audio|hear/)
    }
  })
})

describe('inputs', () => {
  it('are read when a method is called: their arrays may be reused at once', async () => {
    const pixels = pictures(32, 48)
    const sound = tone(48000)
    const wanted = [
      await predict({ frames, mel }),
      await predict({ frames: pixels, audio: sound }),
      await model.denoise(noise, 300, await model.encode({ frames, mel })),
    ]
    const copy = <T extends Tensor>(tensor: T): T => ({ ...tensor, shape: [...tensor.shape], data: tensor.data.slice() })
    const own = { frames: copy(frames), mel: copy(mel), noise: copy(noise), pixels: copy(pixels), samples: sound.samples.slice() }
    const overwritten = <T>(result: Promise<T>, ...tensors: { data: { fill(value: never): unknown }; shape?: readonly number[] }[]) => {
      for (const { data, shape } of tensors) {
        data.fill(77 as never)
        if (shape) (shape as number[]).fill(1)
      }
      return result
    }
    // Something runs before, so that the work begins later.
    const busy = model.predict({ frames, mel }, { steps: 5 })
    const features = model.encode({ frames: own.frames, mel: own.mel })
    const clip = { frames: own.frames, mel: own.mel }
    const first = overwritten(model.predict(clip, { steps: 1, noise: own.noise }), own.frames, own.mel, own.noise)
    const audio = { samples: own.samples, sampleRate: 48000 }
    const second = overwritten(predict({ frames: own.pixels, audio }), own.pixels, { data: own.samples })
    const x = copy(noise)
    const t = [300]
    const third = overwritten(model.denoise(x, t, await features), x, { data: t })
    await busy
    for (const [i, result] of [first, second, third].entries()) expectClose(await result, wanted[i]!, 0)
  })

  it('may lie in the middle of a larger buffer', async () => {
    const shifted = <A extends Float32Array | Uint8Array>(array: A): A => {
      const type = array.constructor as new (length: number) => A
      const larger = new type(array.length + 20)
      larger.set(array, 7)
      return larger.subarray(7, 7 + array.length) as A
    }
    const pixels = pictures(32, 48)
    const audio = tone(16000)
    expectClose(
      await predict({ frames: { ...frames, data: shifted(frames.data) }, mel: { ...mel, data: shifted(mel.data) } }),
      await predict({ frames, mel }),
      0,
    )
    expectClose(
      await predict({ frames: { ...pixels, data: shifted(pixels.data) }, audio: { ...audio, samples: shifted(audio.samples) } }),
      await predict({ frames: pixels, audio }),
      0,
    )
  })

  it('may lie in memory that threads share', async () => {
    const shared = <A extends Float32Array | Uint8Array>(array: A): A => {
      const type = array.constructor as new (buffer: SharedArrayBuffer) => A
      const copy = new type(new SharedArrayBuffer(array.byteLength))
      copy.set(array)
      return copy
    }
    const pixels = pictures(32, 48)
    const audio = tone(16000)
    expectClose(
      await predict({ frames: { ...pixels, data: shared(pixels.data) }, audio: { ...audio, samples: shared(audio.samples) } }),
      await predict({ frames: pixels, audio }),
      0,
    )
  })

  it('must be an object with known names', async () => {
    for (const input of [undefined, null, 'clip.mp4', frames.data, [frames]])
      await expectDiffSalError(() => predict(input as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'input'")
    await expectDiffSalError(() => predict({ frames, mell: mel } as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'mell'", "'mel'")
  })
})
