import { invalidArgument } from '../errors.ts'
import type { MapLook } from '../maps/paint.ts'
import { mapPainter } from '../maps/painter.ts'
import { tagFilter, tagOptions, writtenColour } from './colour.ts'
import { findFfmpeg, isOld } from './ffmpeg.ts'
import { MapVideoWriter } from './map-video-writer.ts'
import type { MapWriter } from './map-writer.ts'
import type { MediaInfo } from './media-info.ts'
import { openedInput, openedWith, type ReadOptions, type Span } from './opened.ts'
import { laidFilters, trimFilter, videoInput, writtenFilters } from './picture-filters.ts'
import { TimedPictures, timedPicturesInput } from './timed-pictures.ts'
import { evenSize, VideoFile } from './video-file.ts'

/** How maps are laid over a video. */
export interface OverlayOptions extends ReadOptions {
  /** How they are painted; `sideBySide` puts the video as it is to the left. */
  readonly look?: MapLook | undefined
  /** Whether the maps hide the video, as a video of its own beside it. Default false: they are laid over it. */
  readonly hiding?: boolean | undefined
  /** The part of the video to write. Default: all. */
  readonly span?: Span | undefined
}

/**
 * Writes the original video with the maps laid over it in colour, the more opaque the higher their level, and with the original
 * sound. Maps between predicted ones are interpolated.
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
  { look = {}, hiding = false, ...options }: OverlayOptions = {},
): Promise<MapWriter> {
  const { video } = info
  if (!video) throw invalidArgument(hiding ? 'sideBySide' : 'overlay', 'false for a file of sound alone', true)
  const [width, height] = evenSize(video.width, video.height)
  const plan = { ...info, video }
  const colour = writtenColour(video.colour)
  const painter = mapPainter(look, mapSize, [height, width], !hiding)
  // A filter that old versions have not, and need not: they take the tags from the options.
  const tags = isOld(await findFfmpeg()) ? undefined : tagFilter(colour)
  // From 0 on: where the first picture lies on the original's clock is told when the sound is joined. Filters that are made anew in
  // mid-stream would begin again.
  const start = video.turn === undefined ? ['setpts=PTS-STARTPTS'] : []
  const last = [...start, ...(tags === undefined ? [] : [tags])]
  const { span } = options
  const shown = [...(span ? [trimFilter('trim', span)] : []), ...writtenFilters(video, [height, width])].join(',')
  const laid = `[1:v]${laidFilters(video, [height, width]).join(',')}[heat]`
  const lay = 'overlay=eof_action=repeat'
  const graph = look.sideBySide
    ? [`[0:${video.index}]${shown},split[left][base]`, laid, `[base][heat]${lay}[right]`, `[left][right]${['hstack', ...last].join(',')}[out]`]
    : [`[0:${video.index}]${shown}[base]`, laid, `[base][heat]${[lay, ...last].join(',')}[out]`]
  const file = await VideoFile.create(
    path,
    info,
    [...videoInput(plan), ...openedInput(info), ...timedPicturesInput, '-filter_complex', graph.join(';'), '-map', '[out]'],
    { ...options, timeBase: video.timeBase, pixelFormat: colour.pixelFormat, tags: tagOptions(colour), beside: openedWith(info, 'audio') },
  )
  return new MapVideoWriter(file, new TimedPictures(painter.pixelFormat, painter.size, video.rate), painter, video.rate, true)
}
