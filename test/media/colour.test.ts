import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { readColour, readInterlaced } from '../../lib/media/colour.ts'
import { readFrames } from '../../lib/media/frames.ts'
import type { MediaInfo } from '../../lib/media/media-info.ts'
import { createOverlay } from '../../lib/media/overlay.ts'
import { probe } from '../../lib/media/probe.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { bundledFfmpeg } from '../support/bundled-ffmpeg.ts'
import { ffmpegs } from '../support/ffmpegs.ts'
import { look } from '../support/flashes.ts'
import { ffmpeg } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(() => vi.unstubAllEnvs())

const bars = ['-f', 'lavfi', '-i', 'smptebars=s=320x240:r=25:d=0.4']
const tags = (name: string, range: string): string[] => ['-color_range', range, '-colorspace', name, '-color_primaries', name, '-color_trc', name]
const x265 = ['-c:v', 'libx265', '-x265-params', 'log-level=error', '-tag:v', 'hvc1', '-colorspace', 'bt2020nc', '-color_primaries', 'bt2020', '-color_trc']
const hdr = (transfer: string): string => `format=gbrp,zscale=min=gbr:pin=709:tin=709:rin=full:m=2020_ncl:p=2020:t=${transfer}:r=limited,format=yuv420p10le`
const clear = "color=red:s=64x48:r=10:d=1,format=rgba,geq=r='if(lt(X,32),0,255)':g='if(lt(X,32),200,0)':b=0:a='if(lt(X,32),255,0)'"
/** Stripes that move by eight pixels from field to field. */
const fields = "color=black:s=160x120:r=50:d=1,format=gray,geq=lum='16+219*lt(mod(X+8*N,40),20)',tinterlace=interleave_top,fieldorder=tff,format=yuv420p"

/** The left seven tenths of SMPTE bars at three quarters, as red, green and blue. */
const barColours = [
  [191, 191, 191],
  [191, 191, 0],
  [0, 191, 191],
  [0, 191, 0],
  [191, 0, 191],
  [191, 0, 0],
  [0, 0, 191],
] as const

const coded: [string, string[], string | undefined][] = [
  [
    'full-709.mp4',
    ['-vf', 'format=gbrp,scale=out_range=full:out_color_matrix=bt709,format=yuvj420p', '-c:v', 'libx264', '-crf', '5', ...tags('bt709', 'pc')],
    '(pc, bt709',
  ],
  ['limited-709.mp4', ['-vf', 'scale=out_color_matrix=bt709,format=yuv420p', '-c:v', 'libx264', '-crf', '5', ...tags('bt709', 'tv')], '(tv, bt709'],
  ['limited-601.mp4', ['-vf', 'scale=out_color_matrix=bt601,format=yuv420p', '-c:v', 'libx264', '-crf', '5', ...tags('smpte170m', 'tv')], '(tv, smpte170m'],
  [
    'full-601.mkv',
    ['-vf', 'format=gbrp,scale=out_range=full:out_color_matrix=bt601,format=yuvj420p', '-c:v', 'libx264', '-crf', '5', ...tags('smpte170m', 'pc')],
    '(pc, smpte170m',
  ],
  ['untagged.mp4', ['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-crf', '5'], undefined],
  ['rgb.mkv', ['-c:v', 'libx264rgb', '-crf', '5'], '(tv, bt709'],
  ['motion-jpeg.avi', ['-c:v', 'mjpeg', '-q:v', '2', '-pix_fmt', 'yuvj422p'], '(pc, bt470bg'],
  ['hlg.mov', ['-vf', hdr('arib-std-b67'), ...x265, 'arib-std-b67'], '(tv, bt709'],
  ['pq.mp4', ['-vf', hdr('smpte2084'), ...x265, 'smpte2084'], '(tv, bt709'],
]

const transparent: [string, string[]][] = [
  ['clear.mov', ['-c:v', 'png']],
  ['clear.apng', ['-plays', '0']],
  ['prores-4444.mov', ['-c:v', 'prores_ks', '-pix_fmt', 'yuva444p10le']],
  ['clear.webm', ['-c:v', 'libvpx-vp9', '-pix_fmt', 'yuva420p']],
]

const interlaced: [string, string[]][] = [
  ['fields.mpg', ['-c:v', 'mpeg2video', '-flags', '+ildct+ilme', '-top', '1', '-q:v', '2']],
  ['fields.mp4', ['-c:v', 'libx264', '-flags', '+ildct+ilme', '-x264opts', 'tff=1']],
]

beforeAll(async () => {
  for (const [name, args] of coded) await ffmpeg(...bars, ...args, temporaryPath(name))
  for (const [name, args] of transparent) await ffmpeg('-f', 'lavfi', '-i', clear, ...args, temporaryPath(name))
  for (const [name, args] of interlaced) await ffmpeg('-f', 'lavfi', '-i', fields, ...args, temporaryPath(name))
}, 60_000)

/** The frames at the file's own size. */
async function pixels(info: MediaInfo): Promise<Uint8Array[]> {
  const video = info.video!
  const all: Uint8Array[] = []
  for await (const frame of readFrames({ ...info, video }, [video.height, video.width])) all.push(frame.pixels)
  return all
}

async function overlay(info: MediaInfo, frames: number): Promise<MediaInfo> {
  const path = temporaryPath('over-colour.mp4')
  const writer = await createOverlay(path, info, [24, 32])
  for (let k = 0; k < frames; k++) await writer.write(k, new Float32Array(24 * 32))
  await writer.finish(frames)
  await writer.commit()
  await writer.discard()
  return probe(path)
}

/** The mean colour of a box, from and to as parts of the width and height. */
function mean(picture: Uint8Array, { width, height }: { width: number; height: number }, [left, right]: [number, number]): number[] {
  const sum = [0, 0, 0]
  let count = 0
  for (let y = Math.floor(height * 0.1); y < height * 0.5; y++) {
    for (let x = Math.floor(width * left); x < Math.floor(width * right); x++, count++) for (const c of [0, 1, 2]) sum[c]! += picture[3 * (y * width + x) + c]!
  }
  return sum.map((value) => value / count)
}

function expectBars(picture: Uint8Array, video: { width: number; height: number }, tolerance: number, what: string): void {
  for (const [i, expected] of barColours.entries()) {
    const found = mean(picture, video, [(i + 0.3) / 7, (i + 0.7) / 7])
    for (const [c, value] of expected.entries())
      expect(Math.abs(found[c]! - value), `${what}, bar ${i}: ${found.map(Math.round)}`).toBeLessThanOrEqual(tolerance)
  }
}

describe.each(ffmpegs)('read by %s', (_name, program) => {
  test.each(coded)('%s: the same colours for the model and in the overlay, with their tags', async (name, _args, tag) => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const info = await probe(temporaryPath(name))
    // Light of a thousand and more is pressed together, so that white is a little darker.
    const tolerance = /hlg|pq/.test(name) ? 22 : 4
    const frames = await pixels(info)
    expect(frames).toHaveLength(10)
    expectBars(frames[0]!, info.video!, tolerance, 'model')
    const over = await overlay(info, 10)
    const laid = await pixels(over)
    expect(laid).toHaveLength(10)
    expectBars(laid[0]!, over.video!, tolerance, 'overlay')
    const { range, matrix } = over.video!.colour
    expect(matrix === undefined ? undefined : `(${range}, ${matrix}`).toBe(tag)
  })

  test.each(transparent)('%s: what is transparent is black', async (name) => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const info = await probe(temporaryPath(name))
    const over = await overlay(info, 10)
    for (const each of [info, over]) {
      const [first] = await pixels(each)
      const [left, right] = [mean(first!, each.video!, [0.1, 0.4]), mean(first!, each.video!, [0.6, 0.9])]
      expect(Math.abs(left[1]! - 200), `${left}`).toBeLessThan(5)
      expect(Math.max(...right, left[0]!, left[2]!), `${right}`).toBeLessThan(5)
    }
  })

  test.each(interlaced)('%s: no comb', async (name) => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const info = await probe(temporaryPath(name))
    expect(info.video!.interlaced).toBe(true)
    const over = await overlay(info, 25)
    for (const each of [info, over]) {
      const frames = await pixels(each)
      expect(frames).toHaveLength(25)
      expect(comb(frames[5]!, each.video!)).toBeLessThan(25)
    }
  })

  test('HDR where ffmpeg has no zscale is refused with the command that converts it', async () => {
    const without = temporaryPath('without-zscale')
    const list = `case " $* " in *" -filters "*) '${program}' "$@" | grep -v zscale;; *) exec '${program}' "$@";; esac`
    writeFileSync(without, `#!/bin/bash\n{ ${list}; } 2> >(sed 's/--enable-libzimg//' >&2)\n`)
    chmodSync(without, 0o755)
    vi.stubEnv('DIFFSAL_FFMPEG', without)
    await expectDiffSalError(() => look(temporaryPath('pq.mp4')), 'ERR_DIFFSAL_MEDIA', 'high dynamic range (PQ)', 'no filter zscale', 'ffmpeg -i IN -vf zscale')
    await expectDiffSalError(() => look(temporaryPath('hlg.mov')), 'ERR_DIFFSAL_MEDIA', '(HLG)')
  })
})

/** How much neighbouring rows differ. */
function comb(picture: Uint8Array, { width, height }: { width: number; height: number }): number {
  let sum = 0
  for (let i = 0; i < width * (height - 1); i++) sum += Math.abs(picture[3 * i + 1]! - picture[3 * (i + width) + 1]!)
  return sum / (width * (height - 1))
}

test('the files with fields have a comb that would be seen', () => {
  const raw = execFileSync(bundledFfmpeg, ['-v', 'quiet', '-i', temporaryPath('fields.mpg'), '-frames:v', '6', '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'])
  expect(comb(raw.subarray(5 * 160 * 120 * 3), { width: 160, height: 120 })).toBeGreaterThan(60)
})

test.each([
  [
    'h264 (High) (avc1 / 0x31637661), yuvj420p(pc, bt709), 320x240, 25 fps',
    { pixelFormat: 'yuvj420p', range: 'pc', matrix: 'bt709', primaries: 'bt709', transfer: 'bt709' },
    false,
  ],
  [
    'hevc (Main 10) (hvc1 / 0x31637668), yuv420p10le(tv, bt2020nc/bt2020/arib-std-b67, progressive), 320x240',
    { pixelFormat: 'yuv420p10le', range: 'tv', matrix: 'bt2020nc', primaries: 'bt2020', transfer: 'arib-std-b67' },
    false,
  ],
  ['mpeg2video (Main), yuv420p(tv, top first), 720x576 [SAR 16:15 DAR 4:3]', { pixelFormat: 'yuv420p', range: 'tv' }, true],
  [
    'prores (4444), yuva444p12le(tv, bt470bg/unknown/unknown, top coded first (swapped)), 64x48',
    { pixelFormat: 'yuva444p12le', range: 'tv', matrix: 'bt470bg' },
    true,
  ],
  ['h264 (High), yuv420p(progressive), 160x120 [SAR 1:1 DAR 4:3]', { pixelFormat: 'yuv420p' }, false],
  ['gif, bgra, 64x48, 11 fps', { pixelFormat: 'bgra' }, false],
  ['rawvideo (RGB[24] / 0x18424752), rgb24(pc, gbr/unknown/unknown, progressive), 8x8', { pixelFormat: 'rgb24', range: 'pc' }, false],
])('the colours of "%s"', (text, expected, fielded) => {
  expect(readColour(text)).toEqual(expected)
  expect(readInterlaced(text)).toBe(fielded)
})
