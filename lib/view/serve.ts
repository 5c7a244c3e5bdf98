import { open, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { DiffSalError } from '../errors.ts'

/** What is served: a page, and the video that it shows. */
export interface Served {
  readonly page: () => AsyncIterable<string>
  readonly film: { readonly path: string; readonly mime: string }
}

/** A server of one page, for this machine alone. */
export interface ViewServer {
  /** `http://127.0.0.1:8080/` */
  readonly url: string
  /** Ends it, and the transfers that are under way. */
  close(): Promise<void>
}

/** The video's address on the server. */
export const filmAddress = 'video'

/**
 * Serves a page on 127.0.0.1, and its video in the parts that browsers ask for.
 *
 * @param port 0 for one that is free
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where the port cannot be had
 */
export async function serveView(served: Served, port: number): Promise<ViewServer> {
  const server = createServer((request, response) => {
    // Whoever leaves in the middle has no use for an error.
    answer(served, request, response).catch(() => response.destroy())
  })
  await new Promise<void>((done, fail) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'it is taken' : cause.code === 'EACCES' ? 'permission is denied' : cause.message
      fail(
        new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `Port ${port} cannot be served on (--serve): ${why}. Without a number, a free one is chosen.`, {
          argument: 'serve',
          cause,
        }),
      )
    })
    server.listen(port, '127.0.0.1', done)
  })
  const { port: own } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${own}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

async function answer(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const refuse = (status: number, headers = {}): void => void response.writeHead(status, { 'Content-Type': 'text/plain', ...headers }).end(`${status}\n`)
  // A page of another site that has its name lead here would read the video.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')) return refuse(403)
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, { Allow: 'GET, HEAD' })
  const path = (request.url ?? '/').split('?')[0]
  const usual = {
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
  }
  if (path === '/') {
    response.writeHead(200, { ...usual, 'Content-Type': 'text/html; charset=utf-8', 'X-Frame-Options': 'DENY' })
    if (request.method === 'HEAD') return void response.end()
    return pipeline(Readable.from(served.page()), response)
  }
  if (path !== `/${filmAddress}`) return refuse(404)
  const { size } = await stat(served.film.path)
  const range = rangeOf(request.headers.range, size)
  if (range === undefined) return refuse(416, { 'Content-Range': `bytes */${size}` })
  const [first, last, partial] = range
  response.writeHead(partial ? 206 : 200, {
    ...usual,
    'Content-Type': served.film.mime,
    'Accept-Ranges': 'bytes',
    'Content-Length': last - first + 1,
    ...(partial && { 'Content-Range': `bytes ${first}-${last}/${size}` }),
  })
  if (request.method === 'HEAD') return void response.end()
  const file = await open(served.film.path, 'r')
  await pipeline(file.createReadStream({ start: first, end: last }), response)
}

/** First and last byte that a header asks for, and whether it asks for a part; undefined for one that cannot be had. Several parts are given as a whole, as the standard allows. */
function rangeOf(header: string | undefined, size: number): readonly [first: number, last: number, partial: boolean] | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? []
  if (from === undefined || to === undefined || (from === '' && to === '')) return [0, size - 1, false]
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (from !== '' && to !== '' && Number(to) < first) return [0, size - 1, false]
  return first < size && first <= last ? [first, last, true] : undefined
}
