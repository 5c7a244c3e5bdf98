import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { inflate } from 'node:zlib'
import { fileError, type DiffSalError } from '../errors.ts'
import { mediaError } from '../media/probe.ts'

/** A numeric or logical matrix of a MAT-file. */
export interface MatArray {
  readonly name: string
  /** [rows, columns, …]. */
  readonly shape: readonly number[]
  /** The elements, column after column, as MATLAB keeps them. 64-bit integers are rounded to doubles; sparse ones are filled in. */
  readonly data: Float64Array | Float32Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array
}

const inflated = promisify(inflate)

/** More than any fixation map takes: an 8192 × 8192 matrix of doubles. */
const largest = 8192 * 8192 * 8 + 4096

/** What every HDF5 file without a user block begins with. */
const hdf5 = '\x89HDF\r\n\x1a\n'

const matrixType = 14
const compressedType = 15
const sparseClass = 5

/** The arrays that data elements are stored as, by their type. */
const stored = {
  1: Int8Array,
  2: Uint8Array,
  3: Int16Array,
  4: Uint16Array,
  5: Int32Array,
  6: Uint32Array,
  7: Float32Array,
  9: Float64Array,
  12: BigInt64Array,
  13: BigUint64Array,
} as const

/** The arrays that matrices of numbers are read into, by their class. The data may be stored in a smaller type. */
const classes = {
  6: Float64Array,
  7: Float32Array,
  8: Int8Array,
  9: Uint8Array,
  10: Int16Array,
  11: Uint16Array,
  12: Int32Array,
  13: Uint32Array,
  14: Float64Array,
  15: Float64Array,
} as const

/**
 * The numeric matrices of a MAT-file of version 5 (`save` with `-v6` or `-v7`), full or sparse, compressed or not. Texts, cells and
 * structures are passed over; the imaginary part of complex numbers is left out.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE when it cannot be read; ERR_DIFFSAL_MEDIA when it is damaged or of another version.
 */
export async function readMat(path: string): Promise<MatArray[]> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw fileError('read', path, cause)
  })
  return parseMat(bytes, path)
}

/** As {@link readMat}, of bytes. `path` names them in errors. */
export async function parseMat(bytes: Uint8Array, path: string): Promise<MatArray[]> {
  const text = Buffer.from(bytes.subarray(0, 128)).toString('latin1')
  if (text.startsWith(hdf5) || text.startsWith('MATLAB 7.3')) {
    throw mediaError(path, "is a MAT-file of version 7.3, which is HDF5; save it again in MATLAB with save(…, '-v7')")
  }
  const order = text.slice(126, 128)
  if (bytes.length < 128 || (order !== 'IM' && order !== 'MI')) throw mediaError(path, 'is not a MAT-file of version 5, or is cut off')
  const reader = new MatReader(bytes, order === 'IM', path)
  return reader.matrices(128)
}

interface Element {
  readonly type: number
  /** Where its data is. */
  readonly begin: number
  readonly end: number
  /** Where the next element is. */
  readonly next: number
}

class MatReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #little: boolean
  readonly #path: string

  constructor(bytes: Uint8Array, little: boolean, path: string) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#little = little
    this.#path = path
  }

  async matrices(from: number): Promise<MatArray[]> {
    const found: MatArray[] = []
    for (let at = from; at < this.#bytes.length;) {
      const element = this.#element(at, this.#bytes.length)
      if (element.type === compressedType) {
        const packed = this.#bytes.subarray(element.begin, element.end)
        const plain = await inflated(packed, { maxOutputLength: largest }).catch(() => {
          throw this.#damaged('its compressed data cannot be unpacked')
        })
        found.push(...(await new MatReader(plain, this.#little, this.#path).matrices(0)))
      } else if (element.type === matrixType) {
        const matrix = this.#matrix(element)
        if (matrix) found.push(matrix)
      }
      at = element.next
    }
    return found
  }

  /** The tag at `at`: 8 bytes, or 4 before at most 4 bytes of data. Data is padded to 8 bytes, unless it is compressed. */
  #element(at: number, limit: number): Element {
    if (at + 8 > limit) throw this.#damaged('it is cut off')
    const first = this.#view.getUint32(at, this.#little)
    const small = first >>> 16
    if (small > 4) throw this.#damaged('an element has an impossible length')
    const type = small > 0 ? first & 0xffff : first
    const begin = small > 0 ? at + 4 : at + 8
    const end = begin + (small > 0 ? small : this.#view.getUint32(at + 4, this.#little))
    if (end > limit) throw this.#damaged('it is cut off')
    if (small > 0) return { type, begin, end, next: at + 8 }
    return { type, begin, end, next: Math.min(limit, type === compressedType ? end : begin + 8 * Math.ceil((end - begin) / 8)) }
  }

  #matrix({ begin, end }: Element): MatArray | undefined {
    if (begin === end) return undefined
    const flags = this.#element(begin, end)
    const kind = this.#numbers(flags)[0]! & 0xff
    const array = classes[kind as keyof typeof classes]
    if (array === undefined && kind !== sparseClass) return undefined
    const dimensions = this.#element(flags.next, end)
    const shape: readonly number[] = Array.from(this.#numbers(dimensions))
    const count = shape.reduce((product, size) => product * size, 1)
    if (shape.length < 2 || shape.some((size) => size < 0) || count * 8 > largest) throw this.#damaged('a matrix has an impossible size')
    const title = this.#element(dimensions.next, end)
    const name = Buffer.from(this.#bytes.subarray(title.begin, title.end)).toString('latin1')
    if (kind === sparseClass) return { name, shape, data: this.#sparse(title.next, end, shape) }
    const values = this.#numbers(this.#element(title.next, end))
    if (values.length !== count) throw this.#damaged(`'${name}' has ${values.length} elements, not ${count}`)
    return { name, shape, data: values instanceof array! ? values : array!.from(values as Float64Array) }
  }

  #sparse(at: number, end: number, [rows, columns]: readonly number[]): Float64Array {
    const rowElement = this.#element(at, end)
    const columnElement = this.#element(rowElement.next, end)
    const rowOf = this.#numbers(rowElement)
    const firstOf = this.#numbers(columnElement)
    const values = this.#numbers(this.#element(columnElement.next, end))
    const data = new Float64Array(rows! * columns!)
    for (let column = 0; column < columns!; column++) {
      const last = firstOf[column + 1]!
      if (!(last <= Math.min(values.length, rowOf.length))) throw this.#damaged('a sparse matrix has an impossible index')
      for (let k = firstOf[column]!; k < last; k++) {
        if (!(rowOf[k]! < rows!)) throw this.#damaged('a sparse matrix has an impossible index')
        data[column * rows! + rowOf[k]!] = values[k]!
      }
    }
    return data
  }

  #numbers({ type, begin, end }: Element): MatArray['data'] {
    const array = stored[type as keyof typeof stored]
    if (array === undefined) throw this.#damaged(`an element has the unknown type ${type}`)
    const width = array.BYTES_PER_ELEMENT
    // A copy, so that it is aligned.
    const bytes = Uint8Array.from(this.#bytes.subarray(begin, end - ((end - begin) % width)))
    if (!this.#little) for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse()
    const values = new array(bytes.buffer)
    return values instanceof BigInt64Array || values instanceof BigUint64Array ? Float64Array.from(values as BigInt64Array, Number) : values
  }

  #damaged(why: string): DiffSalError {
    return mediaError(this.#path, `is a damaged MAT-file: ${why}`)
  }
}
