import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readFrames } from '../../lib/media/frames.ts'
import { probe } from '../../lib/media/probe.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { ffmpeg, frameNumber, numberedFrames, picture, runningFfmpegs, tone } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'
import { collectWarnings } from '../support/warnings.ts'

const warnings = collectWarnings()

async function numbers(path: string, minimum: 1 | 2 = 1): Promise<number[]> {
  const info = await probe(path)
  const all: number[] = []
  for await (const { pixels } of readFrames({ ...info, video: info.video! }, [32, 64], { minimum })) {
    expect(pixels).toHaveLength(32 * 64 * 3)
    all.push(frameNumber(pixels, 3 * (16 * 64 + 32)))
  }
  return all
}

async function times(path: string): Promise<number[]> {
  const info = await probe(path)
  const all: number[] = []
  for await (const { time } of readFrames({ ...info, video: info.video! }, [32, 32])) all.push(time)
  return all
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, k) => k)

test.each([
  ['8', 20],
  ['25', 40],
  ['30000/1001', 61],
  ['60000/1001', 119],
])('every frame at %s a second comes once and in order', async (rate, count) => {
  const path = temporaryPath(`numbered-${count}.mkv`)
  await numberedFrames(path, count, rate)
  expect(await numbers(path)).toEqual(upTo(count))
})

test('a video that starts after its sound has no frames added', async () => {
  const silent = temporaryPath('silent.mkv')
  const path = temporaryPath('late.mkv')
  await numberedFrames(silent, 30, '30')
  await ffmpeg(...tone(2), '-itsoffset', '0.517', '-i', silent, '-map', '0', '-map', '1', '-c:v', 'copy', '-c:a', 'flac', path)
  expect((await times(path))[0]).toBeCloseTo(0.517, 2)
  expect(await numbers(path)).toEqual(upTo(30))
})

test('at a variable rate, every frame comes once and has its own time', async () => {
  const path = temporaryPath('variable.mkv')
  const source = temporaryPath('variable-source.mkv')
  await numberedFrames(source, 90, '30')
  await ffmpeg('-i', source, '-vf', "select='lt(n,30)+not(mod(n,3))'", '-vsync', 'passthrough', '-c:v', 'ffv1', path)
  const expected = upTo(90).filter((k) => k < 30 || k % 3 === 0)
  expect(await numbers(path)).toEqual(expected)
  const found = await times(path)
  for (const [i, k] of expected.entries()) expect(Math.abs(found[i]! - k / 30), `frame ${k}`).toBeLessThan(0.002)
})

test('a part of the frames', async () => {
  const path = temporaryPath('part.mkv')
  await numberedFrames(path, 40, '25')
  const info = await probe(path)
  const found: [number, number][] = []
  for await (const { pixels, time } of readFrames({ ...info, video: info.video! }, [32, 32], { from: 17 })) {
    found.push([frameNumber(pixels, 3 * (16 * 32 + 16)), time])
    if (found.length === 5) break
  }
  expect(found).toEqual([17, 18, 19, 20, 21].map((k) => [k, k / 25]))
})

test('ten bits, odd sizes and pixel colours', async () => {
  const path = temporaryPath('ten-bits.mkv')
  await ffmpeg('-f', 'lavfi', '-i', 'color=0xC08040:s=123x77:r=25:d=0.2', '-c:v', 'ffv1', '-pix_fmt', 'yuv444p10le', path)
  const info = await probe(path)
  for await (const { pixels } of readFrames({ ...info, video: info.video! }, [64, 96])) {
    const middle = 3 * (32 * 96 + 48)
    for (const [c, value] of [0xc0, 0x80, 0x40].entries()) expect(Math.abs(pixels[middle + c]! - value)).toBeLessThanOrEqual(3)
  }
})

test('a video of one frame', async () => {
  const path = temporaryPath('one.mkv')
  await numberedFrames(path, 1, '25')
  expect(await numbers(path, 1)).toEqual([0])
  expect(await numbers(path, 2)).toEqual([0])
  expect(warnings).toEqual([expect.stringContaining('has only one frame')])
})

test('a file that breaks off gives its frames, then fails', async () => {
  const whole = temporaryPath('whole.mp4')
  await ffmpeg(...picture('320x240', '25', 4), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-movflags', '+faststart', whole)
  const cut = temporaryPath('cut.mp4')
  const bytes = readFileSync(whole)
  writeFileSync(cut, bytes.subarray(0, Math.floor(bytes.length / 2)))
  const info = await probe(cut)
  let count = 0
  const read = async () => {
    for await (const _ of readFrames({ ...info, video: info.video! }, [32, 32])) count++
  }
  await expectDiffSalError(read, 'ERR_DIFFSAL_MEDIA', `'${cut}' is cut off or damaged`, /\d+ of about 100 frames/, '-c copy')
  expect(count).toBeGreaterThan(10)
  expect(count).toBeLessThan(98)
})

test('leaving early and aborting end ffmpeg', async () => {
  const path = 'examples/speaker.mp4'
  const info = await probe(path)
  const source = { ...info, video: info.video! }
  for await (const { pixels } of readFrames(source, [224, 384])) {
    expect(pixels).toHaveLength(224 * 384 * 3)
    expect(await runningFfmpegs()).toHaveLength(1)
    break
  }
  expect(await runningFfmpegs()).toEqual([])
  const controller = new AbortController()
  const frames = readFrames(source, [224, 384], { signal: controller.signal })
  await frames.next()
  const reason = new Error('stop')
  controller.abort(reason)
  await expect(frames.next()).rejects.toBe(reason)
  expect(await runningFfmpegs()).toEqual([])
})
