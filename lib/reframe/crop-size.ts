import { invalidArgumentText } from '../errors.ts'
import type { VideoStream } from '../media/media-info.ts'
import { rationalValue } from '../media/rational.ts'

/** A window of one size that moves over a frame one way. */
export interface CropSize {
  /** [height, width] of the frame. */
  readonly frame: readonly [number, number]
  /** [height, width] of the window: even. */
  readonly window: readonly [number, number]
  /** Whether it moves across; else up and down. */
  readonly across: boolean
}

/** Pixels that a window is wide and high, at least: encoders take no fewer. */
const least = 16

/**
 * The largest window of an aspect in a video's frame. The aspect is that of the picture as it is shown, whatever form its pixels have. Where the
 * wanted one is wider than the frame's, the width stays and the height is cut.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT where the window would be less than 16 pixels wide or high
 */
export function cropSize({ width, height, pixelAspect }: VideoStream, aspect: number): CropSize {
  const inPixels = aspect / (pixelAspect ? rationalValue(pixelAspect) : 1)
  const [w, h] = [even(width), even(height)]
  const across = inPixels < width / height
  const window = across ? ([h, Math.min(w, nearestEven(h * inPixels))] as const) : ([Math.min(h, nearestEven(w / inPixels)), w] as const)
  if (Math.min(...window) < least) {
    throw invalidArgumentText(
      'aspect',
      `one whose window is at least ${least} pixels wide and high`,
      `${aspect.toPrecision(4)}, which is ${window[1]} × ${window[0]} in a frame of ${width} × ${height}`,
    )
  }
  return { frame: [height, width], window, across }
}

const even = (length: number): number => length - (length % 2)

const nearestEven = (length: number): number => 2 * Math.round(length / 2)
