import { type Readable, Transform } from 'node:stream'
import { TextDecoder } from 'node:util'
import { createGunzip } from 'node:zlib'
import { DiffSalError } from '../errors.ts'
import { withRegularFile } from '../files/regular-file.ts'
import { notGaze } from './not-gaze.ts'
import type { TrackerOptions } from './tracker-options.ts'

/** The most bytes that a file may have, unpacked where it is packed. */
export const mostBytes = 128 << 20

type Encoding = TrackerOptions['encoding']

/**
 * Gives the text of a file to `use`, piece by piece, without its byte-order mark. One that ends in `.gz` is unpacked.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE for a file that cannot be read or unpacked, has too many bytes, or letters of another encoding
 */
export async function withText<T>(path: string, encoding: Encoding, use: (pieces: AsyncIterable<string>) => Promise<T>): Promise<T> {
  return withRegularFile(path, async (file) => {
    const bytes = file.createReadStream({ autoClose: false, start: 0 })
    const unpacked: Readable = path.toLowerCase().endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes
    if (unpacked !== bytes) bytes.on('error', (error) => unpacked.destroy(error))
    const text = unpacked.pipe(decoder(path, encoding))
    unpacked.on('error', (error) => text.destroy(error))
    try {
      return await use(text)
    } catch (cause) {
      if (cause instanceof DiffSalError || (cause as NodeJS.ErrnoException).syscall !== undefined) throw cause
      const unpacking = String((cause as NodeJS.ErrnoException).code).startsWith('Z_')
      throw notGaze(path, `${unpacking ? 'it cannot be unpacked: ' : ''}${(cause as Error).message}`, cause)
    } finally {
      for (const stream of [text, unpacked, bytes]) stream.destroy()
    }
  })
}

/** Bytes to text, and no more than the most: a small packed file can become one of any size. */
function decoder(path: string, given: Encoding): Transform {
  let count = 0
  let lines = 1
  let decode: ((bytes: Buffer, stream: boolean) => string) | undefined
  const take = (bytes: Buffer, stream: boolean): string => {
    decode ??= decoderOf(path, bytes, given)
    let text: string
    try {
      text = decode(bytes, stream)
    } catch (cause) {
      const place = `about line ${lines + breaksIn(bytes.subarray(0, firstWrong(bytes)).toString('latin1'))}`
      throw notGaze(path, `its letters are not UTF-8 (${place}): say encoding: 'latin1' where they are of Western Europe, or 'utf-16le'`, cause)
    }
    if (text.includes('\0')) throw notGaze(path, `it has null characters: say encoding: 'utf-16le' where it is UTF-16 without a byte-order mark`)
    lines += breaksIn(text)
    return text
  }
  return new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _, done) {
      count += chunk.length
      if (count > mostBytes) return done(notGaze(path, `it has more than ${mostBytes} bytes; part it into several`))
      attempt(done, () => take(chunk, true))
    },
    flush(done) {
      attempt(done, () => (decode === undefined ? '' : take(Buffer.alloc(0), false)))
    },
  })
}

function attempt(done: (error?: Error | null, text?: string) => void, work: () => string): void {
  let text: string
  try {
    text = work()
  } catch (error) {
    return done(error as Error)
  }
  done(null, text === '' ? undefined : text)
}

function decoderOf(path: string, first: Buffer, given: Encoding): (bytes: Buffer, stream: boolean) => string {
  const mark = first[0] === 0xff && first[1] === 0xfe ? 'utf-16le' : first[0] === 0xfe && first[1] === 0xff ? 'utf-16be' : undefined
  if (mark !== undefined && given !== undefined && given !== mark) throw notGaze(path, `its byte-order mark says ${mark}, but encoding: '${given}' was said`)
  const isBook = first.subarray(0, 4).equals(Buffer.from('d0cf11e0', 'hex')) || first.subarray(0, 4).equals(Buffer.from('PK\x03\x04', 'latin1'))
  if (isBook) throw notGaze(path, 'it is a workbook; save it as tab-separated text')
  const one = new TextDecoder(mark ?? (given === 'latin1' ? 'windows-1252' : given) ?? 'utf-8', { fatal: true })
  return (bytes, stream) => one.decode(bytes, { stream })
}

function breaksIn(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1
  return count
}

/** Where in bytes the first is that UTF-8 has not. */
function firstWrong(bytes: Buffer): number {
  const text = bytes.toString('utf8')
  const at = text.indexOf('\ufffd')
  return at < 0 ? bytes.length : Buffer.byteLength(text.slice(0, at))
}
