import { invalidArgument } from '../errors.ts'
import { heatColours } from './colour-map.ts'
import { tagFilter, tagOptions, writtenColour } from './colour.ts'
import { findFfmpeg, isOld } from './ffmpeg.ts'
import { minMaxGrey } from './map-scale.ts'
import { MapVideoWriter } from './map-video-writer.ts'
import type { MapWriter } from './map-writer.ts'
import type { MediaInfo } from './media-info.ts'
import { openedInput, openedWith, type ReadOptions } from './opened.ts'
import { laidFilters, videoInput, writtenFilters } from './picture-filters.ts'
import { TimedPictures, timedPicturesInput } from './timed-pictures.ts'
import { evenSize, VideoFile } from './video-file.ts'

/** How opaque the highest value of a map is, of 255. */
const opacity = 190

/**
 * Writes the original video with the maps laid over it in colour, the more opaque the higher their value, and with the original
 * sound. Every map is scaled on its own, from its lowest value (clear) to its highest; maps between predicted ones are interpolated.
 *
 * The video is decoded once more, by the plan that it was read by for the model. Each map is laid over the frame of its time.
 *
 * @param mapSize [height, width] of the maps.
 * @throws DiffSalError as {@link VideoFile.create}; ERR_DIFFSAL_INVALID_ARGUMENT when there is no video to lay them over.
 */
export async function createOverlay(
  path: string,
  info: MediaInfo,
  mapSize: readonly [number, number],
  options: ReadOptions = {},
): Promise<MapWriter> {
  const { video } = info
  if (!video) throw invalidArgument('overlay', 'false for a file of sound alone', true)
  const [width, height] = evenSize(video.width, video.height)
  const plan = { ...info, video }
  const colour = writtenColour(video.colour)
  // A filter that old versions have not, and need not: they take the tags from the options.
  const tags = isOld(await findFfmpeg()) ? undefined : tagFilter(colour)
  // From 0 on: where the first picture lies on the original's clock is told when the sound is joined. Filters that are made anew in
  // mid-stream would begin again.
  const start = video.turn === undefined ? ['setpts=PTS-STARTPTS'] : []
  const graph = [
    `[0:${video.index}]${writtenFilters(video, [height, width]).join(',')}[base]`,
    `[1:v]${laidFilters(video, [height, width]).join(',')}[heat]`,
    `[base][heat]${['overlay=eof_action=repeat', ...start, ...(tags === undefined ? [] : [tags])].join(',')}[out]`,
  ]
  const file = await VideoFile.create(
    path,
    info,
    [...videoInput(plan), ...openedInput(info), ...timedPicturesInput, '-filter_complex', graph.join(';'), '-map', '[out]'],
    { ...options, timeBase: video.timeBase, pixelFormat: colour.pixelFormat, tags: tagOptions(colour), beside: openedWith(info, 'audio') },
  )
  return new MapVideoWriter(file, new TimedPictures('rgba', mapSize, video.rate), heatPicture, video.rate, true)
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
