import { link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileError } from '../errors.ts'
import { makeFolders, removeFolders, temporaryIn, withoutLinks, writeSynced } from '../files/output-place.ts'
import { paint, type MapLook } from '../maps/paint.ts'
import { colourPng, greyPng } from '../maps/png-bytes.ts'
import { resized } from '../maps/resize.ts'
import { levelScale, type LevelScale } from '../maps/scale.ts'
import type { MapWriter } from './map-writer.ts'

/** The name of a frame's picture: `000024.png`. */
export function pngName(frame: number): string {
  return `${String(frame).padStart(6, '0')}.png`
}

/**
 * Writes each map as an 8-bit PNG of the video's size, named by its frame number, grey unless the look has colours or lines. The pictures
 * are collected in a temporary folder and moved to theirs at the end; pictures of other names stay there.
 */
export class PngWriter implements MapWriter {
  /** As the caller named it. */
  readonly #folder: string
  /** Where they go in truth. */
  readonly #target: string
  readonly #temporary: string
  readonly #made: string[]
  readonly #mapSize: readonly [number, number]
  readonly #size: readonly [number, number]
  readonly #look: MapLook
  readonly #scale: LevelScale
  /** After `commit`: whether the folder is all ours, or how to take back each picture that was moved to it. */
  #whole = false
  readonly #moved: (() => Promise<void>)[] = []

  private constructor(
    folder: string,
    target: string,
    temporary: string,
    made: string[],
    mapSize: readonly [number, number],
    size: readonly [number, number],
    look: MapLook,
  ) {
    this.#folder = folder
    this.#target = target
    this.#temporary = temporary
    this.#made = made
    this.#mapSize = mapSize
    this.#size = size
    this.#look = look
    this.#scale = levelScale(look.scale ?? 'video')
  }

  /**
   * @param folder Made if it is not there.
   * @param mapSize [height, width] of the maps that will come.
   * @param size [height, width] of the pictures.
   * @param look How the maps are painted.
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE.
   */
  static async create(folder: string, mapSize: readonly [number, number], size: readonly [number, number], look: MapLook = {}): Promise<PngWriter> {
    const target = withoutLinks(folder)
    const existing = await stat(target).catch(() => undefined)
    if (existing && !existing.isDirectory()) {
      throw fileError('write', folder, Object.assign(new Error('it is not a directory'), { code: 'ENOTDIR' }))
    }
    // In the folder if there is one, for that may be another disk than its parent's.
    const parent = existing ? target : dirname(target)
    const made = await makeFolders(parent)
    const temporary = temporaryIn(parent)
    try {
      await mkdir(temporary)
    } catch (cause) {
      await removeFolders(made)
      throw fileError('write', folder, cause)
    }
    return new PngWriter(folder, target, temporary, made, mapSize, size, look)
  }

  async write(frame: number, map: Float32Array): Promise<void> {
    const levels = resized(this.#scale.levels(map), this.#mapSize, this.#size)
    const { colourMap = 'grey', contours = [] } = this.#look
    const grey = colourMap === 'grey' && contours.length === 0
    const png = await (grey ? greyPng(levels, this.#size) : colourPng(paint(levels, this.#size, this.#look, false), this.#size))
    try {
      await writeSynced(join(this.#temporary, pngName(frame)), png)
    } catch (cause) {
      throw fileError('write', this.#folder, cause)
    }
  }

  /** Every picture is whole by itself. */
  async finish(): Promise<void> {}

  async commit(): Promise<void> {
    try {
      if (await stat(this.#target).catch(() => undefined)) {
        for (const name of await readdir(this.#temporary)) await this.#move(name)
      } else {
        await rename(this.#temporary, this.#target)
        this.#whole = true
      }
    } catch (cause) {
      await this.revert()
      throw fileError('write', this.#folder, cause)
    }
  }

  async #move(name: string): Promise<void> {
    const [from, to] = [join(this.#temporary, name), join(this.#target, name)]
    const old = join(this.#temporary, `${name}.old`)
    const kept = await link(to, old).then(
      () => true,
      // A file system without links keeps nothing, and the new picture stays.
      (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? false : undefined),
    )
    await rename(from, to)
    if (kept !== undefined) this.#moved.push(() => rename(kept ? old : to, kept ? to : from))
  }

  async revert(): Promise<void> {
    if (this.#whole) await rename(this.#target, this.#temporary)
    this.#whole = false
    for (const back of this.#moved.splice(0).toReversed()) await back()
  }

  async discard(): Promise<void> {
    await rm(this.#temporary, { force: true, recursive: true })
    await removeFolders(this.#made)
  }
}
