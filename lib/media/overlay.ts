import { invalidArgument } from '../errors.ts'
import { heatColours } from './colour-map.ts'
import { fileUrl } from './ffmpeg-process.ts'
import { timeFromFirstFrame } from './frames.ts'
import { minMaxGrey } from './map-scale.ts'
import { MapVideoWriter, rawPictures } from './map-video-writer.ts'
import type { MapWriter } from './output-file.ts'
import type { MediaInfo } from './probe.ts'
import { rationalText } from './rational.ts'
import { evenSize, VideoFile } from './video-file.ts'

/** How opaque the highest value of a map is, of 255. */
const opacity = 190

/**
 * Writes the original video with the maps laid over it in colour, the more opaque the higher their value, and with the original
 * sound. Every map is scaled on its own, from its lowest value (clear) to its highest; maps between predicted ones are interpolated.
 *
 * @param mapSize [height, width] of the maps.
 * @throws DiffSalError as {@link VideoFile.create}; ERR_DIFFSAL_INVALID_ARGUMENT when there is no video to lay them over.
 */
export async function createOverlay(
  path: string,
  info: MediaInfo,
  mapSize: readonly [number, number],
  signal?: AbortSignal,
): Promise<MapWriter> {
  const { video } = info
  if (!video) throw invalidArgument('overlay', 'false for a file of sound alone', true)
  const rate = rationalText(video.rate)
  const [width, height] = evenSize(video.width, video.height)
  const base = `[0:${video.index}]fps=${rate}:start_time=0,scale=${width}:${height}[base]`
  const heat = `[1:v]scale=${width}:${height}:flags=bilinear[heat]`
  const file = await VideoFile.create(
    path,
    info,
    [
      ...[...timeFromFirstFrame(video), '-i', fileUrl(info.path), ...rawPictures('rgba', mapSize, rate)],
      ...['-filter_complex', `${base};${heat};[base][heat]overlay=eof_action=repeat[out]`, '-map', '[out]', '-r', rate],
    ],
    signal,
  )
  return new MapVideoWriter(file, heatPicture)
}

/** RGBA pixels of a map. */
export function heatPicture(map: Float32Array): Uint8Array {
  const grey = minMaxGrey(map)
  const pixels = new Uint8Array(grey.length * 4)
  for (let i = 0; i < grey.length; i++) {
    const value = grey[i]!
    pixels[4 * i] = heatColours[3 * value]!
    pixels[4 * i + 1] = heatColours[3 * value + 1]!
    pixels[4 * i + 2] = heatColours[3 * value + 2]!
    pixels[4 * i + 3] = (value * opacity) / 255
  }
  return pixels
}
