import { readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { findFfmpeg, isOld } from '../../lib/media/ffmpeg.ts'
import { readFrames } from '../../lib/media/frames.ts'
import { probe } from '../../lib/media/probe.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { ffmpegs } from '../support/ffmpegs.ts'
import { beeping, flashing, h264, join, look, lookAtOverlay } from '../support/flashes.ts'
import { ffmpeg } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(() => vi.unstubAllEnvs())

const base = temporaryPath('kinds.mp4')
const aac = ['-c:a', 'aac'] as const

/** A transport stream without one packet of the picture's, in the middle of a frame. */
async function lossy(path: string): Promise<void> {
  await ffmpeg('-i', base, '-c', 'copy', path)
  const bytes = readFileSync(path)
  const ofVideo = Array.from({ length: bytes.length / 188 }, (_, i) => i * 188).filter((at) => (bytes.readUInt16BE(at + 1) & 0x1fff) === 0x100)
  const at = ofVideo[Math.floor(ofVideo.length / 2)]!
  writeFileSync(path, Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 188)]))
}

/** AAC whose every packet tells its channels: six, then two. */
async function fewerChannels(path: string): Promise<void> {
  const [first, then, both] = [temporaryPath('six.ts'), temporaryPath('two.ts'), temporaryPath('both.ts')]
  await ffmpeg(...beeping(2, 0.5), '-ac', '6', ...aac, first)
  await ffmpeg(...beeping(2, 0.5), '-ac', '2', ...aac, '-output_ts_offset', '2', then)
  join(both, first, then)
  await ffmpeg(...flashing(4, 0.5), '-i', both, ...h264, '-c:a', 'copy', path)
}

async function chapters(path: string): Promise<void> {
  const list = temporaryPath('chapters.txt')
  const chapter = (from: number): string => `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${from}\nEND=${from + 1500}\ntitle=Stream #0:9: Video: x\n`
  writeFileSync(list, `;FFMETADATA1\n${chapter(0)}${chapter(1500)}`)
  await ffmpeg('-i', base, '-i', list, '-map_metadata', '1', '-map_chapters', '1', '-c', 'copy', path)
}

const copied =
  (...args: string[]) =>
  (path: string): Promise<unknown> =>
    ffmpeg('-i', base, '-c', 'copy', ...args, path)

/** All are three seconds long, but for one of four. */
const inStep: [string, (path: string) => Promise<unknown>][] = [
  ['turned.mp4', copied('-metadata:s:v:0', 'rotate=270')],
  ['fragments.mp4', copied('-movflags', '+frag_keyframe+empty_moov')],
  ['every-fragment.mp4', copied('-movflags', '+frag_keyframe+dash+delay_moov')],
  ['negative-cts.mp4', copied('-movflags', '+negative_cts_offsets')],
  ['timecode.mov', copied('-timecode', '01:00:00:00')],
  ['no-duration.mkv', copied('-live', '1')],
  [
    'empty-edit.mp4',
    async (path) => {
      const late = temporaryPath('late.ts')
      await ffmpeg('-itsoffset', '2', ...flashing(3, 0.5), ...beeping(5, 0.5), ...h264, ...aac, late)
      await ffmpeg('-i', late, '-c', 'copy', path)
    },
  ],
  ['chapters.mkv', chapters],
  ['chapters.mp4', chapters],
  ['fewer-channels.ts', fewerChannels],
  ['low.mov', (path) => ffmpeg(...flashing(3, 0.5), ...beeping(3, 0.5), ...h264, '-c:a', 'pcm_s16le', '-ar', '8000', path)],
  ['high.mkv', (path) => ffmpeg(...flashing(3, 0.5), ...beeping(3, 0.5), ...h264, '-c:a', 'flac', '-ar', '192000', path)],
  ['rate.avi', (path) => ffmpeg(...flashing(3, 0.5), ...beeping(3, 0.5), '-c:v', 'mpeg4', '-c:a', 'pcm_s16le', path)],
  ['stripe.mkv', (path) => ffmpeg(...flashing(3, 0.5, '4096x2'), ...beeping(3, 0.5), '-c:v', 'ffv1', '-c:a', 'flac', path)],
  [
    'turned-sizes.mp4',
    async (path) => {
      const [small, large, list] = [temporaryPath('small.ts'), temporaryPath('large.ts'), temporaryPath('sizes.txt')]
      await ffmpeg(...flashing(2, 0.5), ...h264, '-bf', '0', small)
      await ffmpeg(...flashing(2, 0.5, '240x160'), ...h264, '-bf', '0', large)
      writeFileSync(list, `file '${small}'\nfile '${large}'\n`)
      await ffmpeg('-f', 'concat', '-safe', '0', '-i', list, ...beeping(4, 0.5), '-c:v', 'copy', ...aac, '-metadata:s:v:0', 'rotate=90', path)
    },
  ],
]

const lost = temporaryPath('lost.ts')
const late = temporaryPath('late.mxf')
const turnedFields = temporaryPath('turned-fields.mp4')
const fields = "color=black:s=160x120:r=50:d=1,format=gray,geq=lum='16+219*lt(mod(X+8*N,40),20)',tinterlace=interleave_top,fieldorder=tff,format=yuv420p"

beforeAll(async () => {
  await ffmpeg(...flashing(3, 0.5), ...beeping(3, 0.5), ...h264, '-g', '25', ...aac, base)
  for (const [name, write] of inStep) await write(temporaryPath(name))
  await lossy(lost)
  await ffmpeg(...flashing(3, 0.5, '720x576'), ...beeping(3, 0.5), '-c:v', 'mpeg2video', '-q:v', '2', '-flags', '+ildct+ilme', '-c:a', 'pcm_s16le', late)
  writeFileSync(late, readFileSync(late).subarray(0, 0.8 * readFileSync(late).length))
  const upright = temporaryPath('fields.mp4')
  await ffmpeg('-f', 'lavfi', '-i', fields, '-c:v', 'libx264', '-crf', '12', '-flags', '+ildct+ilme', '-x264opts', 'tff=1', upright)
  for (const degrees of [90, 180, 270])
    await ffmpeg('-i', upright, '-c', 'copy', '-metadata:s:v:0', `rotate=${degrees}`, turnedFields.replace('.mp4', `${degrees}.mp4`))
}, 120_000)

describe.each(ffmpegs)('read by %s', (_name, program) => {
  test.each(inStep)('%s: each flash a frame after its beep, for the model and in the overlay', async (name) => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const seen = await look(temporaryPath(name))
    const over = await lookAtOverlay(seen, temporaryPath('over-kinds.mp4'))
    expect(over.times).toHaveLength(seen.times.length)
    for (const { flashes, beeps, warnings } of [seen, over]) {
      expect(flashes.length).toBeGreaterThanOrEqual(3)
      for (const flash of flashes) expect(Math.min(...beeps.map((beep) => Math.abs(flash - beep - 0.02))), `${flash}: ${beeps}`).toBeLessThan(0.03)
      expect(warnings).toEqual([])
    }
    expect(over.beeps).toHaveLength(seen.beeps.length)
  })

  test('a packet of a broadcast that is lost costs no frame of the count, and a warning says where', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    // The old one gives the frame, half of it grey, and knows nothing.
    if (isOld(await findFfmpeg())) return
    const { times, warnings } = await look(lost)
    expect(times).toHaveLength(75)
    expect(warnings).toEqual([expect.stringMatching(/damaged and lost 1 frame at \d\.\d\d s; 74 were decoded: packets are missing/)])
  })

  test('a picture whose first time is late, in frames that come in another order, is laid over at its time', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const seen = await look(late)
    const over = await lookAtOverlay(seen, temporaryPath('over-late.mp4'))
    expect(seen.times[0]).toBeCloseTo(0.04, 3)
    expect(seen.flashes.length).toBeGreaterThan(0)
    for (const [i, beep] of seen.beeps.entries()) expect(Math.abs(over.flashes[i]! - over.beeps[i]! - (seen.flashes[i]! - beep))).toBeLessThan(0.025)
  })

  test.each([90, 180, 270])('fields that are turned by %d degrees have no comb', async (degrees) => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const info = await probe(turnedFields.replace('.mp4', `${degrees}.mp4`))
    const video = info.video!
    expect(video.interlaced && video.turn !== undefined).toBe(true)
    const frames: Uint8Array[] = []
    for await (const { pixels } of readFrames({ ...info, video }, [video.height, video.width])) frames.push(pixels)
    expect(frames).toHaveLength(25)
    // Stripes stand across the fields: neighbours along a field differ at their edges only.
    const step = degrees === 180 ? video.width : 1
    let difference = 0
    for (let i = 0; i < video.width * (video.height - 1); i++) difference += Math.abs(frames[5]![3 * i]! - frames[5]![3 * (i + step)]!)
    expect(difference / (video.width * (video.height - 1))).toBeLessThan(25)
  })

  test('lists of other files and names that are patterns are refused, with a remedy', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const [list, playlist] = [temporaryPath('list.ffconcat'), temporaryPath('list.m3u8')]
    writeFileSync(list, 'ffconcat version 1.0\nfile kinds.mp4\n')
    await expectDiffSalError(() => probe(list), 'ERR_DIFFSAL_MEDIA', 'is a list (concat) of other files', '-c copy OUT.mkv')
    await ffmpeg('-i', base, '-c', 'copy', '-f', 'hls', playlist)
    await expectDiffSalError(() => probe(playlist), 'ERR_DIFFSAL_MEDIA', /is a list \(hls.*\) of other files/)
    const pattern = `${dirname(base)}/picture%01d.png`
    for (const path of [pattern, `${dirname(base)}/picture1.png`, `${dirname(base)}/picture2.png`]) {
      await ffmpeg('-f', 'lavfi', '-i', 'color=red:s=16x16', '-frames:v', '1', '-f', 'image2', '-update', '1', path)
    }
    await expectDiffSalError(() => probe(pattern), 'ERR_DIFFSAL_MEDIA', 'takes for a pattern', 'rename')
  })

  test('a name with lines as ffmpeg writes them is a name', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const path = temporaryPath('x\n  Duration: 00:00:01.00, start\n  Stream #0:0: Video: h264, yuv420p, 4x4.mp4')
    writeFileSync(path, readFileSync(base))
    const { duration, video, audio } = await probe(path)
    expect([duration, video?.width, audio?.codec]).toEqual([3.02, 160, 'aac'])
  })
})
