import { existsSync, linkSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { writeViewPage, type ViewMap } from '../../lib/index.ts'
import { setLogger } from '../../lib/log.ts'
import { checkMapBytes, MapShelf } from '../../lib/view/map-shelf.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { ffmpeg, tone, twoShots } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

let clip: string
beforeAll(async () => {
  clip = temporaryPath('clip.mp4')
  await ffmpeg(...twoShots('160x90'), ...tone(2), '-filter_complex', '[0][1]concat', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', clip)
})

let asked = 0
async function* ramps(every = 10, until = 50): AsyncGenerator<ViewMap> {
  for (let frame = 0; frame < until; frame += every) {
    asked += 1
    // From 0 to 0.5, to 1, to 1, ….
    yield {
      frame,
      tensor: { dtype: 'float32', shape: [1, 1, 2, 128], data: Float32Array.from({ length: 256 }, (_, i) => ((i % 128) / 127) * (frame === 0 ? 0.5 : 1)) },
    }
  }
}

/** What the page has between the tags of an element. */
const inside = (page: string, id: string): string => new RegExp(`<script [^>]*id="${id}">([^<]*)</script>`).exec(page)![1]!

test('maps as bytes, their numbers, the shots and the video are in the page', async () => {
  const path = temporaryPath('new/page.html')
  const progress: number[] = []
  await writeViewPage(path, clip, ramps(), { onProgress: ({ maps }) => progress.push(maps) })
  expect(progress).toEqual([1, 2, 3, 4, 5])
  const page = readFileSync(path, 'utf8')
  const data = JSON.parse(inside(page, 'data'))
  expect(data).toMatchObject({
    film: { inside: 'video/mp4' },
    size: [160, 90],
    shots: [
      { begins: 'video', start: 0 },
      { begins: 'cut', start: 1 },
    ],
  })
  expect(data.maps).toMatchObject({ columns: 96, rows: 2, times: [0, 0.4, 0.8, 1.2, 1.6] })
  // The first goes half as far as the others.
  expect(data.maps.levels.map((level: number) => level.toFixed(2))).toEqual(['0.50', '1.00', '1.00', '1.00', '1.00'])
  expect(data.maps.focus[1][0]).toBeGreaterThan(0.8)
  expect(data.maps.confidence).toHaveLength(5)
  const maps = Buffer.from(inside(page, 'maps'), 'base64')
  expect(maps).toHaveLength(5 * 2 * 96)
  expect([maps[0], maps[95], maps[96]]).toEqual([0, 255, 0])
  expect(maps[48]! / 255).toBeCloseTo(48.5 / 96, 1)
  expect(Buffer.from(inside(page, 'film-bytes'), 'base64').equals(readFileSync(clip))).toBe(true)
  expect(page).toMatch(/class="wave"/)
  // Nothing is loaded: no address but names of XML.
  expect(page.replaceAll('http://www.w3.org/2000/svg', '').replace(/id="(maps|film-bytes)">[^<]*/g, '')).not.toMatch(/https?:\/\//)
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!.replaceAll('&#39;', "'")
  expect(policy).toMatch(
    /^default-src 'none'; script-src 'sha256-[^ ;]+'; style-src 'sha256-[^ ;]+' 'sha256-[^ ;]+'; media-src blob:; base-uri 'none'; form-action 'none'$/,
  )
  expect(readdirSync(dirname(path))).toEqual(['page.html'])
})

test('a name is text', async () => {
  const name = temporaryPath('<script>&"\'.mp4')
  await copyFile(clip, name)
  const path = temporaryPath('named.html')
  await writeViewPage(path, name, ramps())
  const page = readFileSync(path, 'utf8')
  expect(page).toContain('<h1><bdi>&lt;script&gt;&amp;&quot;&#39;.mp4</bdi></h1>')
  expect(page).not.toContain('<script>')
})

test('beside the page, the video is an address', async () => {
  const folder = temporaryPath('some where')
  await mkdir(folder, { recursive: true })
  await copyFile(clip, `${folder}/a#b:c.mp4`)
  const path = temporaryPath('pages/beside.html')
  await writeViewPage(path, `${folder}/a#b:c.mp4`, ramps(), { beside: true })
  expect(JSON.parse(inside(readFileSync(path, 'utf8'), 'data')).film).toEqual({ address: './../some%20where/a%23b%3Ac.mp4' })
})

test('what cannot be is refused before a map is asked for', async () => {
  asked = 0
  const path = temporaryPath('none.html')
  await expectDiffSalError(() => writeViewPage('page.txt', clip, ramps()), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'path' must be a file that ends in \.html/)
  await expectDiffSalError(() => writeViewPage(path, clip, [] as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'maps'/)
  await expectDiffSalError(() => writeViewPage(path, 'nowhere.mp4', ramps()), 'ERR_DIFFSAL_FILE', /nowhere/)
  const same = temporaryPath('same.html')
  linkSync(clip, same)
  await expectDiffSalError(() => writeViewPage(same, clip, ramps()), 'ERR_DIFFSAL_INVALID_ARGUMENT', /is the input/)
  const folder = temporaryPath('folder.html')
  await mkdir(folder)
  await expectDiffSalError(() => writeViewPage(folder, clip, ramps()), 'ERR_DIFFSAL_FILE', /directory/)
  const sound = temporaryPath('sound.wav')
  await ffmpeg(...tone(1), sound)
  await expectDiffSalError(() => writeViewPage(path, sound, ramps()), 'ERR_DIFFSAL_MEDIA', /no video stream/)
  const long = temporaryPath('long.mp4')
  await copyFile(clip, long)
  truncateSync(long, 40 * 2 ** 20)
  await expectDiffSalError(
    () => writeViewPage(path, long, ramps()),
    'ERR_DIFFSAL_MEDIA',
    /40\.0 MiB, and a page holds a video of 32\.0 MiB/,
    /--beside/,
    /--serve/,
  )
  await expectDiffSalError(() => writeViewPage(path, readFileSync(clip), ramps(), { beside: true }), 'ERR_DIFFSAL_MEDIA', /no file/)
  expect(asked).toBe(0)
  expect(existsSync(path)).toBe(false)
})

test('maps that are none, or fail, or are stopped, leave what was there', async () => {
  const path = temporaryPath('kept/kept.html')
  await mkdir(dirname(path))
  writeFileSync(path, 'before')
  const tensor = { dtype: 'float32' as const, shape: [2, 2], data: new Float32Array(4) }
  const of = async function* (...maps: unknown[]) {
    yield* maps as ViewMap[]
  }
  await expectDiffSalError(
    () => writeViewPage(path, clip, of({ frame: 5, tensor }, { frame: 5, tensor })),
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    /'maps'.*in their order/,
  )
  await expectDiffSalError(() => writeViewPage(path, clip, of({ frame: 50, tensor })), 'ERR_DIFFSAL_INVALID_ARGUMENT', /below 50/)
  await expectDiffSalError(
    () => writeViewPage(path, clip, of({ frame: 0, tensor }, { frame: 1, tensor: { ...tensor, shape: [1, 4] } })),
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    /one size/,
  )
  await expectDiffSalError(
    () => writeViewPage(path, clip, of({ frame: 0, tensor: { ...tensor, data: new Float32Array(4).fill(-1) } })),
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    /at least 0/,
  )
  await expectDiffSalError(() => writeViewPage(path, clip, of()), 'ERR_DIFFSAL_INVALID_ARGUMENT', /at least one map/)
  const stop = new AbortController()
  const reason = new Error('enough')
  await expect(writeViewPage(path, clip, ramps(), { signal: stop.signal, onProgress: () => stop.abort(reason) })).rejects.toBe(reason)
  expect(readFileSync(path, 'utf8')).toBe('before')
  expect(readdirSync(dirname(path))).toEqual(['kept.html'])
})

test('more maps than a page holds: the error names a stride that is enough', async () => {
  const error = await expectDiffSalError(() => checkMapBytes(90_000, [224, 384], 1), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'stride' \(--stride\) must be at least 8/)
  expect(error.argument).toBe('stride')
  expect(() => checkMapBytes(Math.ceil(90_000 / 8), [224, 384], 8)).not.toThrow()
})

test('bytes of pictures are maps too, and a flat map is cold', () => {
  const shelf = new MapShelf()
  shelf.add({ dtype: 'uint8', shape: [1, 4], data: Uint8Array.of(0, 51, 255, 0) }, 0, 1)
  shelf.add({ dtype: 'float32', shape: [1, 4], data: new Float32Array(4).fill(0.3) }, 0.04, 1)
  expect(shelf.bytes.map((bytes) => [...bytes])).toEqual([
    [0, 51, 255, 0],
    [0, 0, 0, 0],
  ])
  expect(shelf.levels).toEqual([1, 0])
  expect(shelf.peaks.map((some) => some.length)).toEqual([1, 0])
  expect(shelf.focus[0]).toEqual({ x: 0.625, y: 0.5 })
})

test('a video that browsers do not play is told', async () => {
  const path = temporaryPath('old.avi')
  await ffmpeg('-i', clip, '-c:v', 'mpeg4', '-an', path)
  const said: string[] = []
  setLogger((_, message) => said.push(message))
  await writeViewPage(temporaryPath('old.html'), path, ramps()).finally(() => setLogger(undefined))
  expect(said.join()).toMatch(/hardly be seen.*mpeg4.*libx264/)
})
