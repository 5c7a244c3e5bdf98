import { minMaxGrey } from './map-scale.ts'
import { MapVideoWriter, rawPictures } from './map-video-writer.ts'
import type { MapWriter } from './output-file.ts'
import type { MediaInfo } from './probe.ts'
import { rationalText, type Rational } from './rational.ts'
import { evenSize, VideoFile } from './video-file.ts'

/**
 * Writes a grey video of the maps: the original's size (made even), rate and sound; every map's lowest value black and its
 * highest white; maps between predicted ones interpolated.
 *
 * @param mapSize [height, width] of the maps.
 * @param rate Frames a second.
 * @throws DiffSalError as {@link VideoFile.create}.
 */
export async function createMapVideo(
  path: string,
  info: MediaInfo,
  mapSize: readonly [number, number],
  rate: Rational,
  signal?: AbortSignal,
): Promise<MapWriter> {
  const { video } = info
  const [width, height] = evenSize(video?.width ?? mapSize[1], video?.height ?? mapSize[0])
  const aspect = video?.pixelAspect ? `${video.pixelAspect.num}/${video.pixelAspect.den}` : '1'
  const file = await VideoFile.create(
    path,
    info,
    [...rawPictures('gray', mapSize, rationalText(rate)), '-vf', `scale=${width}:${height}:flags=bilinear,setsar=${aspect}`],
    signal,
  )
  return new MapVideoWriter(file, minMaxGrey)
}
