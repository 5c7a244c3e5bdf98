import { readFrames } from './frames.ts'
import { mediaError } from './local-file.ts'
import type { VideoInfo } from './media-info.ts'
import type { ReadOptions } from './opened.ts'

/** A frame that was asked for by its number. */
export interface ChosenFrame {
  readonly frame: number
  /** RGB, rows first. */
  readonly pixels: Uint8Array
}

/**
 * Some frames of a video that was read before, in their order: it is read again as far as the last of them.
 *
 * @param size [height, width] to scale them to
 * @param onFrame called with how many were passed
 * @throws DiffSalError ERR_DIFFSAL_MEDIA where it has fewer frames than before
 */
export async function* chosenFrames(
  info: VideoInfo,
  size: readonly [number, number],
  wanted: ReadonlySet<number>,
  { signal, stallLimit }: ReadOptions,
  onFrame?: (count: number) => void,
): AsyncGenerator<ChosenFrame, void, undefined> {
  const last = Math.max(...wanted)
  let at = 0
  if (wanted.size === 0) return
  for await (const { pixels } of readFrames(info, size, { signal, stallLimit, quiet: true })) {
    if (wanted.has(at)) yield { frame: at, pixels }
    onFrame?.(at + 1)
    if (at++ === last) return
  }
  throw mediaError(info.path, 'gave fewer frames when it was read again')
}
