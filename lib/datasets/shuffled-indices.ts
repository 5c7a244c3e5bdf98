import { checkBoolean, checkInteger, checkOptions } from '../checks/options.ts'
import { below, randomWords } from '../random/random.ts'
import { checkSeed } from '../random/seed.ts'

/** A place in the shuffled data: with the seed, all that resuming needs. A plain object, fit for JSON. */
export interface DataPosition {
  /** Which pass over the data, from 0. */
  readonly epoch: number
  /** How many indices of this pass were given out already. */
  readonly offset: number
}

/** The greatest length that is shuffled: an order is held in memory, 4 bytes an index. */
const mostShuffled = 2 ** 27

/** How {@link ShuffledIndices} goes over the data. */
export interface ShuffledIndicesOptions {
  /** Decides every order. */
  seed: number
  /** false for 0, 1, 2, … in every pass. Default true. */
  shuffle?: boolean | undefined
  /** Where to begin. Default the start. */
  position?: DataPosition | undefined
}

/** An index, and how to go on after it. */
export interface NextIndex {
  /** From 0 to the length less one. */
  index: number
  /** Where the next one is. */
  position: DataPosition
}

/**
 * The indices 0 … length − 1 in an order that seed and epoch decide, pass after pass: the same on every machine and in every
 * release, so that a stored position means the same data.
 */
export class ShuffledIndices {
  /** How many indices a pass has. */
  readonly length: number
  /** What decides every order. */
  readonly seed: number
  readonly #shuffle: boolean
  #epoch: number
  #offset: number
  /** Undefined for the dataset's own. */
  #order: Uint32Array | undefined

  /** Begins at the options' position. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for a length of 0, a seed or a position out of range. */
  constructor(length: number, options: ShuffledIndicesOptions) {
    const { seed, shuffle = true, position = { epoch: 0, offset: 0 } } = checkOptions('options', options, ['seed', 'shuffle', 'position'])
    this.#shuffle = checkBoolean('shuffle', shuffle)
    this.length = checkInteger('length', length, 1, this.#shuffle ? mostShuffled : 2 ** 32 - 1)
    this.seed = checkSeed('seed', seed)
    const { epoch, offset } = checkOptions<DataPosition>('position', position, ['epoch', 'offset'])
    this.#epoch = checkInteger('position.epoch', epoch, 0)
    this.#offset = checkInteger('position.offset', offset, 0, length)
    this.#order = this.#orderOf(this.#epoch)
  }

  /** Where {@link next} goes on. */
  get position(): DataPosition {
    return this.#offset === this.length ? { epoch: this.#epoch + 1, offset: 0 } : { epoch: this.#epoch, offset: this.#offset }
  }

  /** The next index, and the position after it. */
  next(): NextIndex {
    if (this.#offset === this.length) {
      this.#epoch += 1
      this.#offset = 0
      this.#order = this.#orderOf(this.#epoch)
    }
    const index = this.#order?.[this.#offset] ?? this.#offset
    this.#offset += 1
    return { index, position: this.position }
  }

  #orderOf(epoch: number): Uint32Array | undefined {
    if (!this.#shuffle) return undefined
    const order = new Uint32Array(this.length)
    for (let i = 0; i < order.length; i++) order[i] = i
    fisherYates(order, randomWords(this.seed, epoch))
    return order
  }
}

function fisherYates(order: Uint32Array, word: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = below(i + 1, word)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
}
