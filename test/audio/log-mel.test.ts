import { describe, expect, it } from 'vitest'
import { logMel, melSlices, type MelSlicesOptions } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { testInput } from '../support/test-values.ts'

const sampleRate = 16000
const sound = testInput('sound', [48000]).map((value) => 0.1 * value)
const size: [number, number] = [32, 48]

const refused = async (action: () => unknown, argument: string, ...parts: string[]) => {
  const error = await expectDiffSalError(action, 'ERR_DIFFSAL_INVALID_ARGUMENT', `'${argument}'`, ...parts)
  expect(error.argument).toBe(argument)
}

describe('logMel', () => {
  it.each([
    [400, 1],
    [559, 1],
    [560, 2],
    [16000, 98],
  ])('makes of %i samples %i frames, every 10 ms a whole one of 25 ms', async (samples, frames) => {
    expect((await logMel(sound.subarray(0, samples), { sampleRate })).shape).toEqual([frames, 64])
  })

  it('hears silence as ln 0.01', async () => {
    const silence = await logMel(new Float32Array(8000), { sampleRate })
    expectClose(silence, { ...silence, data: new Float32Array(silence.data.length).fill(Math.log(0.01)) }, 1e-6)
  })

  it('hears a tone in the band of its pitch', async () => {
    const mel = (hertz: number) => 1127 * Math.log(1 + hertz / 700)
    for (const hertz of [300, 1000, 4000]) {
      const tone = Float32Array.from({ length: 16000 }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / sampleRate))
      const frame = [...(await logMel(tone, { sampleRate })).data.subarray(64 * 40, 64 * 41)]
      // Band b is a triangle around the (b + 1)-th of 65 steps from 125 to 7500 Hz.
      const band = ((mel(hertz) - mel(125)) / (mel(7500) - mel(125))) * 65 - 1
      expect(Math.abs(frame.indexOf(Math.max(...frame)) - band)).toBeLessThan(1)
    }
  })

  it('hears a frame alike wherever it is', async () => {
    const all = await logMel(sound, { sampleRate })
    const from = await logMel(sound.subarray(160 * 30), { sampleRate })
    expectClose(from, { ...from, data: all.data.slice(64 * 30) }, 1e-6)
  })

  it('reads its samples when it is called', async () => {
    const golden = await logMel(sound, { sampleRate })
    const samples = sound.slice()
    const running = logMel(samples, { sampleRate })
    samples.fill(NaN)
    expectClose(await running, golden, 0)
  })

  it('runs as often at once as it is asked to, in order', async () => {
    const lengths = Array.from({ length: 40 }, (_, i) => 400 + 160 * i)
    const results = await Promise.all(lengths.map((length) => logMel(sound.subarray(0, length), { sampleRate })))
    expect(results.map(({ shape }) => shape[0])).toEqual(lengths.map((_, i) => i + 1))
  })

  it('refuses what is no sound', async () => {
    await refused(() => logMel(sound.subarray(0, 399), { sampleRate }), 'samples', 'at least 400 samples', '399')
    await refused(() => logMel(sound.subarray(0, 1199), { sampleRate: 48000 }), 'samples', 'at least 1200 samples')
    await refused(() => logMel([...sound.subarray(0, 400)] as never, { sampleRate }), 'samples', 'Float32Array')
    await refused(() => logMel(new Float64Array(400) as never, { sampleRate }), 'samples', 'Float64Array')
    await refused(() => logMel(sound, undefined as never), 'sampleRate', 'undefined')
    await refused(() => logMel(sound, { sampleRate: 384_001 }), 'sampleRate', '384000')
    await expectDiffSalError(() => logMel(sound, { samplerate: 1 } as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', "Did you mean 'sampleRate'?")
  })
})

describe('melSlices', () => {
  const slices = (samples: number, options: Partial<MelSlicesOptions> = {}) => melSlices(sound.subarray(0, samples), { sampleRate, size, ...options })

  /** Slice i of (1, n, h, w). */
  const slice = (all: Awaited<ReturnType<typeof slices>>, i: number) => {
    const [, , h, w] = all.shape as [number, number, number, number]
    return { ...all, shape: [h, w], data: all.data.slice(i * h * w, (i + 1) * h * w) }
  }

  it('makes nine of 112 × 192 where nothing else is asked for', async () => {
    expect((await melSlices(sound, { sampleRate })).shape).toEqual([1, 9, 112, 192])
  })

  it('makes as many, and of the size, that are asked for', async () => {
    expect((await slices(25600)).shape).toEqual([1, 9, 32, 48])
    expect((await slices(25600, { slots: 3, size: [5, 7] })).shape).toEqual([1, 3, 5, 7])
  })

  it('of 64 × 64 are the log-mel itself: 64 frames, every 11th', async () => {
    const mel = await logMel(sound, { sampleRate })
    const all = await slices(48000, { size: [64, 64], slots: 9 })
    for (const i of [0, 1, 8]) {
      // Time goes down, the bands go across.
      const golden = mel.data.slice(64 * 11 * i, 64 * (11 * i + 64))
      expectClose(slice(all, i), { dtype: 'float32', shape: [64, 64], data: golden }, 1e-6)
    }
  })

  it('repeats those of a short sound: each as often as it goes, then the first ones', async () => {
    // 0.655 s is one slice, and 0.11 s more another.
    const samples = (count: number) => 10_480 + 1760 * (count - 1)
    for (const [count, order] of [
      [1, [0, 0, 0, 0, 0, 0, 0, 0, 0]],
      [2, [0, 0, 0, 0, 1, 1, 1, 1, 0]],
      [4, [0, 0, 1, 1, 2, 2, 3, 3, 0]],
      [5, [0, 1, 2, 3, 4, 0, 1, 2, 3]],
    ] as const) {
      const own = await slices(samples(count), { slots: count })
      const all = await slices(samples(count))
      for (const [slot, i] of order.entries()) expectClose(slice(all, slot), slice(own, i), 1e-6)
    }
  })

  it('leaves out what a long sound has beyond the last', async () => {
    expectClose(await slices(48000), await slices(10_480 + 1760 * 8), 0)
  })

  it('refuses what makes no slice', async () => {
    await refused(() => slices(10_479), 'samples', 'at least 10480')
    await refused(() => slices(25600, { slots: 0 }), 'slots', 'from 1')
    await refused(() => slices(25600, { size: [32] as never }), 'size', '[height, width]')
    await refused(() => slices(25600, { size: 32 as never }), 'size', '[height, width]')
    await refused(() => slices(25600, { size: [32, 0] }), 'size[1]', 'from 1')
    await refused(() => slices(25600, { size: [32.5, 48] }), 'size[0]', '32.5')
  })
})
