import { DiffSalError } from '../errors.ts'
import { bytesAt, withRegularFile } from '../files/regular-file.ts'
import type { MapTensor } from '../metrics/metrics.ts'

const kinds = { '<f4': { dtype: 'float32', bytes: 4 }, '<f8': { dtype: 'float64', bytes: 8 }, '|u1': { dtype: 'uint8', bytes: 1 } } as const

/** A NumPy file of maps (N, H, W) or (H, W), of which one at a time is in memory. */
export interface NpyMaps {
  /** How many maps it has. */
  readonly count: number
  /** [height, width] of each. */
  readonly size: readonly [number, number]
  /** The maps in order, (H, W). */
  maps(): AsyncGenerator<MapTensor>
}

/**
 * Reads the header of a NumPy file of maps.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE for what is none of little-endian float32, float64 or uint8, in C order, or is cut
 */
export async function openNpy(path: string): Promise<NpyMaps> {
  return withRegularFile(path, async (file) => {
    const head = await bytesAt(file, 0, 12)
    if (head.length < 12 || head.toString('latin1', 0, 6) !== '\x93NUMPY') throw notMaps(path, 'it does not begin as a NumPy file')
    const [from, length] = head[6] === 1 ? [10, head.readUInt16LE(8)] : [12, head.readUInt32LE(8)]
    if (length > 65_536) throw notMaps(path, 'its header is too long')
    const header = (await bytesAt(file, from, length)).toString('latin1')
    const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? ''
    const shape =
      /'shape':\s*\(([^)]*)\)/
        .exec(header)?.[1]
        ?.split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '')
        .map(Number) ?? []
    if (!Object.hasOwn(kinds, descr)) throw notMaps(path, `its numbers are '${descr.slice(0, 40)}' rather than <f4, <f8 or |u1`)
    if (!/'fortran_order':\s*False/.test(header)) throw notMaps(path, 'it is not in C order')
    const [count, height, width] = shape.length === 2 ? [1, ...shape] : shape
    if (shape.length < 2 || shape.length > 3 || ![count, height, width].every((one) => Number.isSafeInteger(one) && one! > 0))
      throw notMaps(path, `its shape is (${shape.join(', ').slice(0, 80)}) rather than (N, H, W)`)
    const { dtype, bytes } = kinds[descr as keyof typeof kinds]
    const one = height! * width! * bytes
    const [{ size }, wanted] = [await file.stat(), from + length + count! * one]
    if (size !== wanted) throw notMaps(path, `it has ${size} bytes where its shape needs ${wanted}`)
    return {
      count: count!,
      size: [height!, width!] as const,
      async *maps() {
        for (let i = 0; i < count!; i++) {
          const read = await withRegularFile(path, (again) => bytesAt(again, from + length + i * one, one))
          // A copy, whose beginning fits numbers of any width.
          const { buffer } = new Uint8Array(read)
          const data = dtype === 'uint8' ? new Uint8Array(buffer) : dtype === 'float32' ? new Float32Array(buffer) : new Float64Array(buffer)
          yield { dtype, shape: [height!, width!], data } as MapTensor
        }
      },
    }
  })
}

function notMaps(path: string, why: string): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_FILE', `'${path}' holds no maps: ${why}.`, { argument: path })
}
