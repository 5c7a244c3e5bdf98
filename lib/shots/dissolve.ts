import { difference, unexplained, type SmallPicture } from './small-picture.ts'

/** The half-lengths in frames that are tried: the least, and each so many times the one before. */
const [leastHalf, growth] = [3, 1.3]

/** Half-lengths have no more frames than these, however many come in a second. */
const mostHalf = 64

/** How far shares of the new picture may be from a straight rise, and from 0 and 1 before and after it. */
const unevenness = 0.15

/** How far pictures may be from mixtures of the first and the last: a share of how far these two are from each other. */
const residue = 0.35

/** A cell of a picture has changed where it differs by so many steps; so must this share of them. */
const [changedBy, changedShare] = [8, 0.5]

/** Where a dissolve has its middle. */
export interface Dissolve {
  /** Frames from its middle to its ends. */
  readonly half: number
}

/**
 * Finds dissolves, in which one shot is laid over another, more and more. It is a twin comparison (Zhang, Kankanhalli and Smoliar 1993) with the mixture as
 * its test: the pictures at the two ends must differ as those of two shots do, and each picture P between them must be a mixture (1 − α)·A + α·B of the two,
 * whose α rises evenly from 0 to 1; before and after, α stays. A pan, a zoom or something that passes gives pictures that are no mixtures, or goes on before and after.
 */
export class DissolveFinder {
  /** How many frames on each side of one must be known. */
  readonly reach: number
  readonly #halves: readonly number[]
  readonly #threshold: number

  /**
   * @param longest frames that a dissolve has at most; none is looked for where there are too few
   * @param threshold how much the pictures at its ends must differ, in steps of brightness
   */
  constructor(longest: number, threshold: number) {
    const halves: number[] = []
    for (let half = leastHalf; half <= Math.min(Math.round(longest / 2), mostHalf); half = Math.max(half + 1, Math.round(half * growth))) halves.push(half)
    this.#halves = halves
    this.#threshold = threshold
    this.reach = halves.length === 0 ? 0 : halves.at(-1)! + around(halves.at(-1)!)
  }

  /**
   * The dissolve that has its middle in a frame, if one has.
   *
   * @param pictureOf the picture of a frame near by; undefined where there is none that belongs to it
   */
  at(frame: number, pictureOf: (frame: number) => SmallPicture | undefined): Dissolve | undefined {
    for (const half of this.#halves) {
      const margin = around(half)
      const pictures: SmallPicture[] = []
      for (let k = frame - half - margin; k <= frame + half + margin; k++) {
        const picture = pictureOf(k)
        if (picture === undefined) return undefined
        pictures.push(picture)
      }
      if (this.#isDissolve(pictures, margin)) return { half }
    }
    return undefined
  }

  #isDissolve(pictures: readonly SmallPicture[], margin: number): boolean {
    const last = pictures.length - 1
    const [a, b] = [pictures[margin]!, pictures[last - margin]!]
    if (difference(a, b) < this.#threshold) return false
    const mixture = mixtureOf(a, b)
    const middle = mixture(pictures[last / 2]!)
    // Of the frames in which the new picture has half, the first.
    if (middle.share < 0.5 || mixture(pictures[last / 2 - 1]!).share >= 0.5 || middle.residue > residue) return false
    for (const [i, picture] of pictures.entries()) {
      const { share, residue: rest } = mixture(picture)
      const wanted = Math.min(Math.max((i - margin) / (last - 2 * margin), 0), 1)
      if (Math.abs(share - wanted) > unevenness || (i > margin && i < last - margin && rest > residue)) return false
    }
    return changed(a, b) >= changedShare && unexplained(a, b) >= this.#threshold
  }
}

/** Frames before and after a dissolve that are looked at. */
function around(half: number): number {
  return Math.max(2, Math.ceil(half / 2))
}

/** Tells of a picture how much of `b` is in it, with the rest of `a`, and how far it is from that mixture, as a share of their distance. */
function mixtureOf(a: SmallPicture, b: SmallPicture): (picture: SmallPicture) => { readonly share: number; readonly residue: number } {
  const count = a.data.length
  const apart = Float32Array.from(b.data, (value, i) => value - a.data[i]!)
  let whole = 0
  for (let i = 0; i < count; i++) whole += apart[i]! ** 2
  return ({ data }) => {
    let [along, far] = [0, 0]
    for (let i = 0; i < count; i++) {
      const moved = data[i]! - a.data[i]!
      along += moved * apart[i]!
      far += moved * moved
    }
    const share = along / whole
    return { share, residue: Math.sqrt(Math.max(far / whole - share * share, 0)) }
  }
}

/** The share of the cells in which two pictures differ. */
function changed(a: SmallPicture, b: SmallPicture): number {
  const cells = a.data.length / 3
  let count = 0
  for (let cell = 0; cell < cells; cell++) {
    const at = 3 * cell
    if (Math.max(...[0, 1, 2].map((c) => Math.abs(a.data[at + c]! - b.data[at + c]!))) >= changedBy) count += 1
  }
  return count / cells
}
