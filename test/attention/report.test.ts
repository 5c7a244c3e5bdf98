import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { report } from '../../lib/attention-report.ts'
import type { AttentionReport, ReportArea, ReportOptions } from '../../lib/index.ts'
import { spotClip } from '../support/blob-clips.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { FakeModel } from '../support/fake-model.ts'
import { ffmpeg, runningFfmpegs, tone, twoShots } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

let clip = ''
beforeAll(async () => {
  // Two seconds: the spot's middle is at (32, 45) for the first, at (128, 45) for the second.
  clip = await spotClip('looked.mkv', 'if(lt(t\\,1)\\,0.2\\,0.8)', 50)
})
afterEach(async () => expect(await runningFfmpegs()).toEqual([]))

const model = (): FakeModel => new FakeModel({ size: [45, 80] })
const tell = (options: ReportOptions, input: string = clip): Promise<AttentionReport> =>
  report(model(), input, { videoOnly: true, shots: false, stride: 5, seed: 1, ...options })

const left = { name: 'left', x: 20, y: 33, width: 24, height: 24 }
const right = { name: 'right', x: 116, y: 33, width: 24, height: 24 }

test('each area gets the attention that lies in it, while it is there', async () => {
  const { areas, ...rest } = await tell({
    areas: [left, { ...right, from: 0.5, to: 1.5 }, { name: 'all', x: 0, y: 0, width: 160, height: 90 }, { name: 'nothing', x: 0, y: 0, width: 16, height: 9 }],
  })
  expect(rest).toMatchObject({ name: clip, size: [90, 160], start: 0, end: 2, maps: 10, stride: 5, seed: 1, look: 2 })
  const [first, second, all, nothing] = areas
  // Maps of frames 0, 5, …, 45 stand for frames up to two after them.
  expect(first).toMatchObject({ name: 'left', x: 20, y: 33, from: null, to: null, seconds: 2, looks: 1, firstLook: 0, firstLookAfter: 0, best: { share: 1 } })
  for (const value of [first!.dwell, first!.looked]) expect(value).toBeCloseTo(0.92)
  expect(first!.size).toBeCloseTo(576 / 14_400)
  expect(first!.share).toBeCloseTo(0.46)
  expect(first!.ratio).toBeCloseTo(0.46 / 0.04)
  expect(first!.lookedShare).toBeCloseTo(0.46)
  expect(first!.threshold).toBeCloseTo(0.08 / 1.04)
  expect(second).toMatchObject({ from: 0.5, to: 1.5, seconds: 1, looks: 1, best: { frame: 25, time: 1 } })
  expect(second!.dwell).toBeCloseTo(1.5 - 0.92)
  expect(second!.firstLook).toBeCloseTo(1)
  expect(second!.firstLookAfter).toBeCloseTo(0.5)
  expect(all).toMatchObject({ size: 1, seconds: 2, looks: 1, firstLook: 0 })
  for (const value of [all!.dwell, all!.looked]) expect(value).toBeCloseTo(2)
  expect(all!.ratio).toBeCloseTo(1)
  expect(nothing).toMatchObject({ dwell: 0, share: 0, looked: 0, looks: 0, firstLook: null, firstLookAfter: null })
})

test('a map a moment, whose times make up the whole', async () => {
  const { moments, concentration, start, end } = await tell({ areas: [{ ...left, from: 1.5 }] })
  expect(moments.map(({ frame }) => frame)).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45])
  expect(moments.map(({ from }) => from)).toEqual([start, ...moments.slice(0, -1).map(({ to }) => to)])
  expect(moments.at(-1)!.to).toBe(end)
  expect(moments.map(({ areas: [share] }) => share)).toEqual([null, null, null, null, null, null, null, 0, 0, 0])
  for (const { frame, focus, concentration: value } of moments) {
    expect(focus.x).toBeCloseTo(frame < 25 ? 32 : 128, -0.7)
    expect(focus.y).toBeCloseTo(45, -0.7)
    expect(value).toBeGreaterThan(0.3)
  }
  expect(concentration.mean).toBeCloseTo(moments[3]!.concentration, 1)
  expect(concentration.least.value).toBe(Math.min(...moments.map(({ concentration: value }) => value)))
})

test('the regions that held attention, each with a picture of the frame', async () => {
  const { regions } = await tell({})
  expect(regions).toHaveLength(2)
  expect(regions[0]!.place.x).toBeCloseTo(128, -0.7)
  expect(regions[1]!.place.x).toBeCloseTo(32, -0.7)
  for (const { place, seconds, dwell, share, best, picture } of regions) {
    expect(place.y).toBeCloseTo(45, -0.7)
    expect(seconds).toBeGreaterThan(0.8)
    expect(dwell).toBeGreaterThan(0.5)
    expect(share).toBeCloseTo(dwell / 2)
    const { box } = best
    expect(box.x).toBeGreaterThan(place.x - 12)
    expect(box.x + box.width).toBeLessThan(place.x + 12)
    const { data, info } = await sharp(Buffer.from(picture.split(',')[1]!, 'base64'))
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect([info.height, info.width]).toEqual([90, 160])
    const red = data[3 * (45 * 160 + Math.round(place.x))]!
    expect(red).toBeGreaterThan(200)
  }
  expect((await tell({ regions: 1 })).regions).toHaveLength(1)
  expect((await tell({ regions: 0 })).regions).toEqual([])
})

test('shots, a part of the video, and pictures of pixels that are not square', async () => {
  const path = temporaryPath('shots.mkv')
  await ffmpeg(...twoShots('160x90'), '-filter_complex', '[0][1]concat,setsar=2', '-c:v', 'libx264', path)
  const found = await report(model(), path, { videoOnly: true, stride: 10, seed: 1 })
  expect(found.shots).toMatchObject([
    { shot: 0, start: 0, end: 1 },
    { shot: 1, start: 1, end: 2 },
  ])
  for (const { concentration } of found.shots) expect(concentration).toBeGreaterThan(0)
  // The third map, of frame 20, stands until the cut.
  expect(found.moments.map(({ to }) => to)).toEqual([0.24, 0.64, 1, 1.44, 2].map((value) => expect.closeTo(value)))
  const picture = await sharp(Buffer.from(found.regions[0]!.picture.split(',')[1]!, 'base64')).metadata()
  expect([picture.height, picture.width]).toEqual([90, 320])
  const part = await tell({ start: 0.9, end: 1.3, areas: [right] })
  expect(part).toMatchObject({ start: expect.closeTo(0.92), end: expect.closeTo(1.3) })
  expect(part.areas[0]).toMatchObject({ seconds: expect.closeTo(part.end - part.start), firstLook: expect.any(Number) })
})

test('the report as a page and as JSON', async () => {
  const [page, json] = [temporaryPath('new/report.html'), temporaryPath('new/report.json')]
  const areas = [{ ...left, name: '<script>alert(1)</script>' }]
  const made = await tell({ areas, output: json })
  expect(JSON.parse(readFileSync(json, 'utf8'))).toEqual(JSON.parse(JSON.stringify(made)))
  await tell({ areas, output: page })
  const text = readFileSync(page, 'utf8')
  expect(text).toContain('<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>')
  expect(text).not.toContain('<script')
  expect(text).toContain('default-src &#39;none&#39;; img-src data:')
  expect(text.match(/<image href="data:image\/jpeg;base64,/g)).toHaveLength(1 + made.regions.length)
  expect(readdirSync(temporaryPath('new')).sort()).toEqual(['report.html', 'report.json'])
})

test('what cannot be is refused before anything is predicted', async () => {
  const bad = async (options: object, argument: string, ...words: (string | RegExp)[]): Promise<void> => {
    const fake = model()
    const error = await expectDiffSalError(() => report(fake, clip, { videoOnly: true, ...options }), 'ERR_DIFFSAL_INVALID_ARGUMENT', ...words)
    expect(error.argument).toBe(argument)
    expect(fake.calls).toEqual([])
  }
  const areas = (...given: unknown[]) => ({ areas: given })
  await bad(areas(), 'areas', /a list of 1 to 200 areas/)
  await bad({ areas: 'left' }, 'areas')
  await bad({ areas: Array.from({ length: 201 }, (_, i) => ({ ...left, name: `${i}` })) }, 'areas', /201/)
  await bad(areas(null), 'areas[0]', /null came/)
  await bad(areas(left, 7), 'areas[1]')
  await bad(areas({ ...left, name: '' }), 'areas[0].name')
  await bad(areas({ ...left, name: 'x'.repeat(201) }), 'areas[0].name', /200/)
  await bad(areas(left, right, { ...right, name: 'left' }), 'areas[2].name', /another name than that of areas\[0\]/)
  await bad(areas({ ...left, x: Number.NaN }), 'areas[0].x', /NaN/)
  await bad(areas({ ...left, y: -1 }), 'areas[0].y')
  await bad(areas({ ...left, width: 0 }), 'areas[0].width', /above 0/)
  await bad(areas({ ...left, height: '24' }), 'areas[0].height')
  await bad(areas({ name: 'a', x: 0, y: 0, width: 1 }), 'areas[0].height', /undefined/)
  await bad(areas({ ...left, colour: 'red' }), 'areas[0].colour')
  await bad(areas({ ...left, form: 1 }), 'areas[0].form', /Did you mean 'from'/)
  await bad(areas({ ...left, from: 2, to: 1 }), 'areas[0].to', /after 'from', 2/)
  await bad(areas({ ...left, to: Number.POSITIVE_INFINITY }), 'areas[0].to')
  await bad(areas({ ...left, x: 150 }), 'areas[0]', /within the frame of 160 × 90 pixels.*'left' with x 150 to 174/)
  await bad(areas(right, { ...left, y: 80 }), 'areas[1]', /y 80 to 104/)
  await bad(areas({ ...left, from: 60 }), 'areas[0].from', /before the end of what is looked at, 2 s/)
  await bad({ ...areas({ ...left, to: 0.5 }), start: 1 }, 'areas[0].to', /after the beginning.*1 s/)
  await bad({ look: 0.5 }, 'look')
  await bad({ regions: 101 }, 'regions')
  await bad({ uncertainty: 4 }, 'options.uncertainty')
  await bad({ output: 'report.pdf' }, 'output', /\.html or \.json/)
  const same = temporaryPath('same.html')
  linkSync(clip, same)
  await bad({ output: same }, same, /is the input/)
  mkdirSync(temporaryPath('folder.html'))
  const fake = model()
  await expectDiffSalError(() => report(fake, clip, { output: temporaryPath('folder.html') }), 'ERR_DIFFSAL_FILE', /directory/)
  await expectDiffSalError(() => report(fake, 'nowhere.mp4'), 'ERR_DIFFSAL_FILE', /nowhere/)
  const sound = temporaryPath('sound.wav')
  await ffmpeg(...tone(1), sound)
  await expectDiffSalError(() => report(new FakeModel({ video: false }), sound), 'ERR_DIFFSAL_MEDIA', /no video stream/)
  expect(fake.calls).toEqual([])
})

test('an end by the caller leaves what was there, at maps and at pictures', async () => {
  const folder = temporaryPath('kept')
  mkdirSync(folder)
  const output = join(folder, 'kept.html')
  writeFileSync(output, 'before')
  const reason = new Error('enough')
  const stop = new AbortController()
  await expect(tell({ output, signal: stop.signal, onProgress: ({ maps }) => maps === 3 && stop.abort(reason) })).rejects.toBe(reason)
  await expect(tell({ output, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(readFileSync(output, 'utf8')).toBe('before')
  expect(readdirSync(folder)).toEqual(['kept.html'])
})

test('bytes, as well as a file, and accessors are read once', async () => {
  let reads = 0
  const area = {
    ...left,
    get x() {
      return ++reads === 1 ? 20 : -1
    },
  } as ReportArea
  const found = await report(model(), readFileSync(clip), { videoOnly: true, stride: 25, areas: [area], seed: 1 })
  expect(found).toMatchObject({ maps: 2, areas: [{ x: 20 }] })
  expect(reads).toBe(1)
  expect(existsSync(found.name)).toBe(false)
})
