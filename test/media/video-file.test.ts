import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { setLogger } from '../../lib/log.ts'
import { createMapVideo } from '../../lib/media/map-video.ts'
import type { MediaInfo } from '../../lib/media/media-info.ts'
import { createOverlay } from '../../lib/media/overlay.ts'
import { probe } from '../../lib/media/probe.ts'
import { rational } from '../../lib/media/rational.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { listen } from '../support/listen.ts'
import { decodeFrames, ffmpeg, frameTimes, picture, runningFfmpegs, tone } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(() => setLogger(undefined))

const mapSize = [32, 64] as const

/** A light square in the left or the right half. */
function square(side: 'left' | 'right'): Float32Array {
  return Float32Array.from({ length: 32 * 64 }, (_, i) => (i % 64 < 32 === (side === 'left') ? 0.9 : 0.2))
}

async function input(name: string, ...args: string[]): Promise<MediaInfo> {
  const path = temporaryPath(name)
  await ffmpeg(...args, path)
  return probe(path)
}

function still(size: string, rate: string, seconds: number): string[] {
  return ['-f', 'lavfi', '-i', `color=0x404040:s=${size}:r=${rate}:d=${seconds}`]
}
const h264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p']

/** The sound's packets as a checksum of each: the same when they were copied. */
async function soundPackets(path: string): Promise<string> {
  const text = await ffmpeg('-i', path, '-map', '0:a:0', '-c', 'copy', '-f', 'framecrc', 'pipe:1')
  return text
    .toString()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.split(',').slice(4).join())
    .join('\n')
}

test('a map video: size, rate, grey levels, every frame, the sound copied', async () => {
  const info = await input('source.mp4', ...still('128x72', '25', 2), ...tone(2), ...h264, '-c:a', 'aac')
  const path = temporaryPath('out/grey.mp4')
  const writer = await createMapVideo(path, info, mapSize, rational(25, 1))
  await writer.write(0, square('left'))
  await writer.write(20, square('right'))
  await writer.finish(50)
  expect(existsSync(path)).toBe(false)
  await writer.commit()
  await writer.discard()
  expect(readdirSync(dirname(path))).toEqual(['grey.mp4'])

  const result = await probe(path)
  expect(result.video).toMatchObject({ codec: 'h264', width: 128, height: 72, rate: { num: 25, den: 1 } })
  expect(result.audio).toMatchObject({ codec: 'aac' })
  expect(await soundPackets(path)).toBe(await soundPackets(info.path))
  const frames = await decodeFrames(path, 'gray', 128 * 72)
  expect(frames).toHaveLength(50)
  const at = (k: number, x: number): number => frames[k]![36 * 128 + x]!
  // Full range, the left half light at first and the right half later; between them in proportion.
  expect(at(0, 20)).toBeGreaterThan(245)
  expect(at(0, 108)).toBeLessThan(10)
  for (const k of [20, 35, 49]) {
    expect(at(k, 20)).toBeLessThan(10)
    expect(at(k, 108)).toBeGreaterThan(245)
  }
  for (const k of [5, 15]) expect(Math.abs(at(k, 20) - 255 * (1 - k / 20)), `${k}`).toBeLessThan(8)
  // The index is in front.
  const bytes = readFileSync(path)
  expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'))
})

test('an overlay: the original where the map is low, colour where it is high, frame for frame', async () => {
  // The original's brightness tells its frame.
  const source = "color=black:s=128x72:r=30000/1001:d=1,format=gray,geq=lum='60+4*N'"
  const info = await input('count.mp4', '-f', 'lavfi', '-i', source, ...tone(1), '-frames:v', '30', ...h264, '-crf', '1', '-c:a', 'aac')
  const path = temporaryPath('overlay.mp4')
  const writer = await createOverlay(path, info, mapSize)
  for (let k = 0; k < 30; k++) await writer.write(k, square(k % 2 === 0 ? 'left' : 'right'))
  await writer.finish(30)
  await writer.commit()
  const result = await probe(path)
  expect(result.video).toMatchObject({ codec: 'h264', width: 128, height: 72, rate: { num: 30_000, den: 1001 } })
  expect(result.audio).toMatchObject({ codec: 'aac' })
  const [frames, originals] = [await decodeFrames(path, 'rgb24', 128 * 72 * 3), await decodeFrames(info.path, 'rgb24', 128 * 72 * 3)]
  expect(frames).toHaveLength(30)
  expect(originals).toHaveLength(30)
  for (let k = 0; k < 30; k++) {
    const pixel = (frame: Buffer, x: number): number[] => [...frame.subarray(3 * (36 * 128 + x), 3 * (36 * 128 + x) + 3)]
    const [clear, heated] = k % 2 === 0 ? [108, 20] : [20, 108]
    const [found, original] = [pixel(frames[k]!, clear), pixel(originals[k]!, clear)]
    for (let c = 0; c < 3; c++) expect(Math.abs(found[c]! - original[c]!), `frame ${k}`).toBeLessThanOrEqual(6)
    const [red, , blue] = pixel(frames[k]!, heated) as [number, number, number]
    expect(red - blue, `frame ${k}`).toBeGreaterThan(50)
  }
})

test('odd sizes become even, no sound stays none', async () => {
  const info = await input('odd.mkv', '-f', 'lavfi', '-i', 'testsrc=s=123x77:r=8:d=1', '-c:v', 'ffv1')
  expect(info.video).toMatchObject({ width: 123, height: 77 })
  for (const [name, writer] of [
    ['odd-overlay.mkv', await createOverlay(temporaryPath('odd-overlay.mkv'), info, mapSize)],
    ['odd-grey.mov', await createMapVideo(temporaryPath('odd-grey.mov'), info, mapSize, rational(8, 1))],
  ] as const) {
    await writer.write(0, square('left'))
    await writer.finish(8)
    await writer.commit()
    const result = await probe(temporaryPath(name))
    expect(result.video).toMatchObject({ codec: 'h264', width: 122, height: 76 })
    expect(await frameTimes(temporaryPath(name))).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((k) => k / 8))
    expect(result.audio).toBeNull()
    expect(await decodeFrames(temporaryPath(name), 'gray', 122 * 76)).toHaveLength(8)
  }
})

test.each([
  ['flac', 'mkv', 'mp4', 'aac'],
  ['flac', 'mkv', 'mkv', 'flac'],
  ['pcm_s16le', 'mov', 'mov', 'pcm_s16le'],
  ['libmp3lame', 'mp4', 'mp4', 'mp3'],
])('sound in %s of .%s into .%s is %s', async (codec, from, to, expected) => {
  const info = await input(`sound-${codec}.${from}`, ...still('64x48', '25', 1), ...tone(1), ...h264, '-c:a', codec)
  const path = temporaryPath(`sound-${codec}-out.${to}`)
  const writer = await createMapVideo(path, info, mapSize, rational(25, 1))
  await writer.write(0, square('left'))
  await writer.finish(25)
  await writer.commit()
  expect((await probe(path)).audio!.codec).toBe(expected)
})

test('pixels that are not square stay so, and a late video stays late', async () => {
  const inputs = [...tone(2), '-itsoffset', '0.5', ...picture('64x48', '25', 1)]
  const info = await input('late.mkv', ...inputs, '-map', '0', '-map', '1', '-vf', 'setsar=4/3', ...h264, '-c:a', 'aac')
  expect(info.video).toMatchObject({ pixelAspect: { num: 4, den: 3 } })
  const times = await frameTimes(info.path)
  expect(times[0]).toBeCloseTo(0.5, 1)
  for (const name of ['late-overlay.mp4', 'late-grey.mkv']) {
    const path = temporaryPath(name)
    const overlay = name.includes('overlay')
    const writer = overlay ? await createOverlay(path, info, mapSize) : await createMapVideo(path, info, mapSize, info.video!.rate)
    await writer.write(0, square('left'), [times[0]!])
    await writer.finish(25, times.slice(1))
    await writer.commit()
    const { video } = await probe(path)
    expect(video!.pixelAspect).toEqual({ num: 4, den: 3 })
    expect((await frameTimes(path))[0]).toBeCloseTo(0.5, 1)
    expect((await decodeFrames(path, 'gray', 64 * 48)).length).toBeGreaterThanOrEqual(25)
  }
})

test('sound that no container takes is left out, with a warning', async () => {
  const info = await input('quiet.mp4', ...still('64x48', '25', 1), ...tone(1), ...h264, '-c:a', 'aac')
  const warnings = listen()
  const broken = { ...info, audio: { ...info.audio!, index: 7 } }
  const path = temporaryPath('soundless.mp4')
  const writer = await createMapVideo(path, broken, mapSize, rational(25, 1))
  await writer.write(0, square('left'))
  await writer.finish(25)
  await writer.commit()
  expect((await probe(path)).audio).toBeNull()
  expect(warnings).toEqual([expect.stringContaining('could not be put into')])
})

test("sound alone: a map video of the model's size", async () => {
  const info = await input('alone.wav', ...tone(1))
  const path = temporaryPath('alone.mp4')
  const writer = await createMapVideo(path, info, mapSize, rational(25, 1))
  await writer.write(0, square('left'))
  await writer.finish(25)
  await writer.commit()
  expect(await probe(path)).toMatchObject({ video: { width: 64, height: 32 }, audio: { codec: 'aac' } })
  await expectDiffSalError(() => createOverlay(path, info, mapSize), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'overlay')
})

test('other extensions are refused with the list', async () => {
  const info = await input('plain.mp4', ...still('64x48', '25', 1), ...h264)
  for (const name of ['a.avi', 'a', 'a.mp4.txt']) {
    const attempt = (): unknown => createOverlay(temporaryPath(name), info, mapSize)
    await expectDiffSalError(attempt, 'ERR_DIFFSAL_INVALID_ARGUMENT', '.mp4, .mov, .mkv', name)
  }
})

test('discarding ends ffmpeg and leaves nothing; so does an abort', async () => {
  const info = await input('whole.mp4', ...still('64x48', '25', 4), ...tone(4), ...h264, '-c:a', 'aac')
  const folder = temporaryPath('discarded')
  mkdirSync(folder)
  const writer = await createOverlay(`${folder}/new/overlay.mp4`, info, mapSize)
  await writer.write(0, square('left'))
  expect(await runningFfmpegs()).toHaveLength(1)
  await writer.discard()
  expect(await runningFfmpegs()).toEqual([])
  expect(readdirSync(folder)).toEqual([])

  const controller = new AbortController()
  const aborted = await createOverlay(`${folder}/overlay.mp4`, info, mapSize, { signal: controller.signal })
  const reason = new Error('stop')
  controller.abort(reason)
  await expect(
    (async () => {
      for (let k = 0; k < 100; k++) await aborted.write(k, square('left'))
      await aborted.finish(100)
    })(),
  ).rejects.toBe(reason)
  await aborted.discard()
  expect(await runningFfmpegs()).toEqual([])
  expect(readdirSync(folder)).toEqual([])
})

test('a long original does not run ahead of slow maps', async () => {
  const info = await input('long.mp4', ...still('64x48', '25', 400), ...h264, '-preset', 'ultrafast')
  const writer = await createOverlay(temporaryPath('long-overlay.mp4'), info, mapSize)
  await writer.write(0, square('left'))
  await new Promise((resolve) => setTimeout(resolve, 500))
  const [child] = await ffmpegPids()
  const before = readFileSync(`/proc/${child}/status`, 'utf8')
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const after = readFileSync(`/proc/${child}/status`, 'utf8')
  const kilobytes = (status: string): number => Number(/VmRSS:\s+(\d+)/.exec(status)![1])
  expect(kilobytes(after) - kilobytes(before)).toBeLessThan(8_000)
  await writer.discard()
})

async function ffmpegPids(): Promise<string[]> {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || !existsSync(`/proc/${pid}/status`)) return false
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return status.includes(`\nPPid:\t${process.pid}\n`) && /^Name:\tffmpeg/.test(status)
  })
}
