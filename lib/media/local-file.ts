import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { DiffSalError, fileError } from '../errors.ts'
import { bytesAt, withRegularFile } from '../files/regular-file.ts'

/** The error for a file that is no usable video. `problem` follows its name. */
export function mediaError(path: string, problem: string): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_MEDIA', `'${path}' ${problem}.`, { argument: path })
}

/**
 * Looks whether there is a regular file of a name that is not empty, and no list of others.
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
  if (listing.test((await firstBytes(path, 20)).toString('latin1')) || /\.(avs|vpy)$/i.test(path)) throw namesOthers(path)
}

/** How lists begin of files that ffmpeg would open: playlists, concat scripts. */
const listing = /^(#EXTM3U|ffconcat version)/

/** ffmpeg's names of formats that are lists of other files, or programs that make pictures. */
const listFormats = /^(hls|applehttp|concat|dash|imf|sdp|rtsp|avisynth|vapoursynth)\b/

/**
 * Refuses what is no file of pictures or sound, but names others, which may be anybody's: a playlist, or a picture's name that ffmpeg takes for
 * a pattern.
 *
 * @param format ffmpeg's name of it
 * @throws DiffSalError ERR_DIFFSAL_MEDIA
 */
export function checkOneFile(path: string, format: string): void {
  if (listFormats.test(format) || (format === 'image2' && resolve(path).includes('%'))) throw namesOthers(path)
}

function namesOthers(path: string): DiffSalError {
  return mediaError(path, 'is not read, since it makes ffmpeg open other files (a playlist, a script, or a picture with a % in its name): give one file of video or sound itself')
}

/** Words for a name that other programs take for something else than a file. */
function otherSource(path: string): string | undefined {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(path)) return 'only local files are read, so download it first'
  if (path === '-') return 'only local files are read, not standard input, so save it to a file first'
  if (/[*?]|%0?\d*d/.test(path)) return 'only single local files are read, and a pattern is not taken for several'
  return undefined
}

/** Whether a file is an animated WebP, by its header. */
export async function isAnimatedWebp(path: string): Promise<boolean> {
  const bytes = await firstBytes(path, 21)
  const text = bytes.toString('latin1')
  return bytes.length === 21 && text.startsWith('RIFF') && text.slice(8, 16) === 'WEBPVP8X' && (bytes[20]! & 2) !== 0
}

function firstBytes(path: string, count: number): Promise<Buffer> {
  return withRegularFile(path, (file) => bytesAt(file, 0, count))
}
