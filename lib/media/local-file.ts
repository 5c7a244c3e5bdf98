import { stat } from 'node:fs/promises'
import { DiffSalError, fileError } from '../errors.ts'
import { bytesAt, withRegularFile } from '../files/regular-file.ts'

/** The error for a file that is no usable video. `problem` follows its name. */
export function mediaError(path: string, problem: string): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_MEDIA', `'${path}' ${problem}.`, { argument: path })
}

/**
 * Looks whether there is a regular file that is not empty, and no list of others.
 *
 * @param path what messages call it
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_MEDIA
 */
export async function checkLocalFile(file: string, path = file): Promise<void> {
  const found = await stat(file).catch((cause: unknown) => {
    const error = fileError('read', path, cause)
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? otherSource(path) : undefined
    throw why === undefined ? error : new DiffSalError(error.code, `${error.message.slice(0, -1)}: ${why}.`, { argument: path, cause })
  })
  if (found.isDirectory()) throw fileError('read', path, Object.assign(new Error('it is a directory'), { code: 'EISDIR' }))
  // It is opened several times over, which a pipe or a device does not allow.
  if (!found.isFile()) throw mediaError(path, 'is not a regular file; save it to one first')
  if (found.size === 0) throw mediaError(path, 'is empty (0 bytes), so there is no video or sound in it')
  if (/\.(avs|vpy)$/i.test(path)) throw mediaError(path, 'is a script, which some builds of ffmpeg would run; only videos and sounds are read')
  const beginning = (await firstBytes(file, 4096)).toString('latin1')
  // Before ffmpeg follows it: a playlist without an end is waited for, and none makes it open files that nobody gave.
  const list = Object.entries(listings).find(([, listing]) => listing.test(beginning))?.[0]
  if (list !== undefined) checkOneFile(path, list)
}

/** How lists of files begin: playlists, concat scripts, manifests. */
const listings = {
  hls: /^#EXTM3U/,
  concat: /^ffconcat version/,
  dash: /^[^<]{0,8}(<[^]*)?<MPD\b/,
  imf: /^[^<]{0,8}(<[^]*)?<(\w+:)?CompositionPlaylist\b/,
} as const

/** Words for a name that other programs take for something else than a file. */
function otherSource(path: string): string | undefined {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(path)) return 'of addresses only http: and https: are read, so save it to a file first'
  if (path === '-') return 'give process.stdin to read standard input'
  if (/[*?]|%0?\d*d/.test(path)) return 'only single files are read, and a pattern is not taken for several'
  return undefined
}

/**
 * Refuses what is not the video itself but names the files that are: those would be read, and perhaps replaced, without having been given.
 *
 * @param format ffmpeg's names of the format
 * @throws DiffSalError ERR_DIFFSAL_MEDIA
 */
export function checkOneFile(path: string, format: string): void {
  if (/^(hls|applehttp|dash|concat|imf|sdp|rtsp)\b/.test(format)) {
    throw mediaError(path, `is a list (${format}) of other files, and only single files are read; join them first: \`ffmpeg -i LIST -c copy OUT.mkv\``)
  }
  if (format === 'image2') throw mediaError(path, 'has a name that ffmpeg takes for a pattern of many; rename the file')
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
