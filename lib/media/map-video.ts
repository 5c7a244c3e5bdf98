import type { MapLook } from '../maps/paint.ts'
import { mapPainter } from '../maps/painter.ts'
import { MapVideoWriter } from './map-video-writer.ts'
import type { MapWriter } from './map-writer.ts'
import type { MediaInfo } from './media-info.ts'
import type { ReadOptions, Span } from './opened.ts'
import { rational, type Rational } from './rational.ts'
import { TimedPictures, timedPicturesInput } from './timed-pictures.ts'
import { evenSize, VideoFile } from './video-file.ts'

/** How maps become a video. */
export interface MapVideoOptions extends ReadOptions {
  /** How they are painted. */
  readonly look?: MapLook | undefined
  /** The part of the original that is written. Default: all. */
  readonly span?: Span | undefined
}

/**
 * Writes a video of the maps, grey unless the look has colours: the original's size (made even), its frames' times and its sound; maps
 * between predicted ones interpolated.
 *
 * @param mapSize [height, width] of the maps.
 * @param rate Frames a second, where times are not told.
 * @throws DiffSalError as {@link VideoFile.create}.
 */
export async function createMapVideo(
  path: string,
  info: MediaInfo,
  mapSize: readonly [number, number],
  rate: Rational,
  { look = {}, ...options }: MapVideoOptions = {},
): Promise<MapWriter> {
  const { video } = info
  const [width, height] = evenSize(video?.width ?? mapSize[1], video?.height ?? mapSize[0])
  const aspect = video?.pixelAspect ? `${video.pixelAspect.num}/${video.pixelAspect.den}` : '1'
  const painter = mapPainter(look, mapSize, [height, width], false)
  const pictures = [...timedPicturesInput, '-vf', `scale=${width}:${height}:flags=bilinear,setsar=${aspect}`]
  const file = await VideoFile.create(path, info, pictures, { ...options, timeBase: video?.timeBase ?? rational(1, rate.num * 512) })
  return new MapVideoWriter(file, new TimedPictures(painter.pixelFormat, painter.size, rate), painter, rate)
}
