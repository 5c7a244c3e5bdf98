import { DiffSalError, shortened } from '../errors.ts'
import { readText } from '../files/regular-file.ts'
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
  return parseFoldList(await readText(path), path)
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
    // The name may have spaces in it. Words are looked for one after the other: a pattern of the whole line would try all ways to part it.
    const words = [...line.matchAll(/\S+/g)]
    if (words.length < 3) return refuse(`has fewer than three words, '${line.trim().slice(0, 60)}'`)
    const [first, last, count, rate] = [words[0]!, ...words.slice(-3)] as [RegExpExecArray, RegExpExecArray, RegExpExecArray, RegExpExecArray]
    const name = line.slice(first.index, last.index + last[0].length)
    const [frames, fps] = [Number(count[0]), Number(rate[0])]
    if (/[/\\]|^\.{1,2}$/.test(name)) return refuse(`has a path for a name, '${shortened(name)}'`)
    if (!Number.isInteger(frames) || frames < 0) return refuse(`has '${shortened(count[0])}' for the number of frames`)
    if (!(fps > 0 && fps <= 1000)) return refuse(`has '${shortened(rate[0])}' for the frames a second`)
    const earlier = seen.get(name)
    if (earlier !== undefined) return refuse(`names '${shortened(name)}' again, which line ${earlier} names`)
    seen.set(name, i + 1)
    videos.push({ name, frames, rate: rateFromDecimal(fps) })
  }
  return videos
}
