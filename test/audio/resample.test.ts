import { beforeAll, describe, expect, it } from 'vitest'
import { logMel } from '../../lib/index.ts'

const bands = 64
const seconds = 1.2

/** 1.2 s of a wave: `phase` gives its cycles at a time in seconds. */
function wave(sampleRate: number, phase: (time: number) => number): Float32Array {
  return Float32Array.from({ length: Math.round(seconds * sampleRate) }, (_, i) => 0.5 * Math.sin(2 * Math.PI * phase(i / sampleRate)))
}

/** The mel magnitudes of samples, without the frames at either end: beyond it a resampler sees silence. */
async function magnitudes(samples: Float32Array, sampleRate: number): Promise<Float64Array> {
  const { data } = await logMel(samples, { sampleRate })
  return Float64Array.from(data.subarray(4 * bands, -4 * bands), (value) => Math.exp(value) - 0.01)
}

const difference = (a: Float64Array, b: Float64Array) => a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0)

const tone = (hertz: number) => (time: number) => hertz * time
// From 200 to 3200 Hz, so that a place in the sound is a pitch: what is late, or drifts, shows.
const sweep = (time: number) => (200 + (1500 / seconds) * time) * time

describe.each([44100, 48000, 22050, 8000, 96000, 44101, 11025, 384_000])('sound at %i Hz', (sampleRate) => {
  it('has the 1 kHz tone that it has at 16 kHz', async () => {
    const golden = await magnitudes(wave(16000, tone(1000)), 16000)
    const actual = await magnitudes(wave(sampleRate, tone(1000)), sampleRate)
    expect(actual.length).toBe(golden.length)
    expect(Math.max(...golden)).toBeGreaterThan(50)
    expect(difference(actual, golden)).toBeLessThan(0.01)
  })

  it('has a rising tone where it has it at 16 kHz', async () => {
    const golden = await magnitudes(wave(16000, sweep), 16000)
    expect(difference(await magnitudes(wave(sampleRate, sweep), sampleRate), golden)).toBeLessThan(0.2)
  })
})

it('tells a sweep from one that is a millisecond late', async () => {
  const late = await magnitudes(
    wave(16000, (time) => sweep(time - 0.001)),
    16000,
  )
  expect(difference(late, await magnitudes(wave(16000, sweep), 16000))).toBeGreaterThan(0.4)
})

describe.each([44100, 48000, 96000])('tones at %i Hz', (sampleRate) => {
  let loudest: number

  beforeAll(async () => {
    loudest = Math.max(...(await magnitudes(wave(16000, tone(1000)), 16000)))
  })

  // Half of 16 kHz and more cannot be said at that rate: 9 kHz would be heard as 7 kHz, 15 kHz as 1 kHz.
  it.each([8600, 9000, 10_000, 12_000, 15_000, 16_000, 17_000, 20_000])('of %i Hz are not heard', async (hertz) => {
    const heard = await magnitudes(wave(sampleRate, tone(hertz)), sampleRate)
    expect(Math.max(...heard)).toBeLessThan(loudest / 200)
  })

  it.each([200, 3000, 6000, 7000, 7450])('of %i Hz are as loud as at 16 kHz', async (hertz) => {
    const golden = Math.max(...(await magnitudes(wave(16000, tone(hertz)), 16000)))
    const heard = Math.max(...(await magnitudes(wave(sampleRate, tone(hertz)), sampleRate)))
    expect(Math.abs(heard / golden - 1)).toBeLessThan(0.01)
  })
})
