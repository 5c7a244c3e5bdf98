import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { fileError } from '../errors.ts'

/** A file's SHA-256, in hex. @throws DiffSalError ERR_DIFFSAL_FILE */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
  } catch (cause) {
    throw fileError('read', path, cause)
  }
  return hash.digest('hex')
}
