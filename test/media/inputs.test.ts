import { once } from 'node:events'
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openInput } from '../../lib/media/open-input.ts'
import { predictVideo, type PredictVideoOptions, type VideoMap } from '../../lib/predict-video.ts'
import type { VideoInput } from '../../lib/media/video-input.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { FakeModel } from '../support/fake-model.ts'
import { beeping, flashing, h264 } from '../support/flashes.ts'
import { ffmpeg, runningFfmpegs } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'
import { collectWarnings } from '../support/warnings.ts'

const warnings = collectWarnings()

/** An MP4 whose index is at its end, which ffmpeg cannot read from a pipe. */
const video = temporaryPath('index at its end.mp4')
const spoolFolder = temporaryPath('spool')
let server: Server
let answer: RequestListener = () => undefined
let address = ''

beforeAll(async () => {
  await ffmpeg(...flashing(1, 0.5), ...beeping(1, 0.5), ...h264, '-c:a', 'aac', video)
  await mkdir(spoolFolder)
  server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

/** Timers that are set, by what sets them. */
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

afterEach(async () => {
  vi.unstubAllEnvs()
  expect(await runningFfmpegs()).toEqual([])
  expect(readdirSync(spoolFolder)).toEqual([])
})

async function collect(input: unknown, options?: PredictVideoOptions): Promise<VideoMap[]> {
  vi.stubEnv('TMPDIR', spoolFolder)
  const maps: VideoMap[] = []
  for await (const map of predictVideo(new FakeModel(), input as VideoInput, { seed: 1, steps: 1, ...options })) maps.push(map)
  return maps
}

const whole: RequestListener = (_, response) => void createReadStream(video).pipe(response)

/** A stream that gives bytes and then goes on as it is told. */
async function* pieces(then: () => Promise<unknown> = async () => undefined): AsyncGenerator<Uint8Array> {
  const bytes = readFileSync(video)
  for (let at = 0; at < bytes.length; at += 5000) yield bytes.subarray(at, at + 5000)
  await then()
}

const inputs: Record<string, () => unknown> = {
  'a file: URL': () => pathToFileURL(video),
  'the text of a file: URL': () => pathToFileURL(video).href,
  'a Buffer': () => readFileSync(video),
  'a Uint8Array that is a part': () => new Uint8Array(Buffer.concat([Buffer.alloc(7), readFileSync(video), Buffer.alloc(9)])).subarray(7, -9),
  'a Blob': () => new Blob([readFileSync(video)]),
  'a File': () => new File([readFileSync(video)], 'upload.mp4'),
  'a Readable of a file': () => createReadStream(video),
  'a Readable of pieces': () => Readable.from(pieces()),
  'a web stream': () => new Blob([readFileSync(video)]).stream(),
  'an async generator': () => pieces(),
  'an address': () => new URL(`${address}/clip.mp4`),
  'the text of an address': () => `${address}/clip.mp4?token=secret`,
}

let expected: VideoMap[] | undefined

test.each(Object.entries(inputs))('%s gives the maps of the file, and leaves nothing', async (_, make) => {
  answer = whole
  expected ??= await collect(video)
  expect(expected).toHaveLength(25)
  expect(expected[3]!.source).toEqual({ size: [120, 160], frameRate: 25, duration: 1.02, rotation: 0 })
  expect(await collect(make())).toEqual(expected)
  expect(warnings).toEqual([])
})

test('an answer without a length, and without ranges', async () => {
  answer = (request, response) => {
    expect(request.headers.range).toBeUndefined()
    response.writeHead(200, { 'transfer-encoding': 'chunked' })
    Readable.from(pieces()).pipe(response)
  }
  expect(await collect(address)).toHaveLength(25)
})

test('redirections are followed; a name and a password become a header', async () => {
  answer = (request, response) => {
    if (request.url === '/here') return void response.writeHead(302, { location: '/there' }).end()
    if (request.headers.authorization !== `Basic ${Buffer.from('me:p@ss').toString('base64')}`) return void response.writeHead(401).end()
    whole(request, response)
  }
  expect(await collect(`${address.replace('//', '//me:p%40ss@')}/here`)).toHaveLength(25)
  const error = await expectDiffSalError(
    () => collect(`${address.replace('//', '//me:secret@')}/here?key=secret`),
    'ERR_DIFFSAL_FILE',
    'answered 401',
    '/here?…',
  )
  expect(error.message).not.toContain('secret')
})

test.each<[string, RequestListener, string | RegExp, ('ERR_DIFFSAL_FILE' | 'ERR_DIFFSAL_MEDIA')?]>([
  ['answers 404', (_, response) => void response.writeHead(404).end('no'), 'the server answered 404 Not Found'],
  ['leads to a file', (_, response) => void response.writeHead(302, { location: pathToFileURL(video).href }).end(), 'leads elsewhere than to http: or https:'],
  ['leads in a circle', (_, response) => void response.writeHead(302, { location: '/again' }).end(), 'redirect'],
  ['leads to another protocol', (_, response) => void response.writeHead(302, { location: 'ftp://127.0.0.1/a' }).end(), 'leads elsewhere'],
  ['never answers', () => undefined, 'gave nothing for 0.3 s'],
  ['begins and stalls', (_, response) => void response.writeHead(200).write(readFileSync(video).subarray(0, 3000)), 'gave nothing for 0.3 s'],
  [
    'never ends',
    (_, response) =>
      void Readable.from(endless())
        .on('error', () => undefined)
        .pipe(response),
    'longer than 1000000 bytes',
  ],
  ['says that it is too long', (_, response) => void response.writeHead(200, { 'content-length': '5000000' }).write('a'), 'longer than 1000000 bytes'],
  ['breaks off', (_, response) => void response.writeHead(200, { 'content-length': '100000' }).write('abc', () => response.destroy()), 'broke off'],
  ['is empty', (_, response) => void response.writeHead(200).end(), 'is empty', 'ERR_DIFFSAL_MEDIA'],
  ['is a page', (_, response) => void response.writeHead(200).end('<!doctype html><title>Log in</title>'), 'is not a video', 'ERR_DIFFSAL_MEDIA'],
])('an address that %s', async (_, listener, message, code = 'ERR_DIFFSAL_FILE') => {
  answer = listener
  const stallLimit = String(message).includes('gave nothing') ? 0.3 : 30
  await expectDiffSalError(() => collect(`${address}/a.mp4`, { stallLimit, spoolLimit: 1_000_000 }), code, `${address}/a.mp4`, message)
})

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield new Uint8Array(50_000)
}

test('an address where nobody listens', async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  await expectDiffSalError(() => collect(`http://127.0.0.1:${port}/`), 'ERR_DIFFSAL_FILE', 'refuses connections')
})

test('network: false refuses addresses before anything is asked for, and nothing else', async () => {
  let asked = 0
  answer = () => void (asked += 1)
  await expectDiffSalError(() => collect(address, { network: false }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'network' is false")
  expect(asked).toBe(0)
  expect(await collect(readFileSync(video), { network: false })).toHaveLength(25)
})

test.each(['ftp://127.0.0.1/a.mp4', 'rtmp://127.0.0.1/a', 'data:video/mp4;base64,AAAA', 'concat:a|b'])('the URL %s is of another protocol', async (text) => {
  await expectDiffSalError(() => collect(new URL(text)), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'file:, http: or https:')
})

test.each<[string, string | RegExp]>([
  ['#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nFILE\n#EXT-X-ENDLIST\n', /is a list \(hls\)/],
  ["ffconcat version 1.0\nfile 'FILE'\n", 'is a list (concat)'],
  ['<?xml version="1.0"?>\n<MPD profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><BaseURL>FILE</BaseURL></MPD>', 'is a list (dash)'],
])('a playlist from the net, or of bytes, that names a local file', async (text, message) => {
  const list = text.replace('FILE', `file://${video}`)
  answer = (_, response) => void response.writeHead(200, { 'content-type': 'application/vnd.apple.mpegurl' }).end(list)
  await expectDiffSalError(() => collect(`${address}/list.m3u8`), 'ERR_DIFFSAL_MEDIA', message)
  await expectDiffSalError(() => collect(Buffer.from(list)), 'ERR_DIFFSAL_MEDIA', "'buffer'", message)
})

test.each<[string, () => unknown, string | RegExp, ('ERR_DIFFSAL_FILE' | 'ERR_DIFFSAL_MEDIA' | 'ERR_DIFFSAL_INVALID_ARGUMENT')?]>([
  ['never begins', () => new PassThrough(), 'gave nothing for 0.3 s'],
  ['stalls', () => Readable.from(pieces(() => new Promise(() => undefined))), 'gave nothing for 0.3 s'],
  ['fails', () => Readable.from(pieces(() => Promise.reject(new Error('the disk is gone')))), "Cannot read 'stream': the disk is gone."],
  ['fails with something else', () => pieces(() => Promise.reject(undefined)), 'undefined'],
  ['is closed early', () => closing(), 'it was closed before its end'],
  ['is empty', () => Readable.from([]), "'stream' is empty", 'ERR_DIFFSAL_MEDIA'],
  ['ends early', () => Readable.from([readFileSync(video).subarray(0, 3000)]), "'stream'", 'ERR_DIFFSAL_MEDIA'],
  ['never ends', () => Readable.from(endless()), 'longer than 1000000 bytes'],
  ['is of text', () => createReadStream(video, 'latin1'), 'a stream of bytes', 'ERR_DIFFSAL_INVALID_ARGUMENT'],
  ['is of objects', () => Readable.from([{ a: 1 }]), 'a stream of bytes', 'ERR_DIFFSAL_INVALID_ARGUMENT'],
  ['was destroyed', () => new PassThrough().destroy(), 'one that was destroyed', 'ERR_DIFFSAL_INVALID_ARGUMENT'],
])('a stream that %s', async (_, make, message, code = 'ERR_DIFFSAL_FILE') => {
  const before = timers()
  const stream = make()
  const stallLimit = String(message).includes('gave nothing') ? 0.3 : 30
  await expectDiffSalError(() => collect(stream, { stallLimit, spoolLimit: 1_000_000 }), code, message)
  if (stream instanceof Readable && !stream.readableEnded) expect(stream.destroyed).toBe(true)
  expect(timers()).toBeLessThanOrEqual(before)
})

function closing(): Readable {
  const stream = new PassThrough()
  stream.write('a')
  setImmediate(() => stream.destroy())
  return stream
}

test('a web stream that somebody else reads, and one that is stopped', async () => {
  const locked = new Blob(['a']).stream()
  locked.getReader()
  await expectDiffSalError(() => collect(locked), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'nobody else reads')
  let cancelled = false
  const stalling = new ReadableStream({ cancel: () => void (cancelled = true) })
  await expectDiffSalError(() => collect(stalling, { stallLimit: 0.3 }), 'ERR_DIFFSAL_FILE', 'gave nothing for 0.3 s')
  expect(cancelled).toBe(true)
})

test.each([undefined, null, 1, true, {}, [], () => 1, Symbol('a'), new Date(), new Float32Array(4), new DataView(new ArrayBuffer(4)), new Map()])(
  '%s is no input',
  async (value) => {
    await expectDiffSalError(() => collect(value), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'input'")
  },
)

test('aborting takes the temporary file away, whether it is being written or read', async () => {
  const reason = new Error('enough')
  const writing = new AbortController()
  const stream = Readable.from(pieces(() => new Promise(() => undefined)))
  const waiting = collect(stream, { signal: writing.signal })
  await vi.waitUntil(() => readdirSync(spoolFolder).length > 0)
  writing.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  expect(stream.destroyed).toBe(true)

  const reading = new AbortController()
  vi.stubEnv('TMPDIR', spoolFolder)
  const maps = predictVideo(new FakeModel(), readFileSync(video), { signal: reading.signal })
  await maps.next()
  expect(readdirSync(spoolFolder)).toHaveLength(1)
  reading.abort(reason)
  await expect(maps.next()).rejects.toBe(reason)
})

test('leaving the loop takes it away, and so does a model that fails', async () => {
  vi.stubEnv('TMPDIR', spoolFolder)
  for await (const { frame } of predictVideo(new FakeModel(), readFileSync(video))) if (frame === 2) break
  expect(readdirSync(spoolFolder)).toEqual([])
  const model = new FakeModel()
  model.before = () => Promise.reject(new Error('no'))
  await expect(predictVideo(model, readFileSync(video)).next()).rejects.toThrow('no')
})

test('nobody else may read the temporary file, and a folder that cannot be written to is named', async () => {
  vi.stubEnv('TMPDIR', spoolFolder)
  const opened = await openInput(readFileSync(video), { network: true, spoolLimit: 1e6, stallLimit: 1 })
  expect(statSync(opened.path).mode & 0o777).toBe(0o600)
  expect(basename(opened.path)).toMatch(/^\.diffsal-/)
  await opened.close()
  vi.stubEnv('TMPDIR', '/proc/nowhere')
  const refused = openInput(Buffer.from('a'), { network: true, spoolLimit: 1e6, stallLimit: 1 })
  await expectDiffSalError(() => refused, 'ERR_DIFFSAL_FILE', "Cannot write a temporary file to '/proc/nowhere': it does not exist.")
})

test('what is read keeps to the pace of the disk: a source is asked for a piece when the one before is written', async () => {
  let asked = 0
  const source = (async function* () {
    for (; asked < 40; asked++) yield new Uint8Array(1 << 16)
  })()
  const opening = openInput(source, { network: true, spoolLimit: 1e8, stallLimit: 5 })
  await sleep(0)
  expect(asked).toBeLessThan(40)
  const opened = await opening
  expect(readFileSync(opened.path)).toHaveLength(40 << 16)
  await opened.close()
})

test('a still picture is a clip of itself, with a note', async () => {
  const still = temporaryPath('still.png')
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x48:d=0.04:r=25', '-frames:v', '1', still)
  for (const input of [still, readFileSync(still)]) {
    const maps = await collect(input)
    expect(maps.map(({ frame, time, size }) => [frame, time, size])).toEqual([[0, 0, [48, 64]]])
  }
  expect(warnings).toEqual([
    expect.stringMatching(/still\.png' has only one frame: it is predicted as a clip in which nothing moves/),
    expect.stringMatching(/'buffer' has only one frame/),
  ])
})

test('a pattern or a missing file is still told as what it is', async () => {
  await expectDiffSalError(() => collect('/nowhere/a%03d.png'), 'ERR_DIFFSAL_FILE', 'pattern')
  await expectDiffSalError(() => collect('-'), 'ERR_DIFFSAL_FILE', 'process.stdin')
  await expectDiffSalError(() => collect('rtsp://camera/1'), 'ERR_DIFFSAL_FILE', 'only http: and https:')
  await expectDiffSalError(() => collect('http://'), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'an address')
  await expectDiffSalError(() => collect(new Uint8Array(0)), 'ERR_DIFFSAL_MEDIA', "'buffer' is empty")
})
