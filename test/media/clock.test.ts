import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { ffmpegs } from '../support/ffmpegs.ts'
import { pullDown } from '../support/film.ts'
import { beeping, flashing, h264, join, look, lookAtOverlay } from '../support/flashes.ts'
import { ffmpeg } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

afterEach(() => vi.unstubAllEnvs())

/** Sound that begins 0.8 s after the picture. */
const later = [...flashing(3, 0.5), '-itsoffset', '0.8', ...beeping(2.2, 1.3)]
/** A picture that begins 0.8 s after the sound. */
const lateVideo = ['-itsoffset', '0.8', ...flashing(2.2, 1.3), ...beeping(3, 0.5)]
const aac = [...h264, '-c:a', 'aac']
const mpeg2 = ['-c:v', 'mpeg2video', '-q:v', '4', '-c:a', 'mp2']

/** Streams of which one begins after ffmpeg has stopped looking. */
const muchLater = [...flashing(14, 0.5), '-itsoffset', '12', ...beeping(2, 0.5)]
const muchLaterVideo = ['-itsoffset', '12', ...flashing(2, 0.5), ...beeping(14, 0.5)]

/** A splice: another clock from 1.6 s on, and sound that is missing from 1.2 s to there. */
async function splice(path: string): Promise<void> {
  const [first, second] = [temporaryPath('splice-1.ts'), temporaryPath('splice-2.ts')]
  await ffmpeg(...flashing(1.6, 0.5), ...beeping(1.2, 0.5), ...aac, '-g', '20', '-output_ts_offset', '100', first)
  await ffmpeg(...flashing(1.4, 2.1), ...beeping(1.4, 2.1), ...aac, '-g', '20', '-output_ts_offset', '7', second)
  join(path, first, second)
}

/** AC-3 that changes in the middle, at 3.968 s (124 blocks at 48 kHz): to other channels, or to another rate. */
async function changing(path: string, second: readonly string[]): Promise<void> {
  const [first, then, both] = [temporaryPath('p1.ac3'), temporaryPath('p2.ac3'), temporaryPath('p.ac3')]
  await ffmpeg(...beeping(3.968, 0.5), '-ac', '2', '-c:a', 'ac3', '-b:a', '96k', first)
  await ffmpeg(...beeping(4.032, 4.468), ...second, '-c:a', 'ac3', '-b:a', '192k', then)
  join(both, first, then)
  await ffmpeg(...flashing(8, 0.5), '-i', both, ...h264, '-c:a', 'copy', path)
}

/** A DVD's film, whose first picture comes out a rounding before the beginning. Pictures are slower than they were made, by the fields that are repeated. */
async function film(path: string): Promise<void> {
  const stream = temporaryPath('film.m2v')
  const white = "drawbox=c=white:t=fill:w=iw:h=ih:enable='lt(mod(1.25*t+0.5,1),0.0417)'"
  await ffmpeg('-f', 'lavfi', '-i', `color=0x285AA0:s=160x120:r=30000/1001:d=3.2,${white}`, '-c:v', 'mpeg2video', '-bf', '0', '-q:v', '4', stream)
  pullDown(stream)
  await ffmpeg('-i', stream, ...beeping(4, 0.5), '-c:v', 'copy', '-c:a', 'mp2', path)
}

const seconds = (...list: number[]): number[] => list
const each = (count: number, first: number): number[] => Array.from({ length: count }, (_, k) => k + first)

const cases: [string, number[], number[], (path: string) => Promise<unknown>][] = [
  ['film.mpg', each(4, 0.501), each(4, 0.5), film],
  ['later.ts', seconds(0.52, 1.52, 2.52), seconds(1.5, 2.5), (path) => ffmpeg(...later, ...aac, path)],
  ['later.mpg', seconds(0.52, 1.52, 2.52), seconds(1.5, 2.5), (path) => ffmpeg(...later, ...mpeg2, path)],
  ['later.mp4', seconds(0.52, 1.52, 2.52), seconds(1.5, 2.5), (path) => ffmpeg(...later, ...aac, path)],
  ['later.mkv', seconds(0.52, 1.52, 2.52), seconds(1.5, 2.5), (path) => ffmpeg(...later, ...aac, path)],
  ['late-video.ts', seconds(1.52, 2.52), seconds(0.5, 1.5, 2.5), (path) => ffmpeg(...lateVideo, ...aac, path)],
  ['late-video.mkv', seconds(1.52, 2.52), seconds(0.5, 1.5, 2.5), (path) => ffmpeg(...lateVideo, ...aac, path)],
  [
    'negative.mkv',
    seconds(0.52, 1.52, 2.52),
    seconds(0.5, 1.5, 2.5),
    (path) => ffmpeg(...flashing(3, 0.5), ...beeping(3, 0.5), ...aac, '-output_ts_offset', '-2', path),
  ],
  [
    'edit-list.mp4',
    seconds(0.52, 1.52),
    seconds(0.5, 1.5),
    async (path) => {
      const whole = temporaryPath('whole-edit.mp4')
      await ffmpeg(...flashing(3, 0.5), ...beeping(3, 0.5), ...h264, '-g', '25', '-bf', '0', '-c:a', 'aac', whole)
      await ffmpeg('-ss', '1', '-i', whole, '-c', 'copy', path)
    },
  ],
  ['shorter-sound.mp4', seconds(0.52, 1.52, 2.52), seconds(0.5), (path) => ffmpeg(...flashing(3, 0.5), ...beeping(1.2, 0.5), ...aac, path)],
  ['longer-sound.mkv', seconds(0.52), seconds(0.5, 1.5, 2.5), (path) => ffmpeg(...flashing(1.2, 0.5), ...beeping(3, 0.5), ...aac, path)],
  ['much-later.ts', each(14, 0.52), seconds(12.5, 13.5), (path) => ffmpeg(...muchLater, ...aac, path)],
  ['much-later.mpg', each(14, 0.52), seconds(12.5, 13.5), (path) => ffmpeg(...muchLater, ...mpeg2, '-g', '1', '-s', '720x576', path)],
  ['much-later-video.ts', seconds(12.52, 13.52), each(14, 0.5), (path) => ffmpeg(...muchLaterVideo, ...aac, path)],
  ['splice.ts', seconds(0.52, 1.52, 2.52), seconds(0.5, 2.5), splice],
  ['layout.mkv', each(8, 0.52), each(8, 0.5), (path) => changing(path, ['-ac', '6'])],
  ['sample-rate.mkv', each(8, 0.52), each(8, 0.5), (path) => changing(path, ['-ar', '32000'])],
]

beforeAll(async () => {
  for (const [name, , , write] of cases) await write(temporaryPath(name))
}, 120_000)

/** How far one list of times is from another. A container may move both streams by the priming of its sound codec, but not one of them. */
function expectTimes(found: number[], expected: number[], moved: number, what: string): void {
  expect(
    found.map((time) => time.toFixed(2)),
    what,
  ).toHaveLength(expected.length)
  for (const [i, time] of expected.entries()) expect(Math.abs(found[i]! - moved - time), `${what} at ${time} s, found ${found[i]}`).toBeLessThan(0.025)
}

describe.each(ffmpegs)('read by %s', (_name, program) => {
  test.each(cases)('%s: picture and sound are in step, for the model and in the overlay', async (name, flashes, beeps) => {
    vi.stubEnv('DIFFSAL_FFMPEG', program)
    const seen = await look(temporaryPath(name))
    const moved = seen.flashes[0]! - flashes[0]!
    expect(moved).toBeGreaterThan(-0.001)
    expect(moved).toBeLessThan(0.03)
    expectTimes(seen.flashes, flashes, moved, 'flash')
    expectTimes(seen.beeps, beeps, moved, 'beep')
    expect(seen.warnings).toEqual([])
    const over = await lookAtOverlay(seen, temporaryPath(`over-${name}.mp4`))
    expect(over.times).toHaveLength(seen.times.length)
    expectTimes(over.flashes, flashes, moved, 'flash in the overlay')
    expectTimes(over.beeps, beeps, moved, 'beep in the overlay')
  })
})
