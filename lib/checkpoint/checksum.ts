import { crc32 } from 'node:zlib'
import type { Checkpoint } from './checkpoint.ts'
import { maxHeaderBytes } from './safetensors.ts'
import { unusable, withWeightsFile } from './weights-file.ts'

/** Where a file that this package wrote has its checksum: the CRC-32 of all its bytes, counted with zeros in the checksum's own place. */
const key = 'diffsal_crc32'
const unset = '00000000'

/** Bytes that are read at a time. */
const piece = 1 << 22

/** Metadata with a place for the checksum, which the native writer fills in when the data are written. */
export function withChecksum(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return { ...metadata, [key]: unset }
}

/**
 * Looks whether a file's bytes are the ones that were written, where it has a checksum. The header's form tells a file that was cut off or is
 * of another format; only this tells one whose weights have changed.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_CHECKPOINT; the signal's reason
 */
export async function verifyChecksum(path: string, { metadata, identity }: Checkpoint, signal?: AbortSignal): Promise<void> {
  const expected = metadata[key]
  if (expected === undefined) return
  const received = await withWeightsFile(path, async (file) => {
    // One that has taken its name since is another file: who reads its data looks at the identity, too.
    if (file.identity !== identity) return expected
    const length = Number((await file.read(0, 8)).readBigUInt64LE())
    const header = await file.read(0, 8 + Math.min(length, maxHeaderBytes, file.size - 8))
    const place = header.indexOf(`"${key}":"`)
    if (place >= 0) header.write(unset, place + key.length + 4, 'latin1')
    let sum = crc32(header)
    for (let at = header.length; at < file.size; at += piece) {
      signal?.throwIfAborted()
      sum = crc32(await file.read(at, Math.min(piece, file.size - at)), sum)
    }
    return sum.toString(16).padStart(8, '0')
  })
  if (received === expected) return
  const remedy = `Fetch or save the file again. If another program wrote it anew on purpose, let it leave '${key}' out of the metadata.`
  throw unusable(path, 'its bytes are not the ones that were written: it is damaged', `the checksum ${expected}`, received, remedy)
}
