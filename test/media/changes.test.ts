import { writeFileSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { readFrames } from '../../lib/media/frames.ts'
import { probe } from '../../lib/media/probe.ts'
import { rationalValue } from '../../lib/media/rational.ts'
import { ffmpegs } from '../support/ffmpegs.ts'
import { beeping, flashing, h264, join, look, lookAtOverlay } from '../support/flashes.ts'
import { ffmpeg } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(() => vi.unstubAllEnvs())

const sizes = temporaryPath('sizes.webm')
const often = temporaryPath('often.mkv')
const range = temporaryPath('range.ts')
const steady = temporaryPath('25-told-as-50.mp4')
const mixed = temporaryPath('mixed-delays.gif')
const bursts = temporaryPath('bursts.webm')

/** Parts of a video whose size changes, one after the other. */
async function parts(path: string, count: number, codec: string[], extension: string): Promise<void> {
  const list = temporaryPath(`list-${count}.txt`)
  const names: string[] = []
  for (const size of ['160x120', '320x240']) {
    names.push(temporaryPath(`part-${count}-${size}.${extension}`))
    await ffmpeg(...flashing(2, 0.5, size), ...codec, names.at(-1)!)
  }
  writeFileSync(list, Array.from({ length: count }, (_, i) => `file '${names[i % 2]!}'\n`).join(''))
  await ffmpeg('-f', 'concat', '-safe', '0', '-i', list, ...beeping(2 * count, 0.5), '-map', '0:v', '-map', '1', '-c:v', 'copy', '-c:a', 'libopus', path)
}

beforeAll(async () => {
  await parts(sizes, 4, ['-c:v', 'libvpx', '-b:v', '300k'], 'ivf')
  await parts(often, 20, [...h264, '-bf', '0', '-x264opts', 'keyint=1000'], 'ts')
  const grey = (color: string, ...args: string[]): Promise<unknown> =>
    ffmpeg('-f', 'lavfi', '-i', 'color=0x808080:s=64x48:r=25:d=1', '-vf', color, '-c:v', 'libx264', '-crf', '10', '-bf', '0', ...args)
  const [first, second] = [temporaryPath('r1.ts'), temporaryPath('r2.ts')]
  await grey('scale=out_range=full,format=yuvj420p', first)
  await grey('format=yuv420p', '-output_ts_offset', '1', second)
  join(range, first, second)
  const early = ['-vf', "settb=1/1000,setpts='PTS-if(eq(mod(N,10),3),20,0)'", '-vsync', 'passthrough', '-enc_time_base:v', '1/1000']
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=160x120:r=25:d=3.2', ...early, '-video_track_timescale', '90000', '-bf', '0', ...h264, steady)
  const delays = ['-vf', "settb=1/100,setpts='N*9+2*mod(N,3)'", '-vsync', 'passthrough', '-enc_time_base:v', '1/100']
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=64x48:r=10:d=3', ...delays, mixed)
  const burst = "settb=1/1000,setpts='floor(N/20)*800+if(lt(mod(N,20),10),mod(N,20)*4,40+(mod(N,20)-9)*70)'"
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=64x48:r=25:d=4', '-vf', burst, '-vsync', 'passthrough', '-enc_time_base:v', '1/1000', '-c:v', 'libvpx', bursts)
}, 60_000)

describe.each(ffmpegs)('read by %s', (_name, program) => {
  test.each([
    [sizes, 4],
    [often, 20],
  ])('the size of the picture changes: every frame once, in step, for the model and in the overlay: %s', async (path, count) => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const seen = await look(path)
    const over = await lookAtOverlay(seen, temporaryPath('over-sizes.mp4'))
    for (const { times, flashes, beeps, warnings } of [seen, over]) {
      expect(times).toHaveLength(50 * count)
      expect(beeps).toHaveLength(2 * count)
      expect(flashes).toHaveLength(2 * count)
      for (const [i, beep] of beeps.entries()) {
        expect(beep).toBeCloseTo(i + 0.5, 1)
        expect(Math.abs(flashes[i]! - beep - 0.02), `flash ${i}`).toBeLessThan(0.03)
      }
      expect(warnings).toEqual([])
    }
  })

  test('the range of colours changes: a grey stays that grey', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const info = await probe(range)
    const greys: number[] = []
    for await (const { pixels } of readFrames({ ...info, video: info.video! }, [48, 64])) greys.push(pixels[3 * (24 * 64 + 32)]!)
    expect(greys).toHaveLength(50)
    for (const grey of greys) expect(Math.abs(grey - 128)).toBeLessThanOrEqual(2)
  })

  test('25 frames a second that are told as 50 are 25', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const { times, info } = await look(steady)
    expect(times.length).toBeGreaterThan(78)
    expect(times.slice(0, 75).map((time) => Number(time.toFixed(3)))).toEqual(
      Array.from({ length: 75 }, (_, k) => Number((k / 25 - (k % 10 === 3 ? 0.02 : 0)).toFixed(3))),
    )
    expect(Math.abs(rationalValue(info.video!.rate) - 25)).toBeLessThan(0.5)
  })

  test.each([
    ['a GIF of mixed delays', mixed, 30, (k: number): number => k * 0.09 + 0.02 * (k % 3)],
    ['bursts in a WebM', bursts, 100, (k: number): number => Math.floor(k / 20) * 0.8 + (k % 20 < 10 ? (k % 20) * 0.004 : 0.04 + ((k % 20) - 9) * 0.07)],
  ])('%s: the frames that are shown, at their own times, in the overlay too', async (_kind, path, count, time) => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const seen = await look(path)
    const over = await lookAtOverlay(seen, temporaryPath('over-rate.mp4'))
    for (const { times } of [seen, over]) {
      expect(times).toHaveLength(count)
      for (const [k, found] of times.entries()) expect(Math.abs(found - time(k)), `frame ${k} at ${found}`).toBeLessThan(0.0015)
    }
  })
})
