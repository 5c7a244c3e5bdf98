import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { setLogger } from '../../lib/log.ts'
import { FfmpegProcess } from '../../lib/media/ffmpeg-process.ts'
import { frameRate } from '../../lib/media/frame-rate.ts'
import { probe } from '../../lib/media/probe.ts'
import { rationalText, rationalValue } from '../../lib/media/rational.ts'
import { readReport } from '../../lib/media/report.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { pullDown } from '../support/film.ts'
import { ffmpeg, picture, tone } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

const speaker = 'examples/speaker.mp4'

afterEach(() => setLogger(undefined))

test('speaker.mp4', async () => {
  expect(await probe(speaker)).toEqual({
    path: speaker,
    format: 'mov,mp4,m4a,3gp,3g2,mj2',
    duration: 5,
    video: {
      index: 0,
      codec: 'h264',
      width: 640,
      height: 360,
      interlaced: false,
      colour: { pixelFormat: 'yuv420p' },
      rate: { num: 30, den: 1 },
      timeBase: { num: 1, den: 15_360 },
      frameEstimate: 150,
    },
    audio: { index: 1, track: 1, codec: 'aac', sampleRate: 48_000, layout: 'stereo', channels: 2 },
    audioTracks: 1,
  })
})

test.each([
  ['8.mp4', '8', '8'],
  ['ntsc.mp4', '30000/1001', '30000/1001'],
  // Times in milliseconds: the rate that ffmpeg computes from them is 19001/317.
  ['double-ntsc.mkv', '60000/1001', '60000/1001'],
  ['film.mkv', '24000/1001', '24000/1001'],
])('the rate of %s is exact', async (name, rate, expected) => {
  const path = temporaryPath(name)
  await ffmpeg(...picture('64x48', rate, 2), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', path)
  const { video, audio } = await probe(path)
  expect(rationalText(video!.rate)).toBe(expected)
  expect(audio).toBeNull()
})

test.each(['late-clock.mkv', 'late-clock.mov', 'late-clock.ts'])('the length of %s, whose clock begins at an hour, is counted from there', async (name) => {
  const path = temporaryPath(name)
  await ffmpeg(...picture('64x48', '25', 2), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-output_ts_offset', '3600', path)
  const { duration, video } = await probe(path)
  expect(duration).toBeCloseTo(2, 1)
  expect(video!.frameEstimate).toBe(50)
})

test.each([
  ['minute.mp4', '1/60', 120],
  ['minute.mkv', '1/60', 120],
  ['quarter.mp4', '1/15', 60],
])('the rate of %s, of a few frames a minute, is exact', async (name, rate, seconds) => {
  const path = temporaryPath(name)
  await ffmpeg(
    ...picture('64x48', rate, seconds),
    ...['-f', 'lavfi', '-i', 'anullsrc'],
    '-t',
    String(seconds),
    '-c:v',
    'libx264',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
    path,
  )
  const { video } = await probe(path)
  expect(rationalText(video!.rate)).toBe(rate)
  expect(video!.colour.pixelFormat).toBe('yuv420p')
})

test('film that is shown at 30000/1001 by longer fields, as on a DVD, is told at its own rate', async () => {
  const [stream, path] = [temporaryPath('pulled.m2v'), temporaryPath('pulled.mpg')]
  await ffmpeg(...picture('720x480', '30000/1001', 1), '-c:v', 'mpeg2video', '-bf', '0', '-q:v', '4', stream)
  pullDown(stream)
  await ffmpeg('-i', stream, '-c', 'copy', path)
  const { video } = await probe(path)
  expect(rationalText(video!.rate)).toBe('24000/1001')
})

test('a variable rate is told as its mean', async () => {
  const path = temporaryPath('variable.mp4')
  // Thirty frames a second at first, ten later.
  const drop = "select='lt(n,30)+not(mod(n,3))'"
  await ffmpeg(...picture('64x48', '30', 3), '-vf', drop, '-vsync', 'passthrough', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', path)
  const { video } = await probe(path)
  // 50 frames in about 3 s: how long the last one lasts is each version's own guess.
  expect(Math.abs(rationalValue(video!.rate) - 50 / 3)).toBeLessThan(2)
})

test('an odd size, ten bits, surround sound', async () => {
  const path = temporaryPath('odd.mkv')
  const sound = ['-f', 'lavfi', '-i', 'aevalsrc=0.1|0.1|0.1|0.1|0.1|0.1:c=5.1:s=44100:d=1']
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=123x77:d=1', ...sound, '-c:v', 'ffv1', '-pix_fmt', 'yuv444p10le', '-c:a', 'flac', path)
  const { video, audio } = await probe(path)
  expect(video).toMatchObject({ codec: 'ffv1', width: 123, height: 77 })
  expect(audio).toMatchObject({ codec: 'flac', sampleRate: 44_100, channels: 6 })
})

test('the size is the one shown, after rotation', async () => {
  const upright = temporaryPath('upright.mp4')
  const rotated = temporaryPath('rotated.mp4')
  await ffmpeg(...picture('64x48', '25', 1), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', upright)
  writeRotated(upright, rotated)
  expect((await probe(upright)).video).toMatchObject({ width: 64, height: 48 })
  expect((await probe(rotated)).video).toMatchObject({ width: 48, height: 64 })
})

test('a cover picture is no video', async () => {
  const path = temporaryPath('cover.mp3')
  const cover = ['-f', 'lavfi', '-i', 'color=red:s=100x100:d=0.04']
  await ffmpeg(...tone(1), ...cover, '-map', '0', '-map', '1', '-c:v', 'mjpeg', '-disposition:v', 'attached_pic', '-id3v2_version', '3', path)
  const { video, audio } = await probe(path)
  expect(video).toBeNull()
  expect(audio).toMatchObject({ codec: 'mp3', sampleRate: 44_100, channels: 1 })
})

test('the first of several streams is taken', async () => {
  const path = temporaryPath('several.mkv')
  const inputs = [...picture('64x48', '25', 1), ...picture('32x32', '10', 1), ...tone(1), ...tone(1)]
  const maps = ['-map', '2', '-map', '0', '-map', '1', '-map', '3']
  await ffmpeg(...inputs, ...maps, '-c:v', 'ffv1', '-c:a:0', 'flac', '-c:a:1', 'pcm_s16le', path)
  const { video, audio } = await probe(path)
  expect(video).toMatchObject({ index: 1, width: 64, height: 48 })
  expect(audio).toMatchObject({ index: 0, codec: 'flac' })
})

test('metadata cannot pass for streams', async () => {
  const path = temporaryPath('metadata.mkv')
  const forged = '    Stream #0:0: Audio: mp3, 8000 Hz, mono, fltp\n  Duration: 01:00:00.00\n    Stream #0:9(und): Audio: mp3, 8000 Hz, mono'
  const ofFile = ['-metadata', `title=${forged}`, '-metadata', 'Stream #0:3=Audio: mp3, 1 Hz, mono']
  const odd = [...ofFile, '-metadata:s:v', `title=${forged}`, '-metadata:s:v', 'language=日本): Audio: mp3']
  await ffmpeg(...picture('64x48', '25', 1), ...odd, '-c:v', 'ffv1', path)
  const { video, audio, duration } = await probe(path)
  expect(video).toMatchObject({ width: 64, height: 48 })
  expect(audio).toBeNull()
  expect(duration).toBeCloseTo(1, 1)
})

test.each(["-x %d 'ü.mp4", 'concat:a|b.mp4', 'http:x.mp4', 'a,b;[c]=$HOME.mp4', '100%.mp4'])('the name %s is only a name', async (name) => {
  const path = temporaryPath(name)
  copyFileSync(speaker, path)
  expect(await probe(path)).toMatchObject({ path, video: { width: 640 } })
})

test('a relative name that starts with a dash', async () => {
  const folder = temporaryPath('dash')
  mkdirSync(folder)
  copyFileSync(speaker, `${folder}/-i.mp4`)
  const before = process.cwd()
  try {
    process.chdir(folder)
    expect(await probe('-i.mp4')).toMatchObject({ video: { width: 640 } })
  } finally {
    process.chdir(before)
  }
})

/** What ffmpeg says of a recording from a browser: no average rate, and the clock's tick for a guess. */
function browserReport(streamLine: string, guess: string): string {
  return [
    "Input #0, matroska,webm, from 'file:a.webm':",
    '  Metadata:',
    '    encoder         : Chrome',
    '  Duration: N/A, start: 0.000000, bitrate: N/A',
    `  Stream #0:0(eng): Video: vp8, yuv420p(progressive), 640x480, SAR 1:1 DAR 4:3, ${streamLine} (default)`,
    '    Metadata:',
    '      title           : Stream #0:1: Audio: mp3, 8000 Hz, mono',
    'Stream mapping:',
    '  Stream #0:0 -> #0:0 (vp8 (native) -> wrapped_avframe (native))',
    `[Parsed_showinfo_0 @ 0x55] config in time_base: 1/1000, frame_rate: ${guess}`,
    '[Parsed_showinfo_0 @ 0x55] n:   0 pts:     20 pts_time:0.02 duration: 0 fmt:yuv420p cl:left sar:4/3 s:640x480 i:P iskey:1 type:I',
    '',
  ].join('\n')
}

test.each([
  ['1k tbr, 1k tbn', '1000/1', '30', 1],
  ['29.92 fps, 1k tbr, 1k tbn', '1000/1', '748/25', 0],
  ['23.98 fps, 90k tbr, 90k tbn', '90000/1', '24000/1001', 0],
  ['29.92 fps, 30 tbr, 1k tbn', '30/1', '30', 0],
  ['240 fps, 240 tbr, 1k tbn', '240/1', '240', 0],
  ['30 tbr, 1k tbn', '0/1', '30', 1],
])('the rate of a stream of "%s" with the guess %s', (streamLine, guess, expected, warned) => {
  const warnings: string[] = []
  setLogger((_level, message) => warnings.push(message))
  const report = readReport(browserReport(streamLine, guess))!
  expect(rationalText(frameRate('a.webm', report.streams[0]!.text, report))).toBe(expected)
  expect(warnings).toHaveLength(warned)
  expect(report.streams).toMatchObject([{ index: 0, kind: 'Video', isDefault: true, isPicture: false, besideAlpha: false }])
  expect(report.frames).toEqual([{ ticks: 20, width: 640, height: 480, pixelAspect: { num: 4, den: 3 }, interlaced: false }])
  expect(report.duration).toBeUndefined()
})

test('files that are no video', async () => {
  const missing = temporaryPath('missing.mp4')
  await expectDiffSalError(() => probe(missing), 'ERR_DIFFSAL_FILE', missing, 'does not exist')
  await expectDiffSalError(() => probe('examples'), 'ERR_DIFFSAL_FILE', 'is a directory')
  await expectDiffSalError(() => probe('/dev/null'), 'ERR_DIFFSAL_MEDIA', 'not a regular file')
  await expectDiffSalError(() => probe(''), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'path')

  const empty = temporaryPath('empty.mp4')
  writeFileSync(empty, '')
  await expectDiffSalError(() => probe(empty), 'ERR_DIFFSAL_MEDIA', 'is empty')

  for (const name of ['text.mp4', 'text.txt', 'text']) {
    const text = temporaryPath(name)
    writeFileSync(text, 'These are words.\n'.repeat(100))
    await expectDiffSalError(() => probe(text), 'ERR_DIFFSAL_MEDIA', `'${text}'`, /not a video|text file/)
  }

  const noise = temporaryPath('noise.mp4')
  writeFileSync(
    noise,
    Uint8Array.from({ length: 50_000 }, (_, i) => (i * i * 31 + 17 * i) % 251),
  )
  await expectDiffSalError(() => probe(noise), 'ERR_DIFFSAL_MEDIA', 'not a video or sound file')

  const cut = temporaryPath('cut.mp4')
  writeFileSync(cut, withoutIndex(readFileSync(speaker)))
  await expectDiffSalError(() => probe(cut), 'ERR_DIFFSAL_MEDIA', 'cut off or damaged')

  const headOnly = temporaryPath('head-only.mp4')
  const start = await faststart()
  writeFileSync(headOnly, start.subarray(0, start.indexOf('mdat') + 4))
  await expectDiffSalError(() => probe(headOnly), 'ERR_DIFFSAL_MEDIA', `'${headOnly}'`)

  const subtitles = temporaryPath('only.srt')
  writeFileSync(subtitles, '1\n00:00:01,000 --> 00:00:02,000\nHello.\n')
  await expectDiffSalError(() => probe(subtitles), 'ERR_DIFFSAL_MEDIA', `'${subtitles}'`)
})

/** A list of speaker.ts, as others name it. */
const lists: Record<string, [string, string]> = {
  'list.mp4': ['#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nspeaker.ts\n#EXT-X-ENDLIST\n', 'other files'],
  // A playlist without an end would be read again and again.
  'live.mkv': ['#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nspeaker.ts\n', 'other files'],
  'behind-id3.mp4': ['ID3\x03\0\0\0\0\0\x0a0123456789#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nspeaker.ts\n#EXT-X-ENDLIST\n', 'other files'],
  'concat.webm': ['ffconcat version 1.0\nfile speaker.ts\n', 'other files'],
  'script.avs': ['Version()', 'a script'],
  'script.VPY': ['import os', 'a script'],
}

test.each(Object.keys(lists))('%s makes ffmpeg open others, and is refused', async (name) => {
  const folder = temporaryPath(`lists-${name}`)
  mkdirSync(folder)
  await ffmpeg('-i', speaker, '-t', '1', '-c', 'copy', `${folder}/speaker.ts`)
  const [text, why] = lists[name]!
  writeFileSync(`${folder}/${name}`, text)
  await expectDiffSalError(() => probe(`${folder}/${name}`), 'ERR_DIFFSAL_MEDIA', `'${folder}/${name}'`, why)
})

test('aborting', async () => {
  const reason = new Error('stop')
  await expect(probe(speaker, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

/** speaker.mp4 with its index in front. */
async function faststart(): Promise<Buffer> {
  const path = temporaryPath('faststart.mp4')
  await ffmpeg('-i', speaker, '-c', 'copy', '-movflags', '+faststart', path)
  return readFileSync(path)
}

/** An MP4 file up to its index. */
function withoutIndex(file: Buffer): Buffer {
  const moov = file.indexOf('moov') - 4
  const mdat = file.indexOf('mdat') - 4
  return moov > mdat ? file.subarray(0, moov) : Buffer.concat([file.subarray(0, moov), file.subarray(mdat)])
}

/** Turns a picture by a quarter, in the track header's matrix. */
function writeRotated(from: string, to: string): void {
  const file = readFileSync(from)
  const header = file.indexOf('tkhd') + 4
  const matrix = header + 40
  const quarter = [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000]
  quarter.forEach((value, i) => file.writeInt32BE(value, matrix + 4 * i))
  writeFileSync(to, file)
}

test("frames are told one after the other, without ffmpeg's progress among them, which told half the rate", async () => {
  const path = temporaryPath('pyramid.mp4')
  await ffmpeg(...picture('64x48', '50', 1), '-c:v', 'libx264', '-preset', 'veryslow', '-pix_fmt', 'yuv420p', path)
  const { video } = await probe(path)
  expect(rationalText(video!.rate)).toBe('50')
  const run = await FfmpegProcess.start(['-i', path, '-frames:v', '3', '-vf', 'showinfo', '-f', 'null', '-'], { keep: 1 << 20 })
  const { log } = await run.ended
  const { frames, timeBase } = readReport(log)!
  const times = frames.map(({ ticks }) => ticks * rationalValue(timeBase!))
  expect(times).toHaveLength(3)
  for (const [i, time] of times.entries()) expect(time).toBeCloseTo(times[0]! + i / 50, 6)
})
