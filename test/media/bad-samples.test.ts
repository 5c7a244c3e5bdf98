import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { setLogger } from '../../lib/log.ts'
import { SampleCleaner } from '../../lib/media/bad-samples.ts'
import { probe } from '../../lib/media/probe.ts'
import { readSound } from '../../lib/media/sound.ts'
import { ffmpegs } from '../support/ffmpegs.ts'
import { h264, look, lookAtOverlay } from '../support/flashes.ts'
import { ffmpeg } from '../support/media.ts'
import { listen } from '../support/listen.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  setLogger(undefined)
})

function cleaned(samples: Float32Array, chunk: number): { all: number[]; cleaner: SampleCleaner } {
  const cleaner = new SampleCleaner()
  const all: number[] = []
  for (let at = 0; at < samples.length; at += chunk) all.push(...cleaner.push(samples.slice(at, at + chunk)))
  all.push(...cleaner.end())
  return { all, cleaner }
}

test.each([1, 7, 64, 100, 5000])('what is no sound is silence with 64 samples to either side, in chunks of %i', (chunk) => {
  const samples = Float32Array.from({ length: 1000 }, (_, i) => 1 + i)
  samples[300] = Number.NaN
  samples[310] = Number.NEGATIVE_INFINITY
  samples[700] = 1e29
  const { all, cleaner } = cleaned(samples, chunk)
  const spoilt = (i: number): boolean => (i >= 236 && i <= 374) || (i >= 636 && i <= 764)
  expect(all).toEqual(Array.from(samples, (value, i) => (spoilt(i) ? 0 : value)))
  expect(cleaner.first).toBe(300)
})

test('sound that is only loud stays', () => {
  const samples = Float32Array.of(32_768, -32_768, 2 ** 31, 0.5)
  const { all, cleaner } = cleaned(samples, 2)
  expect(all).toEqual([...samples])
  expect(cleaner.first).toBeUndefined()
})

/** A MOV of 2 s at 8 kHz in which one sample, at 1.5 s, is of these bits. */
async function withSample(bits: number, name: string): Promise<string> {
  const path = temporaryPath(name)
  const mark = 0.6180339
  const sound = ['-f', 'lavfi', '-i', `aevalsrc='if(eq(n,12000),${mark},0.07*sin(2000*t))':d=2:s=8000`]
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=64x48:r=25:d=2', ...sound, ...h264, '-c:a', 'pcm_f32le', path)
  const bytes = readFileSync(path)
  const place = bytes.indexOf(Buffer.from(Float32Array.of(mark).buffer))
  expect(place).toBeGreaterThan(0)
  bytes.writeUInt32LE(bits, place)
  writeFileSync(path, bytes)
  return path
}

describe.each(ffmpegs)('read by %s', (_name, program) => {
  test.each([
    ['NaN', 0x7fc0_0000],
    ['infinite', 0xff80_0000],
    ['1e29', 0x6fa1_8f08],
  ])('%s in a file: silence there, and a warning with the time', async (name, bits) => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const path = await withSample(bits, `bad-${name}.mov`)
    const warnings = listen()
    const info = await probe(path)
    const samples: number[] = []
    for await (const part of readSound({ ...info, audio: info.audio! })) samples.push(...part)
    expect(warnings).toEqual([expect.stringMatching(/has values that are no sound \(NaN, infinite or enormous\), the first at 1\.50 s/)])
    expect(samples).toHaveLength(32_000)
    for (const [i, value] of samples.entries()) expect(Math.abs(value), `sample ${i}`).toBeLessThan(0.08)
    expect(samples.slice(23_990, 24_010)).toEqual(Array.from({ length: 20 }, () => 0))
    expect(Math.max(...samples.slice(24_200, 24_300))).toBeGreaterThan(0.05)
  })

  test('the sound of the overlay is whole but for that', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const seen = await look(await withSample(0x7fc0_0000, 'bad-over.mov'))
    const over = await lookAtOverlay(seen, temporaryPath('over-bad.mp4'))
    expect(over.info.audio).toMatchObject({ codec: 'aac' })
    expect(over.beeps).toEqual([])
    expect(over.warnings).toEqual([])
  })
})
