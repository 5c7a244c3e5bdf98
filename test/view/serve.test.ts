import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveView, type ViewServer } from '../../lib/view/serve.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

let server: ViewServer
beforeAll(async () => {
  const path = temporaryPath('film.mp4')
  writeFileSync(path, '0123456789')
  server = await serveView(
    {
      page: async function* () {
        yield '<p>'
        yield 'page'
      },
      film: { path, mime: 'video/mp4' },
    },
    0,
  )
})
afterAll(() => server.close())

async function film(range?: string): Promise<[status: number, range: string | null, body: string]> {
  const response = await fetch(`${server.url}video`, range === undefined ? {} : { headers: { Range: range } })
  return [response.status, response.headers.get('content-range'), await response.text()]
}

test('the page, and nothing else but the video', async () => {
  const page = await fetch(server.url)
  expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([200, 'text/html; charset=utf-8', '<p>page'])
  expect((await fetch(`${server.url}etc/passwd`)).status).toBe(404)
  expect((await fetch(server.url, { method: 'POST' })).status).toBe(405)
  expect(new URL(server.url).hostname).toBe('127.0.0.1')
})

test('parts of the video, as browsers ask for them', async () => {
  expect(await film()).toEqual([200, null, '0123456789'])
  expect(await film('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234'])
  expect(await film('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789'])
  expect(await film('bytes=-3')).toEqual([206, 'bytes 7-9/10', '789'])
  expect(await film('bytes=0-99')).toEqual([206, 'bytes 0-9/10', '0123456789'])
  expect((await film('bytes=10-')).slice(0, 2)).toEqual([416, 'bytes */10'])
  // What is no range, or several, is answered with all.
  for (const odd of ['bytes=4-2', 'bytes=a', 'bytes=0-1,3-4', 'lines=1-2']) expect(await film(odd)).toEqual([200, null, '0123456789'])
})

test('another name that leads to this machine is refused', async () => {
  const status = await new Promise((done, fail) =>
    request(`${server.url}video`, { headers: { Host: 'evil.example' } }, (response) => done(response.resume().statusCode))
      .on('error', fail)
      .end(),
  )
  expect(status).toBe(403)
})

test('a port that is taken', async () => {
  await expectDiffSalError(
    () => serveView({ page: async function* () {}, film: { path: '', mime: '' } }, Number(new URL(server.url).port)),
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    /taken/,
    /--serve/,
  )
})
