import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { probe } from '../../lib/media/probe.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { ffmpegs } from '../support/ffmpegs.ts'
import { beeping, h264, look } from '../support/flashes.ts'
import { ffmpeg } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(() => vi.unstubAllEnvs())

const marked = temporaryPath('marked.mkv')
const stillFirst = temporaryPath('still-first.mkv')
const twoVideos = temporaryPath('two-videos.mkv')
const one = temporaryPath('one.mp4')
const programmes = temporaryPath('programmes.ts')
const empty = temporaryPath('empty.ts')
const shared = temporaryPath('shared.ts')

beforeAll(async () => {
  const picture = ['-f', 'lavfi', '-i', 'testsrc=s=160x120:r=25:d=2']
  const silence = ['-f', 'lavfi', '-i', 'anullsrc']
  const disposition = ['-disposition:a:0', '0', '-disposition:a:1', 'default']
  await ffmpeg(...picture, ...silence, ...beeping(2, 0.5), '-map', '0', '-map', '1', '-map', '2', '-t', '2', ...h264, '-c:a', 'aac', ...disposition, marked)
  const still = ['-f', 'lavfi', '-i', 'color=red:s=64x64:d=0.04']
  await ffmpeg(...still, ...picture, '-map', '0', '-map', '1', '-c:v:0', 'mjpeg', '-c:v:1', 'libx264', '-pix_fmt:v:1', 'yuv420p', stillFirst)
  const other = ['-f', 'lavfi', '-i', 'testsrc=s=64x48:r=10:d=2']
  await ffmpeg(...picture, ...other, '-map', '0', '-map', '1', ...h264, '-disposition:v:0', '0', '-disposition:v:1', 'default', twoVideos)
  await ffmpeg(...picture, ...beeping(2, 0.5), ...h264, '-c:a', 'aac', one)
  const parts = [...picture, ...silence, ...other, ...beeping(2, 0.5), '-map', '0', '-map', '1', '-map', '2', '-map', '3', '-t', '2', ...h264, '-c:a', 'aac']
  await ffmpeg(...parts, '-program', 'title=a:st=0:st=1', '-program', 'title=b:st=2:st=3', programmes)
  const whole = temporaryPath('whole.ts')
  await ffmpeg(...picture, ...beeping(2, 0.5), ...h264, '-c:a', 'aac', whole)
  const bytes = readFileSync(whole)
  // Only what tells of the sound is left of it: its packets become filling.
  for (let at = 0; at < bytes.length; at += 188) if ((bytes.readUInt16BE(at + 1) & 0x1fff) === 0x101) bytes.writeUInt16BE(0x1fff, at + 1)
  writeFileSync(empty, bytes)
  await ffmpeg(
    ...picture,
    ...beeping(2, 0.5),
    ...other,
    '-map',
    '0',
    '-map',
    '1',
    '-map',
    '2',
    ...h264,
    '-c:a',
    'aac',
    '-program',
    'title=a:st=0:st=1',
    '-program',
    'title=b:st=2:st=1',
    shared,
  )
}, 60_000)

describe.each(ffmpegs)('read by %s', (_name, program) => {
  test('the sound track that the file marks is heard, or the one that is named; a silent one says so', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const heard = await look(marked)
    expect(heard.info.audio).toMatchObject({ index: 2, track: 2 })
    expect(heard.info.audioTracks).toBe(2)
    expect(heard.beeps).toHaveLength(2)
    expect(heard.warnings).toEqual([])
    const silent = await look(marked, { audioTrack: 1 })
    expect(silent.beeps).toEqual([])
    expect(silent.warnings).toEqual([expect.stringMatching(/^Sound track 1 of .*marked\.mkv' is silent throughout; of its 2 tracks another/)])
    expect((await look(marked, { audioTrack: 2 })).beeps).toEqual(heard.beeps)
  })

  test('a still that comes first is not the video, unless it is named', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const { info, times } = await look(stillFirst)
    expect(info.video).toMatchObject({ index: 1, width: 160, height: 120 })
    expect(times).toHaveLength(50)
    expect((await probe(stillFirst, { videoTrack: 1 })).video).toMatchObject({ index: 0, width: 64, height: 64, codec: 'mjpeg' })
  })

  test('of two videos the marked one, or the named one', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    expect((await look(twoVideos)).times).toHaveLength(20)
    const first = await look(twoVideos, { videoTrack: 1 })
    expect(first.times).toHaveLength(50)
    expect(first.info.video).toMatchObject({ index: 0, width: 160, height: 120, rate: { num: 25, den: 1 } })
  })

  test('the sound of the programme that the video belongs to', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    expect((await probe(programmes)).audio).toMatchObject({ index: 1, track: 1 })
    const second = await look(programmes, { videoTrack: 2 })
    expect(second.info.video).toMatchObject({ index: 2, width: 64 })
    expect(second.info.audio).toMatchObject({ index: 3, track: 2 })
    expect(second.beeps).toHaveLength(2)
    expect((await probe(programmes, { videoTrack: 2, audioTrack: 1 })).audio).toMatchObject({ index: 1, track: 1 })
  })

  test('a track that two programmes share is one track', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const { info } = await look(shared, { videoTrack: 2 })
    expect(info.audioTracks).toBe(1)
    expect([info.video?.index, info.audio?.index]).toEqual([2, 1])
    await expectDiffSalError(() => probe(shared, { audioTrack: 2 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'audioTrack'", 'which has 1 (1: aac')
  })

  test('a sound track without sound is no damage of the picture', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const { info, times, warnings } = await look(empty)
    expect(info.audio).toBeNull()
    expect(times).toHaveLength(50)
    expect(warnings).toEqual([])
  })

  test('a track that the file has not is refused, with those that it has', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    await expectDiffSalError(() => probe(marked, { audioTrack: 3 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'audioTrack'", '3 for', 'which has 2 (1: aac')
    await expectDiffSalError(() => probe(one, { videoTrack: 2 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'videoTrack'", 'which has 1 (1: h264')
    expect(await probe(one, { audioTrack: 1, videoTrack: 1 })).toEqual(await probe(one))
  })
})
