import { checkedBy } from '../checks/table.ts'
import { DissolveFinder } from './dissolve.ts'
import { shotTable, type ShotOptions } from './shot-options.ts'
import { brightened, change, difference, smallPicture, type SmallPicture } from './small-picture.ts'

/** [height, width] of the frames in which shots are looked for by themselves: more is not needed. */
export const sizeForShots = [36, 64] as const

/**
 * How a shot begins: with the video; after another without a change between; after frames that are black or white; or in the middle of a dissolve, where it has as much
 * of the picture as the shot before.
 */
export type ShotStart = 'video' | 'cut' | 'fade' | 'dissolve'

/** The part of the threshold that is enough where a frame stands out from those around it. */
const outstanding = 0.4

/** The part of the threshold by which the two ends of a dissolve must differ. */
const dissolved = 0.9

/** By how many times a frame must stand out. */
const outstandingRatio = 4

/** The frames on each side that it is compared with. */
const around = 2

/** More frames than these are no flash, however many come in a second. */
const longestFlash = 12

/**
 * Finds where shots begin, frame by frame. A frame begins one
 *
 * - where it differs from the one before by `threshold` at least, beyond what a moving camera and a changing light explain;
 * - or by two fifths of it, where that is four times the mean difference of the two frames on each side (its neighbourhood);
 * - where it follows frames that are black or white: a fade, or a cut through black. Those belong to the shot before. It is what PySceneDetect's threshold detector does;
 * - where it is the middle of a dissolve ({@link DissolveFinder}).
 *
 * What goes away again at once is a flash, and begins none. So a frame is decided on some frames later: {@link delay}.
 */
export class ShotDetector {
  /** How many frames later a frame is decided on. */
  readonly delay: number
  readonly #size: readonly [number, number]
  readonly #threshold: number
  readonly #fade: number
  readonly #flash: number
  readonly #dissolves: DissolveFinder
  /** The last frames: those that are not decided on, and some before. */
  readonly #pictures = new Map<number, SmallPicture>()
  /** How much each of them differs from the one before. */
  readonly #differences = new Map<number, number>()
  readonly #starts: { readonly frame: number; readonly how: ShotStart }[] = [{ frame: 0, how: 'video' }]
  #count = 0
  #decided = 0
  /** Frames before this one are a flash's. */
  #quiet = 0
  /** The last frame that is neither black nor white, and its number. */
  #lit: { readonly frame: number; readonly picture: SmallPicture } | undefined

  /**
   * @param size [height, width] of the frames
   * @param rate frames a second
   */
  constructor(size: readonly [number, number], rate: number, options: ShotOptions = {}) {
    const { threshold, fade, flash, dissolve } = checkedBy<ShotOptions, typeof shotTable>(options, shotTable)
    this.#size = size
    this.#threshold = threshold
    this.#fade = fade
    this.#flash = Math.min(Math.round(flash * rate), longestFlash)
    this.#dissolves = new DissolveFinder(dissolve * rate, threshold * dissolved)
    this.delay = Math.max(this.#flash, around, this.#dissolves.reach)
  }

  /** Takes the next frame, RGB, and gives its mean brightness, 0 to 255. */
  add(pixels: Uint8Array): number {
    const picture = smallPicture(pixels, this.#size)
    const before = this.#pictures.get(this.#count - 1)
    this.#pictures.set(this.#count, picture)
    if (before) this.#differences.set(this.#count, difference(before, picture))
    this.#count += 1
    if (this.#count > this.delay) this.#decide()
    return picture.light
  }

  /** Decides on the last frames: none comes any more. */
  end(): void {
    while (this.#decided < this.#count) this.#decide()
  }

  /** How many frames are decided on. */
  get decided(): number {
    return this.#decided
  }

  /** The shots that have begun so far: their first frames, ascending. */
  get starts(): readonly { readonly frame: number; readonly how: ShotStart }[] {
    return this.#starts
  }

  /** The number of a frame's shot, from 0. Most ask for the last ones. */
  shotOf(frame: number): number {
    let shot = this.#starts.length - 1
    while (shot > 0 && this.#starts[shot]!.frame > frame) shot -= 1
    return shot
  }

  /** The first frame of a frame's shot, and the first one after it; Infinity where that has not come yet. */
  spanOf(frame: number): readonly [first: number, end: number] {
    const shot = this.shotOf(frame)
    return [this.#starts[shot]!.frame, this.#starts[shot + 1]?.frame ?? Number.POSITIVE_INFINITY]
  }

  #decide(): void {
    const frame = this.#decided++
    const picture = this.#pictures.get(frame)!
    if (!this.#isBlank(picture)) {
      const how = this.#startOf(frame, picture) ?? this.#dissolveAt(frame)
      if (how !== undefined) this.#starts.push({ frame, how })
      this.#lit = { frame, picture }
    }
    const old = frame - Math.max(around, this.#dissolves.reach) - 1
    this.#pictures.delete(old)
    this.#differences.delete(old)
  }

  #isBlank({ light }: SmallPicture): boolean {
    return light < this.#fade || light > 255 - this.#fade
  }

  #startOf(frame: number, picture: SmallPicture): ShotStart | undefined {
    const before = this.#lit
    if (before === undefined || frame < this.#quiet) return undefined
    if (before.frame === frame - 1 && !this.#isCut(frame, before.picture, picture)) return undefined
    // What is dark, or nearly white, is alike: those at the two ends of a fade are compared by what is in them.
    const blank = before.frame < frame - 1
    const seen = (one: SmallPicture): SmallPicture => (blank ? brightened(one) : one)
    // Of what is between, a flash may still be in this frame and the next ones.
    for (let next = before.frame + 2; next <= before.frame + 1 + this.#flash; next++) {
      const after = this.#pictures.get(next)
      if (next < frame || after === undefined || this.#isBlank(after) || change(seen(before.picture), seen(after)) >= this.#threshold * outstanding) continue
      this.#quiet = next + 1
      return undefined
    }
    return blank ? 'fade' : 'cut'
  }

  /** Whether a frame is the middle of a dissolve, within its shot. Where black or white is near, what changes is a fade. */
  #dissolveAt(frame: number): ShotStart | undefined {
    const first = this.#starts.at(-1)!.frame
    const found = this.#dissolves.at(frame, (near) => (near < first ? undefined : this.#pictures.get(near)))
    if (found === undefined) return undefined
    const { reach } = this.#dissolves
    for (let near = frame - reach; near <= frame + reach; near++) {
      const picture = this.#pictures.get(near)
      if (picture !== undefined && this.#isBlank(picture)) return undefined
    }
    return 'dissolve'
  }

  #isCut(frame: number, before: SmallPicture, picture: SmallPicture): boolean {
    const plain = this.#differences.get(frame)!
    if (plain < this.#threshold * outstanding) return false
    const moved = change(before, picture)
    return moved >= this.#threshold || (moved >= this.#threshold * outstanding && plain >= outstandingRatio * this.#around(frame))
  }

  /** The mean difference of the frames around one. */
  #around(frame: number): number {
    const near = [...Array(2 * around + 1).keys()].map((i) => frame - around + i).filter((one) => one !== frame)
    const known = near.flatMap((one) => this.#differences.get(one) ?? [])
    return known.length === 0 ? 0 : known.reduce((a, b) => a + b, 0) / known.length
  }
}
