import { DiffSalError } from '../errors.ts'
import { reportFault, type Faults } from '../faults.ts'
import { readText } from '../files/regular-file.ts'
import { isInside, type GazePoint } from './points.ts'

/** The most such a list may have, in bytes. */
const largest = 256 << 20

/**
 * Reads the fixations of pictures: JSON, `{ "1001.jpg": [[viewer, x, y, milliseconds], …], … }`, x and y in shares of width and height, in order of
 * time. Fixations outside the picture are left out with a warning, or refused.
 *
 * @returns the fixations by the pictures' names
 * @throws DiffSalError ERR_DIFFSAL_FILE for a file that cannot be read or is no such list, and, where faults are errors, for each fixation
 * that would be left out
 */
export async function readPictureFixations(path: string, plan: Faults): Promise<Map<string, GazePoint[]>> {
  const text = await readText(path, largest)
  const pictures = new Map<string, GazePoint[]>()
  for (const [name, list] of Object.entries(parseObject(path, text))) {
    if (!Array.isArray(list)) throw notFixations(path, `'${name}' must have a list of fixations`)
    const points = list.map((item: unknown, i): GazePoint => {
      const [viewer, x, y] = (Array.isArray(item) ? item : []) as unknown[]
      if (!Number.isFinite(x) || !Number.isFinite(y) || (typeof viewer !== 'number' && typeof viewer !== 'string')) {
        throw notFixations(path, `fixation ${i} of '${name}' must be [viewer, x, y, milliseconds]`)
      }
      return { viewer: String(viewer), x: x as number, y: y as number }
    })
    const outside = points.findIndex((point) => !isInside(point))
    if (outside >= 0) {
      const { x, y } = points[outside]!
      reportFault(plan, `Fixation ${outside} of '${name}' in '${path}' is at (${x}, ${y}), outside the picture`, 'such fixations are left out', path)
    }
    pictures.set(name, points.filter(isInside))
  }
  return pictures
}

function parseObject(path: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ''))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch (cause) {
    throw notFixations(path, (cause as Error).message, cause)
  }
  throw notFixations(path, 'it must be an object of pictures')
}

function notFixations(path: string, why: string, cause?: unknown): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_FILE', `'${path}' is no list of pictures' fixations: ${why}.`, { argument: path, cause })
}
