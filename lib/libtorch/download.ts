import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { anySignal } from '../async/abort.ts'
import { DiffSalError, fileError } from '../errors.ts'
import { sha256Of } from '../files/sha256.ts'
import type { OnProgress } from './progress.ts'

/** What {@link download} can be told. */
export interface DownloadOptions {
  /** Refuse other content. */
  readonly sha256?: string | undefined
  /** The size, where the sender does not state one. */
  readonly bytes?: number | undefined
  readonly onProgress?: OnProgress | undefined
  readonly signal?: AbortSignal
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Milliseconds without a byte after which the sender is given up. Default: 30 000. */
  readonly patience?: number
}

/**
 * Writes what `url` holds to the new file `path`, checking its SHA-256 on the way. On failure a part of the file may be left:
 * the caller owns the folder it is in.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE in a few words (it is one reason among others when setup reports), or
 * ERR_DIFFSAL_NO_SPACE.
 */
export async function download(url: string, path: string, options: DownloadOptions = {}): Promise<void> {
  const { sha256, onProgress, env = process.env, patience = 30_000 } = options
  const refuse = (why: string, cause?: unknown): DiffSalError => new DiffSalError('ERR_DIFFSAL_FILE', why, { argument: url, cause })
  const { hostname } = new URL(url)
  const variable = proxyVariable(new URL(url), env)
  if (variable !== undefined) throw refuse(`${variable} is set and Node ${process.versions.node} does not fetch through a proxy`)

  const stall = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const heard = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => stall.abort(new Error(`${hostname} sent nothing for ${patience / 1000} s`)), patience)
  }
  const signal = anySignal(options.signal, stall.signal)
  const hash = createHash('sha256')
  try {
    heard()
    const response = await fetch(url, { signal })
    if (!response.ok || !response.body) throw new Error(`${hostname} answered ${response.status} ${response.statusText}`.trim())
    const stated = Number(response.headers.get('content-length'))
    const total = stated > 0 ? stated : options.bytes
    let done = 0
    const count = async function* (pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces) {
        heard()
        hash.update(piece)
        done += piece.length
        onProgress?.({ phase: 'download', done, ...(total === undefined ? {} : { total }) })
        yield piece
      }
    }
    await pipeline(Readable.fromWeb(response.body), count, createWriteStream(path, { flags: 'wx' }), { signal })
  } catch (error) {
    if (signal.aborted) throw refuse((signal.reason as Error).message, error)
    if ((error as NodeJS.ErrnoException).syscall === 'write' || (error as NodeJS.ErrnoException).syscall === 'open') throw fileError('write', path, error)
    throw refuse(reason(error as Error, hostname), error)
  } finally {
    clearTimeout(timer)
  }
  checkDigest(url, hash.digest('hex'), sha256)
}

/** Refuses a file on disk that has another SHA-256. Errors are those of {@link download}. */
export async function checkFile(path: string, sha256: string): Promise<void> {
  checkDigest(path, await sha256Of(path), sha256)
}

function checkDigest(what: string, digest: string, sha256: string | undefined): void {
  if (sha256 === undefined || digest === sha256) return
  throw new DiffSalError('ERR_DIFFSAL_FILE', `its checksum is wrong: SHA-256 ${sha256} was expected, but ${digest} came`, {
    argument: what,
    expected: sha256,
    received: digest,
  })
}

/** The variable that sends requests of `url` to a proxy, `undefined` where none does, or fetch obeys it by itself (newer Nodes, asked to). */
function proxyVariable({ protocol, hostname, port }: URL, env: NodeJS.ProcessEnv): string | undefined {
  const name = protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  const variable = [name, name.toUpperCase()].find((each) => env[each])
  if (variable === undefined || /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname)) return undefined
  if (env.NODE_USE_ENV_PROXY === '1' && process.allowedNodeEnvironmentFlags.has('--use-env-proxy')) return undefined
  // A list of domains, each with those below it; some with a port.
  const direct = (env.no_proxy ?? env.NO_PROXY ?? '').split(/[\s,]+/).map((entry) => entry.toLowerCase().replace(/^\*?\./, ''))
  const hosts = [hostname, `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`]
  const isDirect = direct.some((entry) => entry === '*' || (entry !== '' && hosts.some((host) => host === entry || host.endsWith(`.${entry}`))))
  return isDirect ? undefined : variable
}

/** fetch hides the reason in `cause`. */
function reason(error: Error, hostname: string): string {
  const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the name ${hostname} cannot be resolved`
  if (code === 'ECONNREFUSED') return `${hostname} refuses connections`
  if (code === 'UND_ERR_SOCKET' || error.message === 'terminated') return `${hostname} ended the connection early`
  return message
}
