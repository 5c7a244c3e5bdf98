import { DiffSalError } from '../errors.ts'
import { bytesOfWebStream, streamError, type ByteSource } from './byte-source.ts'
import { tooLong, unlessStalled, type SpoolOptions } from './spool.ts'

/**
 * What an http: or https: address holds. Redirections are followed within these two protocols; none leads to a file.
 *
 * @param name what messages call it
 * @throws DiffSalError ERR_DIFFSAL_FILE where it cannot be had
 */
export async function fetchBytes(url: URL, name: string, { spoolLimit, stallLimit, signal }: SpoolOptions): Promise<ByteSource> {
  const leaving = new AbortController()
  // An address with a password is refused by fetch, which takes it as a header.
  const { username, password } = url
  const bare = new URL(url)
  bare.username = bare.password = ''
  const login =
    username === '' && password === '' ? undefined : Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  const headers = { accept: '*/*', 'accept-encoding': 'identity', ...(login !== undefined && { authorization: `Basic ${login}` }) }
  try {
    const answer = fetch(bare, { headers, signal: leaving.signal }).catch((cause: unknown) => Promise.reject(failure(name, cause)))
    const { ok, status, statusText, body, headers: told } = await unlessStalled(answer, name, stallLimit, signal)
    if (!ok || body === null) throw refusal(name, `the server answered ${status} ${statusText}`.trim())
    if (Number(told.get('content-length')) > spoolLimit) throw tooLong(name, spoolLimit)
    const { next } = bytesOfWebStream(body as ReadableStream<unknown>)
    return { next: () => next().catch((cause: unknown) => Promise.reject(failure(name, cause))), stop: () => leaving.abort() }
  } catch (error) {
    leaving.abort()
    throw error
  }
}

function refusal(name: string, why: string, cause?: unknown): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_FILE', `Cannot read '${name}': ${why}.`, { argument: name, cause })
}

/** fetch hides the reason in `cause`. */
function failure(name: string, error: unknown): DiffSalError {
  const { cause, message } = error as Error
  const { code, message: why } = (cause ?? error) as NodeJS.ErrnoException
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return refusal(name, 'the name of its server cannot be resolved', error)
  if (code === 'ECONNREFUSED') return refusal(name, 'its server refuses connections', error)
  if (/scheme must be|URL scheme/i.test(why)) return refusal(name, 'it leads elsewhere than to http: or https:', error)
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || message === 'terminated') return refusal(name, 'the connection broke off before its end', error)
  return streamError(name, cause ?? error)
}
