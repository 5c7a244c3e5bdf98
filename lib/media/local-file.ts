import { open, stat } from 'node:fs/promises'
import { DiffSalError, fileError } from '../errors.ts'

/** The error for a file that is no usable video. `problem` follows its name. */
export function mediaError(path: string, problem: string): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_MEDIA', `'${path}' ${problem}.`, { argument: path })
}

/**
 * Looks whether there is a regular file of a name that is not empty.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_MEDIA
 */
export async function checkLocalFile(path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    const error = fileError('read', path, cause)
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? otherSource(path) : undefined
    throw why === undefined ? error : new DiffSalError(error.code, `${error.message.slice(0, -1)}: ${why}.`, { argument: path, cause })
  })
  if (found.isDirectory()) throw fileError('read', path, Object.assign(new Error('it is a directory'), { code: 'EISDIR' }))
  // It is opened several times over, which a pipe or a device does not allow.
  if (!found.isFile()) throw mediaError(path, 'is not a regular file; save it to one first')
  if (found.size === 0) throw mediaError(path, 'is empty (0 bytes), so there is no video or sound in it')
}

/** Words for a name that other programs take for something else than a file. */
function otherSource(path: string): string | undefined {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(path)) return 'only local files are read, so download it first'
  if (path === '-') return 'only local files are read, not standard input, so save it to a file first'
  if (/[*?]|%0?\d*d/.test(path)) return 'only single local files are read, and a pattern is not taken for several'
  return undefined
}

/**
 * Refuses what is not the video itself but names the files that are: those would be read, and perhaps replaced, without having been given.
 *
 * @param format ffmpeg's names of the format
 * @throws DiffSalError ERR_DIFFSAL_MEDIA
 */
export function checkOneFile(path: string, format: string): void {
  if (/^(hls|dash|concat|imf)\b/.test(format)) {
    throw mediaError(path, `is a list (${format}) of other files, and only single files are read; join them first: \`ffmpeg -i LIST -c copy OUT.mkv\``)
  }
  if (format === 'image2') throw mediaError(path, 'has a name that ffmpeg takes for a pattern of many; rename the file')
}

/** Whether a file is an animated WebP, by its header. */
export async function isAnimatedWebp(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(21), 0, 21, 0)
    const text = buffer.toString('latin1')
    return bytesRead === 21 && text.startsWith('RIFF') && text.slice(8, 16) === 'WEBPVP8X' && (buffer[20]! & 2) !== 0
  } finally {
    await file.close()
  }
}
