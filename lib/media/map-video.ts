import { minMaxGrey } from './map-scale.ts'
import { MapVideoWriter } from './map-video-writer.ts'
import type { MapWriter } from './map-writer.ts'
import type { MediaInfo } from './media-info.ts'
import type { ReadOptions } from './opened.ts'
import { rational, type Rational } from './rational.ts'
import { TimedPictures, timedPicturesInput } from './timed-pictures.ts'
import { evenSize, VideoFile } from './video-file.ts'

/**
 * Writes a grey video of the maps: the original's size (made even), its frames' times and its sound; every map's lowest value black and its
 * highest white; maps between predicted ones interpolated.
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
  options: ReadOptions = {},
): Promise<MapWriter> {
  const { video } = info
  const [width, height] = evenSize(video?.width ?? mapSize[1], video?.height ?? mapSize[0])
  const aspect = video?.pixelAspect ? `${video.pixelAspect.num}/${video.pixelAspect.den}` : '1'
  const pictures = [...timedPicturesInput, '-vf', `scale=${width}:${height}:flags=bilinear,setsar=${aspect}`]
  const file = await VideoFile.create(path, info, pictures, { ...options, timeBase: video?.timeBase ?? rational(1, rate.num * 512) })
  return new MapVideoWriter(file, new TimedPictures('gray', mapSize, rate), minMaxGrey, rate)
}
