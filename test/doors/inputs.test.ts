import { once } from 'node:events'
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { clipAt, cropVideo, findShots, writeViewPage, type FileClipOptions, type Reframing, type VideoInput } from '../../lib/index.ts'
import { listen } from '../../lib/listen.ts'
import { qualityRegions } from '../../lib/quality-regions.ts'
import { reframe } from '../../lib/reframe.ts'
import { thumbnails } from '../../lib/thumbnails.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { FakeModel } from '../support/fake-model.ts'
import { ffmpeg, runningFfmpegs } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

/** An MP4 whose index is at its end, which ffmpeg cannot read from a pipe: 30 frames with sound. */
const video = temporaryPath('source.mp4')
const spoolFolder = temporaryPath('spool')
const [height, width] = [48, 96]
let server: Server
let address = ''

beforeAll(async () => {
  const sound = ['-f', 'lavfi', '-i', 'aevalsrc=0.3*sin(2*PI*(300+200*t)*t):d=1.2:s=16000']
  await ffmpeg('-f', 'lavfi', '-i', `testsrc2=s=${width}x${height}:r=25:d=1.2`, ...sound, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', video)
  await mkdir(spoolFolder)
  server = createServer((_, response) => void createReadStream(video).pipe(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/clip.mp4`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
afterEach(async () => {
  expect(await runningFfmpegs()).toEqual([])
  expect(readdirSync(spoolFolder)).toEqual([])
  vi.unstubAllEnvs()
})

const seeded = { seed: 1, steps: 1, stride: 5 } as const
const places: Reframing = {
  size: [height, width],
  window: [48, 26],
  frames: Array.from({ length: 30 }, (_, k) => ({ frame: k, time: k / 25, shot: 0, x: k, y: 0 })),
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of items) found.push(one)
  return found
}

async function* mapsOf(stride: number) {
  for (let frame = 0; frame < 30; frame += stride)
    yield { frame, tensor: { dtype: 'float32' as const, shape: [4, 8], data: Float32Array.from({ length: 32 }, (_, i) => i) } }
}

let written = 0

/** What reads a video, and gives something of it that can be compared. */
const doors: Record<string, (input: VideoInput, options?: object) => Promise<unknown>> = {
  reframe: (input, options) => reframe(new FakeModel(), input, { ...seeded, ...options }),
  thumbnails: (input, options) => thumbnails(new FakeModel(), input, { ...seeded, count: 2, ...options }),
  qualityRegions: (input, options) => qualityRegions(new FakeModel(), input, { ...seeded, ...options }),
  listen: async (input, options) => {
    // Metrics need the addon, the maps do not: bumps that the sound moves.
    const model = new FakeModel({ size: [16, 32] })
    const { frames } = await listen(model, input, { frames: 3, seed: 1, steps: 1, ...options })
    return { frames, heard: model.calls.map(({ input: { audio } }) => audio) }
  },
  findShots: (input, options) => all(findShots(input, options)),
  clipAt: (input, options) => clipAt(input, 12, options as FileClipOptions),
  cropVideo: async (input, options) => {
    const output = temporaryPath(`cropped-${(written += 1)}.mp4`)
    await cropVideo(input, places, output, options)
    return readFileSync(output)
  },
  writeViewPage: async (input, options) => {
    const output = temporaryPath(`page-${(written += 1)}.html`)
    await writeViewPage(output, input, mapsOf(5), options)
    // A page is called as its video.
    return readFileSync(output, 'utf8').replace(/<title>[^<]*|<bdi>[^<]*|aria-label="(source|clip|buffer|blob|stream)[^"]*"/g, '')
  },
}

const inputs: Record<string, () => VideoInput> = {
  'a file: URL': () => pathToFileURL(video),
  'a Buffer': () => readFileSync(video),
  'a Blob': () => new Blob([readFileSync(video)]),
  'a stream': () => Readable.from([readFileSync(video)]),
  'an address': () => address,
}

describe.each(Object.entries(doors))('%s', (name, open) => {
  test('takes what predictVideo takes, and leaves no temporary file', async () => {
    vi.stubEnv('TMPDIR', spoolFolder)
    const expected = await open(video)
    for (const [kind, make] of Object.entries(inputs)) expect(await open(make()), kind).toEqual(expected)
  })

  test('leaves nothing where it fails, is aborted, or is refused', async () => {
    vi.stubEnv('TMPDIR', spoolFolder)
    await expectDiffSalError(() => open(Buffer.from('no video at all')), 'ERR_DIFFSAL_MEDIA', "'buffer'")
    await expectDiffSalError(() => open(readFileSync(video), { spoolLimit: 100 }), 'ERR_DIFFSAL_FILE', 'longer than 100 bytes')
    await expectDiffSalError(() => open(address, { network: false }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'network' is false")
    await expectDiffSalError(() => open(5 as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'input'")
    await expectDiffSalError(() => open('nowhere.mp4'), 'ERR_DIFFSAL_FILE', 'nowhere.mp4')
    const reason = new Error('enough')
    await expect(open(readFileSync(video), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const leaving = new AbortController()
    const stalling = Readable.from(
      (async function* () {
        yield readFileSync(video).subarray(0, 2000)
        leaving.abort(reason)
        await new Promise(() => undefined)
      })(),
    )
    await expect(open(stalling, { signal: leaving.signal })).rejects.toBe(reason)
    expect(stalling.destroyed, name).toBe(true)
  })

  test('reads each option once', async () => {
    const reads = new Map<string, number>()
    const told = { signal: undefined, stallLimit: 30, network: true, spoolLimit: 1e9, videoTrack: 1 }
    const options = Object.defineProperties(
      {},
      Object.fromEntries(
        Object.entries(told).map(([key, value]) => [
          key,
          {
            enumerable: true,
            get: () => (reads.set(key, (reads.get(key) ?? 0) + 1), value),
          },
        ]),
      ),
    )
    await open(video, options)
    expect(Object.fromEntries(reads)).toEqual(Object.fromEntries(Object.keys(told).map((key) => [key, 1])))
  })
})

test('an output that is the input, by its URL too, is refused before it is read', async () => {
  const bytes = readFileSync(video)
  for (const input of [video, pathToFileURL(video)])
    await expectDiffSalError(() => cropVideo(input, places, video), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'is the input')
  expect(readFileSync(video).equals(bytes)).toBe(true)
  expect(existsSync(`${video}.video`)).toBe(false)
})
