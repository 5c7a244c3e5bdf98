import { DiffSalError, shortened } from '../errors.ts'
import type { Faults } from '../files/faults.ts'
import { parseJson } from '../files/json.ts'
import { readText } from '../files/regular-file.ts'
import { LeftOut } from './left-out.ts'
import { isInside, type GazePoint } from './points.ts'

/** The most such a list may have: bytes, parts of JSON, of which a fixation has five, and fixations of a picture, each of which is drawn. */
const most = { bytes: 256 << 20, parts: 2 ** 24, fixations: 10_000 }

/**
 * Reads the fixations of pictures: JSON, `{ "1001.jpg": [[viewer, x, y, milliseconds], …], … }`, x and y in shares of width and height, in order of
 * time. Fixations that are of another form or outside the picture are left out with a warning, or refused.
 *
 * @returns the fixations by the pictures' names
 * @throws DiffSalError ERR_DIFFSAL_FILE for a file that cannot be read, is no such list or has more than 10,000 fixations of a picture and, where faults are errors, for each fixation
 * that would be left out
 */
export async function readPictureFixations(path: string, plan: Faults): Promise<Map<string, GazePoint[]>> {
  const leftOut = new LeftOut(path, plan)
  const pictures = new Map<string, GazePoint[]>()
  for (const [name, list] of Object.entries(parseObject(path, await readText(path, most.bytes)))) {
    if (!Array.isArray(list)) throw notFixations(path, `'${shortened(name)}' must have a list of fixations`)
    if (list.length > most.fixations) throw notFixations(path, `'${shortened(name)}' has more than ${most.fixations} fixations`)
    const points: GazePoint[] = []
    for (const [i, item] of (list as unknown[]).entries()) {
      const fixation = fixationOf(item)
      if (typeof fixation === 'string') leftOut.add(fixation, `Fixation ${i} of '${shortened(name)}'`, () => JSON.stringify(item))
      else points.push(fixation)
    }
    pictures.set(name, points)
  }
  leftOut.report()
  return pictures
}

/** A fixation, or what is wrong with it. */
function fixationOf(item: unknown): GazePoint | string {
  const [viewer, x, y] = (Array.isArray(item) ? item : []) as unknown[]
  const named = typeof viewer === 'number' || (typeof viewer === 'string' && viewer !== '')
  if (!named || typeof x !== 'number' || typeof y !== 'number') return 'is not [viewer, x, y, milliseconds]'
  return isInside({ x, y }) ? { viewer: String(viewer), x, y } : 'lies outside the picture'
}

function parseObject(path: string, text: string): object {
  try {
    const value = parseJson(text.replace(/^\ufeff/, ''), most.parts)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch (cause) {
    throw notFixations(path, (cause as Error).message, cause)
  }
  throw notFixations(path, 'it must be an object of pictures')
}

function notFixations(path: string, why: string, cause?: unknown): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_FILE', `'${path}' is no list of pictures' fixations: ${why}.`, { argument: path, cause })
}
