import { openSharp } from '../files/open-sharp.ts'
import { greyLevels } from '../maps/scale.ts'
import type { Tensor } from '../tensor.ts'

/** One sample of a report's strip: its middle frame, where people looked, and what was predicted, as `data:` addresses. */
export interface PictureRow {
  readonly video: string
  readonly frame: number
  /** [height, width] of the maps. */
  readonly size: readonly [number, number]
  readonly picture: string
  readonly truth: string
  readonly map: string
}

/** Pixels; a report with eight samples stays well below a megabyte. */
const widest = 320

/**
 * Makes the pictures of a sample. Maps are scaled from their lowest value to their highest, as saliency is compared; one that is flat is black.
 *
 * @param frames uint8 (T, H, W, 3)
 * @param target float32 (…, H, W)
 * @param map float32 (1, 1, H, W), as large
 */
export async function pictureRow(
  { video, frame, frames, target }: { video: string; frame: number; frames: Tensor<'uint8'>; target: Tensor<'float32'> },
  map: Tensor<'float32'>,
): Promise<PictureRow> {
  const [height, width] = target.shape.slice(-2) as [number, number]
  const [length, frameHeight, frameWidth] = frames.shape as [number, number, number, number]
  const pixels = frameHeight * frameWidth * 3
  const middle = Math.floor(length / 2) * pixels
  const rgb = frames.data.subarray(middle, middle + pixels)
  const [picture, truth, predicted] = await Promise.all([
    dataAddress(rgb, frameHeight, frameWidth, 3),
    dataAddress(greyLevels(target.data), height, width, 1),
    dataAddress(greyLevels(map.data), height, width, 1),
  ])
  return { video, frame, size: [height, width], picture, truth, map: predicted }
}

/** Pixels as the `data:` address of a JPEG, at most {@link widest} wide. */
export async function dataAddress(data: Uint8Array, height: number, width: number, channels: 1 | 3): Promise<string> {
  const sharp = openSharp()
  const jpeg = await sharp(data, { raw: { height, width, channels } })
    .resize({ width: Math.min(width, widest) })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .jpeg({ quality: 82 })
    .toBuffer()
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`
}
