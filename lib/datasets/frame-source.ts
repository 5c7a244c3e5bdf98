import { readFrames } from '../media/frames.ts'
import { mediaError } from '../media/local-file.ts'
import type { VideoInfo } from '../media/media-info.ts'
import { probe } from '../media/probe.ts'
import { LruCache } from './lru-cache.ts'
import type { NumberedFolder } from './numbered-folder.ts'
import { readRgb } from './pictures.ts'

/** Where the frames of a video come from. */
export interface FrameSource {
  /** Whether a frame is there, as far as can be told without decoding it. */
  has(frame: number): boolean
  /** Words for a frame in messages: its file. */
  name(frame: number): string
  /**
   * Some frames as RGB bytes (n, H, W, 3).
   *
   * @param frames In ascending order; repeated ones next to each other.
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_MEDIA.
   */
  read(frames: readonly number[], size: readonly [number, number]): Promise<Uint8Array>
}

/** Frames that are pictures in a folder. */
export class PictureFrames implements FrameSource {
  readonly #folder: NumberedFolder
  readonly #origin: number
  readonly #cache: LruCache<string, Uint8Array>

  /**
   * @param origin The number of frame 0's picture.
   * @param cache Where decoded frames are kept: clips of consecutive frames share all but one.
   */
  constructor(folder: NumberedFolder, origin: number, cache: LruCache<string, Uint8Array>) {
    this.#folder = folder
    this.#origin = origin
    this.#cache = cache
  }

  has(frame: number): boolean {
    return this.#folder.has(frame + this.#origin)
  }

  name(frame: number): string {
    return this.#folder.file(frame + this.#origin)
  }

  async read(frames: readonly number[], size: readonly [number, number]): Promise<Uint8Array> {
    const bytes = size[0] * size[1] * 3
    const clip = new Uint8Array(frames.length * bytes)
    const decoded = new Map<number, Promise<Uint8Array>>()
    for (const frame of frames) {
      if (decoded.has(frame)) continue
      const path = this.name(frame)
      decoded.set(
        frame,
        this.#cache.get(path, () => readRgb(path, size)),
      )
    }
    // All of them end before an error is passed on: nothing goes on decoding for a sample that was given up.
    const ends = await Promise.allSettled(decoded.values())
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    for (const [t, frame] of frames.entries()) clip.set(await decoded.get(frame)!, t * bytes)
    return clip
  }
}

/** Frames that are decoded together where clips overlap. */
const blockLength = 64

/**
 * Frames of a video file, as `predictVideo` numbers them. A clip is decoded from the start of the file: seeking is not exact to the
 * frame in AVI and MPEG files.
 */
export class VideoFrames implements FrameSource {
  readonly #path: string
  readonly #blocks: LruCache<string, Uint8Array> | undefined
  readonly #info = new LruCache<string, VideoInfo>(1)

  /** @param blocks Where decoded frames are kept, {@link blockLength} together: for clips of consecutive frames. */
  constructor(path: string, blocks?: LruCache<string, Uint8Array>) {
    this.#path = path
    this.#blocks = blocks
  }

  has(): boolean {
    return true
  }

  name(frame: number): string {
    return `${this.#path} (frame ${frame})`
  }

  async read(frames: readonly number[], size: readonly [number, number]): Promise<Uint8Array> {
    const bytes = size[0] * size[1] * 3
    const [first, last] = [frames[0]!, frames.at(-1)!]
    const decoded = await this.#range(first, last - first + 1, size)
    const there = decoded.length / bytes - 1
    if (there < 0) throw mediaError(this.#path, `has no frame ${first}: it is shorter than its annotation, or damaged`)
    const clip = new Uint8Array(frames.length * bytes)
    // A video may end some frames before its annotation does.
    for (const [t, frame] of frames.entries()) {
      const at = Math.min(frame - first, there) * bytes
      clip.set(decoded.subarray(at, at + bytes), t * bytes)
    }
    return clip
  }

  /** As many of `count` frames as the video has. */
  async #range(first: number, count: number, size: readonly [number, number]): Promise<Uint8Array> {
    if (this.#blocks === undefined) return this.#decode(first, count, size)
    const bytes = size[0] * size[1] * 3
    const parts: Uint8Array[] = []
    for (let block = Math.floor(first / blockLength); block * blockLength < first + count; block++) {
      const begin = block * blockLength
      const decoded = await this.#blocks.get(`${this.#path}#${block}@${size.join('x')}`, () => this.#decode(begin, blockLength, size))
      parts.push(decoded.subarray(Math.max(0, first - begin) * bytes, (first + count - begin) * bytes))
    }
    return Buffer.concat(parts)
  }

  async #decode(first: number, count: number, size: readonly [number, number]): Promise<Uint8Array> {
    const info = await this.#info.get(this.#path, () => this.#probe())
    const bytes = size[0] * size[1] * 3
    const decoded = new Uint8Array(count * bytes)
    let filled = 0
    for await (const { pixels } of readFrames(info, size, { from: first, minimum: 0 })) {
      decoded.set(pixels, filled)
      filled += bytes
      if (filled === decoded.length) break
    }
    return decoded.subarray(0, filled)
  }

  async #probe(): Promise<VideoInfo> {
    const info = await probe(this.#path)
    const { video } = info
    if (video === null) throw mediaError(this.#path, 'has no video in it')
    return { ...info, video }
  }
}
