import { readFile } from 'node:fs/promises'
import { fileError, DiffSalError } from '../errors.ts'
import { rateFromDecimal, type Rational } from '../media/rational.ts'

/** A video of a fold list. */
export interface ListedVideo {
  readonly name: string
  /** How many frames it has. */
  readonly frames: number
  /** Frames a second. */
  readonly rate: Rational
}

/**
 * Reads a fold list: `name frames fps` a line. Blank lines, a byte order mark, Windows line ends and a missing last newline do not
 * matter; a rate such as 29.97 is taken for 30000/1001.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE when it cannot be read, or a line says something else.
 */
export async function readFoldList(path: string): Promise<ListedVideo[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw fileError('read', path, cause)
  })
  return parseFoldList(text, path)
}

/** As {@link readFoldList}, of text. `path` names it in errors. */
export function parseFoldList(text: string, path: string): ListedVideo[] {
  const videos: ListedVideo[] = []
  const seen = new Map<string, number>()
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue
    const refuse = (why: string): never => {
      const message = `Line ${i + 1} of '${path}' ${why}: a line is a video's name, its number of frames and its frames a second.`
      throw new DiffSalError('ERR_DIFFSAL_FILE', message, {
        argument: path,
        expected: 'name frames fps',
        received: line.trim().slice(0, 80),
      })
    }
    // The name may have spaces in it.
    const match = /^\s*(\S.*?)\s+(\S+)\s+(\S+)\s*$/.exec(line)
    if (match === null) return refuse(`has fewer than three words, '${line.trim().slice(0, 60)}'`)
    const [name, frames, fps] = [match[1]!, Number(match[2]), Number(match[3])]
    if (/[/\\]|^\.{1,2}$/.test(name)) return refuse(`has a path for a name, '${name}'`)
    if (!Number.isInteger(frames) || frames < 0) return refuse(`has '${match[2]}' for the number of frames`)
    if (!(fps > 0 && fps <= 1000)) return refuse(`has '${match[3]}' for the frames a second`)
    const earlier = seen.get(name)
    if (earlier !== undefined) return refuse(`names '${name}' again, which line ${earlier} names`)
    seen.set(name, i + 1)
    videos.push({ name, frames, rate: rateFromDecimal(fps) })
  }
  return videos
}
