import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError } from '../errors.ts'

/**
 * A folder of files that are numbered at the end of their name: `img_00017.jpg`, `17.png`, `Diving-Side_001_017.png`. Names may
 * differ in padding and in case of the extension; only the present numbers and what names have in common are kept, so that a tree
 * of a million pictures takes little memory.
 */
export class NumberedFolder {
  readonly path: string
  /** How many files it has. */
  readonly count: number
  /** The lowest and the highest number; 0 and -1 in an empty folder. */
  readonly first: number
  readonly last: number
  readonly #prefix: string
  readonly #digits: number
  readonly #suffix: string
  readonly #present: Uint8Array
  /** The files that are named otherwise than most. */
  readonly #odd: ReadonlyMap<number, string>

  /** @param names The files' names, those of other kinds left out. */
  constructor(path: string, names: readonly string[], extensions: readonly string[]) {
    this.path = path
    const numbered = [...names]
      .sort()
      .map((name) => ({ name, match: pattern.exec(name) }))
      .filter(({ name, match }) => match !== null && !name.startsWith('.') && extensions.includes(match[3]!.toLowerCase()))
      .map(({ name, match }) => ({ name, prefix: match![1]!, digits: match![2]!, suffix: `.${match![3]!}` }))
    const [model] = numbered
    this.#prefix = model?.prefix ?? ''
    this.#digits = model && numbered.every(({ digits }) => digits.length === model.digits.length) ? model.digits.length : 1
    this.#suffix = model?.suffix ?? ''
    const numbers = numbered.map(({ digits }) => Number(digits))
    this.first = numbers.reduce((least, number) => Math.min(least, number), numbers[0] ?? 0)
    this.last = numbers.reduce((most, number) => Math.max(most, number), -1)
    this.#present = new Uint8Array(this.last + 1)
    const odd = new Map<number, string>()
    for (const [i, { name }] of numbered.entries()) {
      const number = numbers[i]!
      if (this.#present[number] === 1) continue
      this.#present[number] = 1
      if (name !== this.#usual(number)) odd.set(number, name)
    }
    this.count = this.#present.reduce((sum, there) => sum + there, 0)
    this.#odd = odd
  }

  /**
   * Lists a folder.
   *
   * @param extensions In lower case, without the dot; of files with the same number, the first in alphabetical order counts.
   * @returns undefined where there is no such folder.
   * @throws DiffSalError ERR_DIFFSAL_FILE when it cannot be read.
   */
  static async open(path: string, extensions: readonly string[]): Promise<NumberedFolder | undefined> {
    try {
      return new NumberedFolder(path, await readdir(path), extensions)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw fileError('read', path, cause)
    }
  }

  has(number: number): boolean {
    return this.#present[number] === 1
  }

  /** The path of a file, or what it would be called if it were there. */
  file(number: number): string {
    return join(this.path, this.#odd.get(number) ?? this.#usual(number))
  }

  #usual(number: number): string {
    return this.#prefix + String(number).padStart(this.#digits, '0') + this.#suffix
  }
}

/** Numbers of more than seven digits are no frame's. */
const pattern = /^(.*?)(?<!\d)(\d{1,7})\.(\w+)$/

export const pictureExtensions = ['jpg', 'jpeg', 'png', 'bmp', 'webp', 'tif', 'tiff'] as const
export const fixationExtensions = ['mat', ...pictureExtensions] as const
export const videoExtensions = ['avi', 'mp4', 'mkv', 'mov', 'webm', 'm4v', 'mpg'] as const

/** Folders' entries, read once each, found whatever the case of their letters: lists and trees of real sets differ in it. */
export class Tree {
  readonly #entries = new Map<string, Promise<readonly string[]>>()

  /** The path of `parts` below `folder`, each as it is spelt there; undefined where one is missing. */
  async find(folder: string, ...parts: string[]): Promise<string | undefined> {
    let path = folder
    for (const part of parts) {
      const names = await this.list(path)
      const name = names.includes(part) ? part : names.find((one) => one.toLowerCase() === part.toLowerCase())
      if (name === undefined) return undefined
      path = join(path, name)
    }
    return path
  }

  /** The names in a folder, sorted; none where it does not exist or is a file. */
  list(path: string): Promise<readonly string[]> {
    const known = this.#entries.get(path)
    if (known) return known
    const names = readdir(path).then(
      (found) => found.sort(),
      (cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return []
        throw fileError('read', path, cause)
      },
    )
    this.#entries.set(path, names)
    return names
  }
}
