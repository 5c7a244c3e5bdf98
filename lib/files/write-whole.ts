import { fileError } from '../errors.ts'
import { OutputPlace, writeSynced } from './output-place.ts'

/**
 * Looks whether {@link writeWhole} could write a file; leaves nothing.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE
 */
export async function checkWritable(path: string): Promise<void> {
  const place = await OutputPlace.beside(path)
  try {
    await writeSynced(place.temporary, Buffer.alloc(0)).catch((cause: unknown) => Promise.reject(fileError('write', path, cause)))
  } finally {
    await place.discard()
  }
}

/**
 * Writes a file, of text or of bytes, beside its place and moves it there, so that there is never half of one.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const place = await OutputPlace.beside(path)
  try {
    await writeSynced(place.temporary, Buffer.from(content as string)).catch((cause: unknown) => Promise.reject(fileError('write', path, cause)))
    await place.commit()
  } catch (error) {
    await place.discard()
    throw error
  }
}
