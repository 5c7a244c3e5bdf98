import { promisify } from 'node:util'
import { inflate } from 'node:zlib'
import { shortened, type DiffSalError } from '../errors.ts'
import { readWhole } from '../files/regular-file.ts'
import { mediaError } from '../media/local-file.ts'

/** A numeric or logical matrix of a MAT-file. */
export interface MatArray {
  readonly name: string
  /** [rows, columns, …]. */
  readonly shape: readonly number[]
  /** The elements, column after column, as MATLAB keeps them. 64-bit integers are rounded to doubles; sparse ones are filled in. */
  readonly data: Float64Array | Float32Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array
}

const inflated = promisify(inflate)

/** More than any fixation map takes: all that is unpacked and made of one file, in bytes. A map of 4096 × 4096 doubles takes all of it. */
const budget = 256 * 2 ** 20 + 131_072

/** What a matrix takes beside its elements, however few: its object, its array, its name. */
const perMatrix = 16_384

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
  return parseMat(await readWhole(path, budget), path)
}

/** As {@link readMat}, of bytes. `path` names them in errors. */
export async function parseMat(bytes: Uint8Array, path: string): Promise<MatArray[]> {
  const text = Buffer.from(bytes.subarray(0, 128)).toString('latin1')
  if (text.startsWith(hdf5) || text.startsWith('MATLAB 7.3')) {
    throw mediaError(path, "is a MAT-file of version 7.3, which is HDF5; save it again in MATLAB with save(…, '-v7')")
  }
  const order = text.slice(126, 128)
  if (bytes.length < 128 || (order !== 'IM' && order !== 'MI')) throw mediaError(path, 'is not a MAT-file of version 5, or is cut off')
  return new MatReader(bytes, order === 'IM', path, new Budget(path)).matrices(128)
}

/** How much a file may still take: one for all of it, however many variables it has and however deep they are packed. */
class Budget {
  readonly #path: string
  #left = budget

  constructor(path: string) {
    this.#path = path
  }

  /** Bytes. */
  get left(): number {
    return this.#left
  }

  /** Takes so many bytes, before they are. */
  take(bytes: number): void {
    this.#left -= bytes
    if (!(this.#left >= 0)) throw tooLarge(this.#path)
  }
}

function tooLarge(path: string): DiffSalError {
  return mediaError(
    path,
    `is a MAT-file that would take more than ${Math.floor(budget / 2 ** 20)} MiB of memory, which no fixation map does; save the variable 'eyeMap' alone`,
  )
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
  readonly #budget: Budget

  constructor(bytes: Uint8Array, little: boolean, path: string, budget: Budget) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#little = little
    this.#path = path
    this.#budget = budget
  }

  /** The matrices after `from`; what is packed is unpacked, though not what is packed in it: nothing writes that. */
  async matrices(from: number, packed = true): Promise<MatArray[]> {
    const found: MatArray[] = []
    for (let at = from; at < this.#bytes.length; ) {
      const element = this.#element(at, this.#bytes.length)
      if (element.type === compressedType) {
        if (!packed) throw this.#damaged('its compressed data is compressed again')
        const plain = await this.#unpacked(element)
        for (const matrix of await new MatReader(plain, this.#little, this.#path, this.#budget).matrices(0, false)) found.push(matrix)
      } else if (element.type === matrixType) {
        const matrix = this.#matrix(element)
        if (matrix) found.push(matrix)
      }
      at = element.next
    }
    return found
  }

  async #unpacked({ begin, end }: Element): Promise<Uint8Array> {
    // Not 0, which zlib takes for a mistake.
    const maxOutputLength = Math.max(1, this.#budget.left)
    const plain = await inflated(this.#bytes.subarray(begin, end), { maxOutputLength }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(this.#path) : this.#damaged('its compressed data cannot be unpacked')
    })
    this.#budget.take(plain.length)
    return plain
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
    const impossible = shape.length < 2 || shape.some((size) => !Number.isInteger(size) || size < 0) || !Number.isSafeInteger(count)
    // A sparse one names its elements by row and column.
    if (impossible || (kind === sparseClass && shape.length !== 2)) throw this.#damaged('a matrix has an impossible size')
    this.#budget.take(perMatrix + 8 * shape.length)
    const title = this.#element(dimensions.next, end)
    const name = Buffer.from(this.#bytes.subarray(title.begin, title.end)).toString('latin1')
    if (kind === sparseClass) return { name, shape, data: this.#sparse(title.next, end, shape) }
    const values = this.#numbers(this.#element(title.next, end))
    if (values.length !== count) throw this.#damaged(`'${shortened(name)}' has ${values.length} elements, not ${count}`)
    if (values instanceof array!) return { name, shape, data: values }
    this.#budget.take(count * array!.BYTES_PER_ELEMENT)
    return { name, shape, data: new array!(values) }
  }

  #sparse(at: number, end: number, [rows, columns]: readonly number[]): Float64Array {
    const rowElement = this.#element(at, end)
    const columnElement = this.#element(rowElement.next, end)
    const rowOf = this.#numbers(rowElement)
    const firstOf = this.#numbers(columnElement)
    const values = this.#numbers(this.#element(columnElement.next, end))
    if (firstOf.length < columns! + 1) throw this.#damaged('a sparse matrix has an impossible index')
    this.#budget.take(8 * rows! * columns!)
    const data = new Float64Array(rows! * columns!)
    // Columns follow each other, so that each element is looked at once.
    for (let column = 0, k = 0; column < columns!; column++) {
      const last = firstOf[column + 1]!
      if (firstOf[column] !== k || !(last >= k && last <= Math.min(values.length, rowOf.length))) throw this.#damaged('a sparse matrix has an impossible index')
      for (; k < last; k++) {
        const row = rowOf[k]!
        if (!(row >= 0 && row < rows!)) throw this.#damaged('a sparse matrix has an impossible index')
        data[column * rows! + row] = values[k]!
      }
    }
    return data
  }

  #numbers({ type, begin, end }: Element): MatArray['data'] {
    const array = stored[type as keyof typeof stored]
    if (array === undefined) throw this.#damaged(`an element has the unknown type ${type}`)
    const width = array.BYTES_PER_ELEMENT
    // A copy, so that it is aligned.
    const length = end - begin - ((end - begin) % width)
    this.#budget.take(length)
    const bytes = Uint8Array.prototype.slice.call(this.#bytes, begin, begin + length)
    if (!this.#little) for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse()
    const values = new array(bytes.buffer)
    if (!(values instanceof BigInt64Array || values instanceof BigUint64Array)) return values
    this.#budget.take(length)
    const rounded = new Float64Array(values.length)
    for (let i = 0; i < rounded.length; i++) rounded[i] = Number(values[i])
    return rounded
  }

  #damaged(why: string): DiffSalError {
    return mediaError(this.#path, `is a damaged MAT-file: ${why}`)
  }
}
