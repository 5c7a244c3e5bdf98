import type { Metadata, Sharp } from 'sharp'
import { DiffSalError } from '../errors.ts'
import { openSharp } from '../files/open-sharp.ts'
import { readWhole } from '../files/regular-file.ts'
import { mediaError } from '../media/local-file.ts'

/** A picture of one channel. */
export interface GreyPicture {
  readonly height: number
  readonly width: number
  /** Rows first, 0 to 255. */
  readonly data: Uint8Array
}

/**
 * Decodes a picture to RGB bytes (H, W, 3) of `size`.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE when it cannot be read, ERR_DIFFSAL_MEDIA when it does not decode.
 */
export async function readRgb(path: string, [height, width]: readonly [number, number]): Promise<Uint8Array> {
  return (await decode(path, (picture) => picture.resize(width, height, scaled).removeAlpha().toColourspace('srgb'))).data
}

/**
 * Decodes a picture to grey, of `size` or its own.
 *
 * @throws DiffSalError as {@link readRgb}.
 */
export async function readGrey(path: string, size?: readonly [number, number]): Promise<GreyPicture> {
  return decode(path, (picture, kind) => {
    const sized = size ? picture.resize(size[1], size[0], scaled) : picture
    return isPlainGrey(kind) ? sized.extractChannel(0) : sized.removeAlpha().toColourspace('b-w')
  })
}

/**
 * A picture's [height, width], by its header.
 *
 * @throws DiffSalError as {@link readRgb}.
 */
export async function readPictureSize(path: string): Promise<readonly [number, number]> {
  const bytes = await readWhole(path, mostBytes)
  const sharp = openSharp()
  try {
    const { height, width } = await kindOf(path, sharp(bytes))
    return [height, width]
  } catch (cause) {
    throw undecodable(path, bytes, cause)
  }
}

/** A grey picture at another size. */
export async function resizeGrey({ height, width, data }: GreyPicture, size: readonly [number, number]): Promise<Uint8Array> {
  const sharp = openSharp()
  return sharp(data, { raw: { height, width, channels: 1 } })
    .resize(size[1], size[0], scaled)
    .toColourspace('b-w')
    .raw()
    .toBuffer()
}

/** The most pixels that a picture may have. A small file can be a picture of any size, and what is decoded of it is in memory whole. */
export const mostPixels = 8192 * 8192

/** The most bytes that a picture's file may have. */
const mostBytes = 256 << 20

/** As ffmpeg's `bilinear` scales the frames of a video: a triangle as wide as the step between pixels. */
const scaled = { fit: 'fill', kernel: 'linear' } as const

async function decode(path: string, shape: (picture: Sharp, kind: Metadata) => Sharp): Promise<GreyPicture> {
  const bytes = await readWhole(path, mostBytes)
  const sharp = openSharp()
  try {
    const picture = sharp(bytes, { failOn: 'error', limitInputPixels: mostPixels })
    const { data, info } = await shape(picture, await kindOf(path, picture))
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { height: info.height, width: info.width, data }
  } catch (cause) {
    if (/exceeds pixel limit/.test((cause as Error).message))
      throw mediaError(path, `has more than the ${mostPixels} pixels (8192 × 8192) that a picture may have; make it smaller`)
    throw undecodable(path, bytes, cause)
  }
}

/** Formats that say what a pixel is. Others say how to draw it: an SVG of some hundred characters can take hours. */
const rasters = new Set(['jpeg', 'png', 'webp', 'tiff', 'gif', 'heif', 'ppm', 'jp2', 'jxl'])

async function kindOf(path: string, picture: Sharp): Promise<Metadata> {
  const kind = await picture.metadata()
  if (!rasters.has(kind.format)) throw mediaError(path, `is a drawing or document (${kind.format}), not a picture of pixels`)
  return kind
}

/** Whether its bytes are grey as they stand. To convert it all the same takes four times as long as to decode it. */
function isPlainGrey({ space, depth, channels, icc }: Metadata): boolean {
  return space === 'b-w' && depth === 'uchar' && channels === 1 && icc === undefined
}

function undecodable(path: string, bytes: Uint8Array, cause: unknown): DiffSalError {
  if (cause instanceof DiffSalError) return cause
  const why = bytes.length === 0 ? 'it is empty (0 bytes)' : (cause as Error).message.split('\n')[0]!
  return mediaError(path, `is not a picture that can be decoded: ${why}; copy it again`)
}
