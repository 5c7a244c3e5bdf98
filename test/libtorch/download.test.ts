import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { checkFile, download } from '../../lib/libtorch/download.ts'
import type { Progress } from '../../lib/libtorch/progress.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { closedServer, half, serve } from './local-server.ts'

const content = Buffer.alloc(500_000, 'diffsal')
const sha256 = createHash('sha256').update(content).digest('hex')
let server: string

beforeAll(async () => {
  server = await serve((request, response) => {
    if (request.url === '/good') response.writeHead(200, { 'content-length': content.length }).end(content)
    else if (request.url === '/no-length') response.writeHead(200).end(content)
    else if (request.url === '/moved') response.writeHead(302, { location: '/good' }).end()
    else if (request.url === '/cut') half(content, 'end')(request, response)
    else if (request.url === '/stalled') half(content, 'silence')(request, response)
    else response.writeHead(404).end('not here')
  })
})

test.each(['/good', '/moved', '/no-length'])('writes %s, checks it and reports progress', async (path) => {
  const file = temporaryPath(`got${path.replace('/', '-')}`)
  const progress: Progress[] = []
  await download(server + path, file, { sha256, bytes: content.length, onProgress: (step) => progress.push(step) })
  expect(readFileSync(file).equals(content)).toBe(true)
  expect(progress.at(-1)).toEqual({ phase: 'download', done: content.length, total: content.length })
})

test.each([
  ['/none', 'answered 404'],
  ['/cut', 'ended the connection early'],
  ['/stalled', 'sent nothing for 0.2 s'],
])('%s: %s', async (path, part) => {
  await expectDiffSalError(() => download(server + path, temporaryPath(`bad${path.replace('/', '-')}`), { sha256, patience: 200 }), 'ERR_DIFFSAL_FILE', part)
})

test('another content than expected is refused with both checksums', async () => {
  const wrong = '0'.repeat(64)
  const file = temporaryPath('mismatch')
  await expectDiffSalError(() => download(`${server}/good`, file, { sha256: wrong }), 'ERR_DIFFSAL_FILE', wrong, sha256)
  await expectDiffSalError(() => checkFile(file, wrong), 'ERR_DIFFSAL_FILE', wrong, sha256)
  await checkFile(file, sha256)
})

test('a name that does not resolve, a closed port and an abort end at once', async () => {
  const path = (name: string): string => temporaryPath(`end-${name}`)
  await expectDiffSalError(() => download('http://nowhere.invalid/x', path('dns')), 'ERR_DIFFSAL_FILE', 'nowhere.invalid cannot be resolved')
  await expectDiffSalError(async () => download(await closedServer(), path('port')), 'ERR_DIFFSAL_FILE', '127.0.0.1 refuses connections')
  const controller = new AbortController()
  const pending = expectDiffSalError(() => download(`${server}/stalled`, path('abort'), { signal: controller.signal }), 'ERR_DIFFSAL_FILE', 'enough')
  setTimeout(() => controller.abort(new Error('enough')), 50)
  await pending
})

test('a path that cannot be written names the path', async () => {
  await expectDiffSalError(() => download(`${server}/good`, '/proc/none/file'), 'ERR_DIFFSAL_FILE', '/proc/none/file')
  const taken = temporaryPath('taken')
  writeFileSync(taken, 'mine')
  await expectDiffSalError(() => download(`${server}/good`, taken), 'ERR_DIFFSAL_FILE', taken)
  expect(readFileSync(taken, 'utf8')).toBe('mine')
})

test.each([
  ['https://nowhere.invalid/x', { HTTPS_PROXY: 'http://127.0.0.1:9' }, 'HTTPS_PROXY is set'],
  ['https://nowhere.invalid/x', { https_proxy: 'http://127.0.0.1:9', NO_PROXY: 'elsewhere.invalid' }, 'https_proxy is set'],
  ['http://nowhere.invalid/x', { HTTP_PROXY: 'http://127.0.0.1:9' }, 'HTTP_PROXY is set'],
  ['http://nowhere.invalid/x', { HTTPS_PROXY: 'http://127.0.0.1:9' }, 'cannot be resolved'],
  ['https://nowhere.invalid/x', { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: 'a.example, .invalid' }, 'cannot be resolved'],
  ['https://nowhere.invalid/x', { HTTPS_PROXY: 'http://127.0.0.1:9', no_proxy: 'nowhere.invalid:443' }, 'cannot be resolved'],
  ['https://nowhere.invalid/x', { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '*' }, 'cannot be resolved'],
])('%s with %o: %s', async (url, env, part) => {
  await expectDiffSalError(() => download(url, temporaryPath('proxy'), { env }), 'ERR_DIFFSAL_FILE', part)
})

test('a proxy is not asked for what is on this machine', async () => {
  await download(`${server}/good`, temporaryPath('local'), { env: { http_proxy: 'http://127.0.0.1:9' } })
})
