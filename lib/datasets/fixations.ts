import { extname } from 'node:path'
import { mediaError } from '../media/probe.ts'
import type { FixationTensor } from '../metrics/metrics.ts'
import { readMat } from './mat.ts'
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
  return { dtype: 'uint8', shape: [height, width], data: Uint8Array.from(data, (value) => (value > 0 ? 1 : 0)) }
}

async function fromMat(path: string): Promise<FixationTensor> {
  const matrices = await readMat(path)
  const named = matrices.find(({ name }) => name === 'eyeMap') ?? matrices.find(({ name }) => name.toLowerCase() === 'eyemap')
  const matrix = named ?? (matrices.length === 1 ? matrices[0]! : undefined)
  if (matrix === undefined) {
    const names = matrices.map(({ name }) => `'${name}'`).join(', ')
    throw mediaError(path, `has no matrix 'eyeMap'${names === '' ? '' : `, but ${names}`}`)
  }
  const [height, width] = matrix.shape as [number, number]
  if (matrix.shape.length !== 2 || height === 0 || width === 0) {
    throw mediaError(path, `has '${matrix.name}' of ${matrix.shape.join(' × ')}, which is no map`)
  }
  const data = new Uint8Array(height * width)
  matrix.data.forEach((value, at) => {
    if (value > 0) data[(at % height) * width + Math.floor(at / height)] = 1
  })
  return { dtype: 'uint8', shape: [height, width], data }
}
