import { extname } from 'node:path'
import { shortened } from '../errors.ts'
import { mediaError } from '../media/local-file.ts'
import type { FixationTensor } from '../metrics/metrics.ts'
import { readMat, type MatArray } from './mat.ts'
import { readGrey } from './pictures.ts'

/**
 * The fixated pixels of a frame, uint8 (H, W), 0 or 1: from a `.mat` (the variable `eyeMap`, or the only matrix in it) or a picture
 * that is not black there.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_MEDIA.
 */
export async function readFixations(path: string): Promise<FixationTensor> {
  if (extname(path).toLowerCase() === '.mat') return fromMat(path)
  const { height, width, data } = await readGrey(path)
  // A loop, here and below: `from` with a function first makes a list of all pixels, which takes seconds and ends the process where there are many.
  const fixated = new Uint8Array(height * width)
  for (let at = 0; at < fixated.length; at++) if (data[at]! > 0) fixated[at] = 1
  return { dtype: 'uint8', shape: [height, width], data: fixated }
}

async function fromMat(path: string): Promise<FixationTensor> {
  const matrices = await readMat(path)
  const named = matrices.find(({ name }) => name === 'eyeMap') ?? matrices.find(({ name }) => name.toLowerCase() === 'eyemap')
  const matrix = named ?? (matrices.length === 1 ? matrices[0]! : undefined)
  if (matrix === undefined) {
    throw mediaError(path, `has no matrix 'eyeMap'${othersOf(matrices)}`)
  }
  const [height, width] = matrix.shape as [number, number]
  if (matrix.shape.length !== 2 || height === 0 || width === 0) {
    throw mediaError(path, `has '${shortened(matrix.name)}' of ${shortened(matrix.shape.join(' × '))}, which is no map`)
  }
  const data = new Uint8Array(height * width)
  for (let x = 0, at = 0; x < width; x++) for (let y = 0; y < height; y++, at++) if (matrix.data[at]! > 0) data[y * width + x] = 1
  return { dtype: 'uint8', shape: [height, width], data }
}

function othersOf(matrices: readonly MatArray[]): string {
  if (matrices.length === 0) return ''
  const names = matrices.slice(0, 8).map(({ name }) => `'${name}'`)
  return shortened(`, but ${names.join(', ')}${matrices.length > names.length ? ` and ${matrices.length - names.length} more` : ''}`)
}
