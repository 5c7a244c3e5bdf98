import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { expectDiffSalError } from '../support/expect-error.ts'
import { bundledFfmpeg } from '../support/bundled-ffmpeg.ts'
import { ffmpegs } from '../support/ffmpegs.ts'
import { beeping, flashing, h264, join, look, lookAtOverlay } from '../support/flashes.ts'
import { ffmpeg } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(() => vi.unstubAllEnvs())

const midGop = temporaryPath('mid-gop.ts')
const oneBad = temporaryPath('one-bad.mp4')
const splice = temporaryPath('bad-splice.ts')
const cut = temporaryPath("it's cut.mp4")
const moving = ['-f', 'lavfi', '-i', 'testsrc=s=160x120:r=25:d=3']

/** The bytes of a video's packets, one after the other, and how many each has. */
function packets(path: string): { bytes: Buffer; sizes: number[] } {
  const run = (format: string): Buffer => execFileSync(bundledFfmpeg, ['-v', 'quiet', '-i', path, '-map', '0:v', '-c', 'copy', '-f', format, 'pipe:1'])
  const lines = run('framecrc')
    .toString()
    .split('\n')
    .filter((line) => /^0,/.test(line))
  return { bytes: run('data'), sizes: lines.map((line) => Number(line.split(',')[4])) }
}

beforeAll(async () => {
  const gop = ['-x264opts', 'open-gop=1:keyint=50:min-keyint=50:scenecut=0', '-bf', '3']
  const whole = temporaryPath('whole.ts')
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=160x120:r=25:d=6', ...beeping(6, 0.5), ...h264, ...gop, '-c:a', 'aac', whole)
  const bytes = readFileSync(whole)
  writeFileSync(midGop, bytes.subarray(188 * Math.floor(bytes.length / 188 / 6)))

  const good = temporaryPath('good.mp4')
  await ffmpeg(...moving, ...beeping(8, 0.5), ...h264, '-g', '25', '-bf', '0', '-c:a', 'aac', good)
  const file = readFileSync(good)
  const { bytes: all, sizes } = packets(good)
  const at = sizes.slice(0, 30).reduce((sum, size) => sum + size, 0)
  const place = file.indexOf(all.subarray(at, at + sizes[30]!))
  // The lengths of its parts become senseless.
  file.fill(0xe4, place, place + 8)
  writeFileSync(oneBad, file)

  const [first, second] = [temporaryPath('c1.ts'), temporaryPath('c2.ts')]
  const codecs = [...h264, '-g', '20', '-c:a', 'aac']
  await ffmpeg(...flashing(1.6, 0.5), ...beeping(1.2, 0.5), ...codecs, '-output_ts_offset', '100', first)
  await ffmpeg(...flashing(1.4, 2.1), ...beeping(1.4, 2.1), ...codecs, '-output_ts_offset', '7', second)
  join(splice, first, second)
  const spliced = readFileSync(splice)
  // A picture of the first group.
  spliced.fill(0, 188 * 8 + 30, 188 * 8 + 180)
  writeFileSync(splice, spliced)

  const long = temporaryPath('long.mp4')
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=25:d=4', ...beeping(4, 0.5), ...h264, '-c:a', 'aac', '-movflags', '+faststart', long)
  const { length } = readFileSync(long)
  writeFileSync(cut, readFileSync(long).subarray(0, Math.floor(length / 2)))
}, 60_000)

describe.each(ffmpegs)('read by %s', (_name, program) => {
  test('a recording that begins inside a group of pictures: every frame that can be decoded, and one warning', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const { times, warnings, info, beeps } = await look(midGop)
    // From the first key frame to the end, at one clock with the sound, whose beeps stay a second apart.
    for (let k = 1; k < times.length; k++) expect(times[k]! - times[k - 1]!).toBeCloseTo(0.04, 3)
    expect(times.length).toBeGreaterThan(90)
    expect(Math.abs(times.at(-1)! + 0.04 - info.duration!)).toBeLessThan(0.1)
    expect(times[0]! - beeps[0]!).toBeCloseTo(0.5, 1)
    expect(warnings).toEqual([expect.stringMatching(/is damaged and lost \d+ frames before 1\.\d\d s; \d+ were decoded/)])
  })

  test('one bad packet, and sound that is longer: all frames, and one warning that says where', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const seen = await look(oneBad)
    expect(seen.times.map((time) => Math.round(time * 25))).toEqual(Array.from({ length: 75 }, (_, k) => k))
    expect(seen.beeps).toHaveLength(8)
    expect(seen.warnings).toEqual([expect.stringMatching(/is damaged and lost 1 frame at 1\.20 s; 74 were decoded/)])
    const over = await lookAtOverlay(seen, temporaryPath('over-bad.mp4'))
    expect(over.times.at(-1)).toBeCloseTo(2.96, 2)
    expect(over.beeps).toHaveLength(8)
  })

  test('a spliced clock with a damaged packet is read to its end', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const { times, flashes, beeps, warnings } = await look(splice)
    expect(times.map((time) => Math.round((time - times[0]!) * 25))).toEqual(Array.from({ length: 75 }, (_, k) => k))
    expect(flashes.map((time) => time - times[0]!).map((time) => time.toFixed(2))).toEqual(['0.52', '1.52', '2.52'])
    expect(beeps.map((time) => (time - times[0]!).toFixed(1))).toEqual(['0.5', '2.5'])
    expect(warnings).toEqual([expect.stringMatching(/damaged.* frames?/)])
  })

  test('a file that really ends early is refused, and the remedy works', async () => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const error = await expectDiffSalError(() => look(cut), 'ERR_DIFFSAL_MEDIA', 'is cut off or damaged: it ends at', /\d+ of about 100 frames/, '-c copy')
    const command = /`ffmpeg (.*)`/.exec(error.message)![1]!
    execFileSync('sh', ['-c', `'${program}' -y -v quiet -nostdin ${command} || true`])
    const whole = await look(cut.replace('.mp4', '-whole.mp4'))
    expect(whole.times.length).toBeGreaterThan(20)
    expect(whole.warnings.filter((text) => text.includes('cut off'))).toEqual([])
  })
})
