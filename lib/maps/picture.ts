import type { Sharp } from 'sharp'
import { dtypes } from '../dtype.ts'
import { describe, invalidArgument, invalidArgumentText } from '../errors.ts'
import { openSharp } from '../files/open-sharp.ts'
import type { MapTensor } from '../metrics/metrics.ts'
import { checkChoice, checkOptions, orUsual } from '../checks/options.ts'
import { checkTensor, type Tensor } from '../tensor.ts'
import { checkMap, checkSize } from './map-input.ts'
import { checkLook, lookNames, paint, type MapLook } from './paint.ts'
import { greyPng } from './png-bytes.ts'
import { resized } from './resize.ts'
import { runningOf, type RunningRange } from './running-range.ts'
import { checkScale, levelScale, type MapScale } from './scale.ts'

/** How {@link toPng} writes a map. */
export interface PngOptions {
  /** [height, width] of the picture. Default: the map's. */
  size?: readonly [number, number] | undefined
  /**
   * Which values are black and white; a {@link RunningRange} for the maps of one video. Default `'video'`, of a video of this map alone.
   */
  scale?: MapScale | RunningRange | undefined
  /** Bits of a pixel, 8 or 16. Default 8. */
  bits?: 8 | 16 | undefined
}

/** How {@link colourise} paints a map. */
export interface ColouriseOptions extends Omit<MapLook, 'scale'> {
  /** What the colours stand for; a {@link RunningRange} for the maps of one video. Default `'video'`, of a video of this map alone. */
  scale?: MapScale | RunningRange | undefined
  /** The picture to lay the map over: uint8 RGB (h, w, 3), or the bytes of a PNG, JPEG, WebP, … Default: none, the map is by itself. */
  over?: Tensor<'uint8'> | Uint8Array | undefined
  /** [height, width] of the picture where none is given to lay the map over. Default: the map's. */
  size?: readonly [number, number] | undefined
  /** What the picture is encoded as. Default `png`. */
  format?: 'png' | 'jpeg' | 'webp' | undefined
}

/**
 * A map as a grey PNG.
 *
 * @param map - (h, w), (1, h, w) or (1, 1, h, w)
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_OUT_OF_MEMORY
 */
export async function toPng(map: MapTensor, options?: PngOptions): Promise<Buffer> {
  const { data, height, width } = checkMap(map)
  const { scale, bits = 8, ...rest } = checkOptions<PngOptions>('options', options, ['size', 'scale', 'bits'])
  if (bits !== 8 && bits !== 16) throw invalidArgument('bits', '8 or 16', bits)
  const size = checkSize(rest.size) ?? [height, width]
  return greyPng(resized(levelsOf(data, scale), [height, width], size), size, bits)
}

/**
 * A map in colour, by itself or over a picture, as the bytes of an image file.
 *
 * @param map - (h, w), (1, h, w) or (1, 1, h, w)
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, for a picture that cannot be read too; ERR_DIFFSAL_OUT_OF_MEMORY
 */
export async function colourise(map: MapTensor, options?: ColouriseOptions): Promise<Buffer> {
  const { data, height, width } = checkMap(map)
  const { over, format = 'png', scale, size: given, ...others } = checkOptions<ColouriseOptions>('options', options, [...lookNames, 'over', 'size', 'format'])
  const look = checkLook(others)
  checkChoice('format', format, ['png', 'jpeg', 'webp'])
  if (over === undefined && look.sideBySide) throw invalidArgument('sideBySide', "false where there is no picture to lay the map 'over'", true)
  if (over !== undefined && given !== undefined) throw invalidArgument('size', "left out where the map is laid 'over' a picture, whose size it takes", given)
  const levels = levelsOf(data, scale)
  const below = over === undefined ? undefined : await readPicture(over)
  const size = below?.size ?? checkSize(given) ?? [height, width]
  const painted = paint(resized(levels, [height, width], size), size, look, below !== undefined)
  const picture = below === undefined ? await byItself(painted, size) : await laidOver(below, painted, look.sideBySide ?? false)
  return picture.toFormat(format, format === 'png' ? {} : { quality: 92 }).toBuffer()
}

function levelsOf(data: Float32Array | Float64Array, scale: MapScale | RunningRange | undefined): Float32Array {
  return (runningOf(scale) ?? levelScale(checkScale('scale', orUsual(scale, 'video')))).levels(data)
}

interface Picture {
  readonly pixels: Uint8Array
  /** [height, width]. */
  readonly size: readonly [number, number]
}

async function readPicture(over: Tensor<'uint8'> | Uint8Array): Promise<Picture> {
  if (dtypes.uint8.is(over)) {
    // A copy at once: what is waited for may see the caller's bytes changed.
    const bytes = Buffer.from(over)
    const sharp = openSharp()
    try {
      const { data, info } = await sharp(bytes).autoOrient().flatten().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
      return { pixels: data, size: [info.height, info.width] }
    } catch (cause) {
      throw invalidArgumentText('over', 'a picture', `bytes that are none (${(cause as Error).message})`, cause)
    }
  }
  const { shape, data } = checkTensor('over', over, ['uint8'])
  const [height = 0, width = 0, channels] = shape
  if (shape.length !== 3 || channels !== 3 || data.length === 0) throw invalidArgumentText('over.shape', '(h, w, 3)', describe([...shape]))
  return { pixels: data.slice(), size: [height, width] }
}

async function byItself(painted: Uint8Array, [height, width]: readonly [number, number]): Promise<Sharp> {
  const sharp = openSharp()
  return sharp(painted, { raw: { width, height, channels: 4 } }).removeAlpha()
}

async function laidOver({ pixels, size }: Picture, painted: Uint8Array, sideBySide: boolean): Promise<Sharp> {
  const [height, width] = size
  const sharp = openSharp()
  const picture = sharp(pixels, { raw: { width, height, channels: 3 } })
  const laid = picture.composite([{ input: Buffer.from(painted.buffer), raw: { width, height, channels: 4 } }])
  if (!sideBySide) return laid.removeAlpha()
  const right = await laid.removeAlpha().raw().toBuffer()
  const raw = { width, height, channels: 3 } as const
  const halves = [
    { input: Buffer.from(pixels), raw, left: 0, top: 0 },
    { input: right, raw, left: width, top: 0 },
  ]
  return sharp({ create: { width: 2 * width, height, channels: 3, background: 'black' } })
    .composite(halves)
    .removeAlpha()
}
