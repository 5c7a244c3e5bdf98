import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { setLogger } from '../../lib/log.ts'
import { probe } from '../../lib/media/probe.ts'
import { readSound } from '../../lib/media/sound.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { ffmpeg, picture, runningFfmpegs, tone } from '../support/media.ts'
import { listen } from '../support/listen.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(() => setLogger(undefined))

async function sound(path: string): Promise<Float32Array> {
  const info = await probe(path)
  const parts: Float32Array[] = []
  for await (const part of readSound({ ...info, audio: info.audio! })) parts.push(part)
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Where the sound is loudest. */
function loudest(samples: Float32Array): number {
  return samples.reduce((best, value, i) => (Math.abs(value) > Math.abs(samples[best]!) ? i : best), 0)
}

/** A constant level in each channel. */
function levels(values: number[], layout: string, rate: number): string[] {
  return ['-f', 'lavfi', '-i', `aevalsrc=${values.join('|')}:c=${layout}:s=${rate}:d=1`]
}

test.each([
  ['mono at 8 kHz', [0.5], 'mono', 8_000, 0.5],
  ['stereo is averaged, not added', [0.5, 0.25], 'stereo', 44_100, 0.375],
  ['opposite sides cancel', [0.5, -0.5], 'stereo', 48_000, 0],
  ['5.1 in full stays in range', [0.8, 0.8, 0.8, 0.8, 0.8, 0.8], '5.1', 48_000, 0.8],
])('%s', async (_name, values, layout, rate, expected) => {
  const path = temporaryPath('levels.wav')
  await ffmpeg(...levels(values, layout, rate), path)
  const samples = await sound(path)
  expect(samples).toHaveLength(16_000)
  expect(samples[8_000]).toBeCloseTo(expected, 3)
})

test('the centre of 5.1 is heard', async () => {
  const path = temporaryPath('centre.wav')
  await ffmpeg(...levels([0, 0, 0.5, 0, 0, 0], '5.1', 48_000), path)
  expect((await sound(path))[8_000]).toBeGreaterThan(0.1)
})

test('eleven channels without a layout are averaged', async () => {
  const path = temporaryPath('eleven.wav')
  writeFileSync(
    path,
    wav(11, 32_000, (c) => (c < 5 ? 16_384 : 0)),
  )
  expect((await sound(path))[8_000]).toBeCloseTo((5 / 11) * 0.5, 3)
})

/** A click of 0.2 ms at `seconds`. */
function click(seconds: number, length: number): string[] {
  return ['-f', 'lavfi', '-i', `aevalsrc=between(t\\,${seconds}\\,${seconds}+0.0002)*0.9:s=48000:d=${length}`]
}

test.each([
  ['mov', ['-c:a', 'pcm_s16le']],
  ['mkv', ['-c:a', 'flac']],
  ['mp4', ['-c:a', 'aac', '-b:a', '256k']],
])('a click keeps its time in .%s', async (extension, codec) => {
  const path = temporaryPath(`click.${extension}`)
  await ffmpeg(...picture('64x48', '25', 2), ...click(1.25, 2), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', ...codec, path)
  expect(Math.abs(loudest(await sound(path)) - 20_000)).toBeLessThanOrEqual(4)
})

test('time 0 is the start of the stream that starts first', async () => {
  const late = temporaryPath('late-video.mkv')
  const video = picture('64x48', '25', 2)
  await ffmpeg(...click(1.25, 2), '-itsoffset', '0.4', ...video, '-map', '0', '-map', '1', '-c:v', 'ffv1', '-c:a', 'flac', late)
  // The container has whole milliseconds.
  expect(Math.abs(loudest(await sound(late)) - 1.25 * 16_000)).toBeLessThanOrEqual(16)

  const early = temporaryPath('late-sound.mkv')
  await ffmpeg(...video, '-itsoffset', '0.4', ...click(1.25, 2), '-c:v', 'ffv1', '-c:a', 'flac', early)
  expect(Math.abs(loudest(await sound(early)) - 1.65 * 16_000)).toBeLessThanOrEqual(16)
})

test('a gap is silence, so that what follows keeps its time', async () => {
  const path = temporaryPath('gap.mkv')
  const gap = ['-filter_complex', "[0:a]aselect='lt(t,0.5)+gt(t,1)'[a]", '-map', '[a]']
  await ffmpeg(...click(1.25, 2), ...gap, '-c:a', 'pcm_s16le', path)
  const samples = await sound(path)
  expect(samples.length).toBeGreaterThan(31_000)
  expect(Math.abs(loudest(samples) - 20_000)).toBeLessThanOrEqual(16)
})

test('sound that breaks off ends with a warning, sound that cannot be decoded is an error', async () => {
  const whole = temporaryPath('whole.mp4')
  await ffmpeg(...tone(4), '-c:a', 'aac', '-movflags', '+faststart', whole)
  const bytes = readFileSync(whole)
  const data = bytes.indexOf('mdat') + 4
  const cut = temporaryPath('cut.mp4')
  writeFileSync(cut, bytes.subarray(0, Math.floor((data + bytes.length) / 2)))
  const warnings = listen()
  const { length } = await sound(cut)
  expect(length).toBeGreaterThan(16_000)
  expect(length).toBeLessThan(60_000)
  expect(warnings).toEqual([expect.stringContaining(`The sound of '${cut}' may be damaged or cut off`)])

  const spoilt = temporaryPath('spoilt.mp4')
  writeFileSync(spoilt, Buffer.concat([bytes.subarray(0, data), Buffer.alloc(bytes.length - data, 0xff)]))
  const info = await probe(spoilt)
  await expectDiffSalError(() => drain(readSound({ ...info, audio: info.audio! })), 'ERR_DIFFSAL_MEDIA', 'cannot be decoded')
})

async function drain(parts: AsyncIterable<Float32Array>): Promise<void> {
  for await (const part of parts) expect(part.length).toBeGreaterThan(0)
}

test('leaving early ends ffmpeg', async () => {
  const path = temporaryPath('long.wav')
  await ffmpeg(...tone(120), path)
  const info = await probe(path)
  for await (const part of readSound({ ...info, audio: info.audio! })) {
    expect(part.length).toBeGreaterThan(0)
    break
  }
  expect(await runningFfmpegs()).toEqual([])
})

/** One second of 16-bit sound in a plain header, which has no channel layout. */
function wav(channels: number, rate: number, level: (channel: number) => number): Buffer {
  const data = Buffer.alloc(channels * rate * 2)
  for (let i = 0; i < channels * rate; i++) data.writeInt16LE(level(i % channels), 2 * i)
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + data.length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(channels, 22)
  header.writeUInt32LE(rate, 24)
  header.writeUInt32LE(rate * channels * 2, 28)
  header.writeUInt16LE(channels * 2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(data.length, 40)
  return Buffer.concat([header, data])
}
