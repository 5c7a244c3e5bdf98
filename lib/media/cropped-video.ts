import { invalidArgumentText } from '../errors.ts'
import { scaleMatrix, tagFilter, tagOptions, writtenColour } from './colour.ts'
import { findFfmpeg, isOld } from './ffmpeg.ts'
import { readFrames } from './frames.ts'
import type { VideoInfo } from './media-info.ts'
import type { ReadOptions, Span } from './opened.ts'
import { writtenFilters } from './picture-filters.ts'
import { cropPlanes, markWindow, planesBytes } from './planes.ts'
import { rationalText } from './rational.ts'
import { TimedPictures, timedPicturesInput } from './timed-pictures.ts'
import { VideoFile } from './video-file.ts'

/** Where a window lies in a frame, in pixels from the upper left corner. */
export interface WindowPlace {
  readonly x: number
  readonly y: number
}

/** How a window is cut. */
export interface CroppedVideoOptions extends ReadOptions {
  /** The number of the frame that the first place is of. Default 0. */
  readonly first?: number | undefined
  /** The part of the video that the places are of, whose sound goes along. Default: all. */
  readonly span?: Span | undefined
  /** Whether to write the whole frames with the window drawn. Default false: the window alone. */
  readonly preview?: boolean | undefined
  /** Called after each frame, with how many are written. */
  readonly onFrame?: ((frames: number) => void) | undefined
}

/**
 * Writes what is in a moving window of a video, with its frames' times, its colours, the form of its pixels and its sound. It is decoded once more, by
 * the plan that it was read by for the model.
 *
 * @param window [height, width], even, within the frame
 * @param places where it lies in each frame
 * @throws DiffSalError as {@link VideoFile.create}, and for a file that cannot be decoded; ERR_DIFFSAL_INVALID_ARGUMENT where there are more frames than
 * places, or fewer: then the places are of another video, or of another part of it
 */
export async function writeCroppedVideo(
  path: string,
  info: VideoInfo,
  window: readonly [number, number],
  places: readonly WindowPlace[],
  { first = 0, span, preview = false, onFrame, ...reading }: CroppedVideoOptions = {},
): Promise<void> {
  const { video } = info
  const { width, height, pixelAspect } = video
  const written = preview ? ([height - (height % 2), width - (width % 2)] as const) : window
  const file = await openVideo(path, info, pixelAspect === undefined ? '1' : rationalText(pixelAspect), { ...reading, span })
  const pictures = new TimedPictures('yuv420p', written, video.rate)
  const source = { filters: writtenFilters(video, [height, width]), bytes: planesBytes([height, width]) }
  // Counted from the video's beginning, as they were for the model.
  let [at, count, start] = [0, 0, 0]
  try {
    for await (const { pixels, time } of readFrames(info, [height, width], { ...reading, picture: source, quiet: true })) {
      if (at++ < first) continue
      if (span !== undefined && time >= span.end) break
      if (count === places.length || (span !== undefined && time < span.start)) throw otherFrames(places.length, 'more')
      if (count === 0) start = time
      const picture = { data: pixels, width, height }
      const place = places[count]!
      if (preview) markWindow(picture, place, window)
      const cut = cropPlanes(picture, preview ? { x: 0, y: 0 } : place, written)
      await file.write(pictures.picture(cut, time - start))
      count += 1
      onFrame?.(count)
    }
    reading.signal?.throwIfAborted()
    if (count < places.length) throw otherFrames(places.length, `${count}`)
    await file.finish(start)
    reading.signal?.throwIfAborted()
    await file.commit()
  } finally {
    await file.discard()
  }
}

function otherFrames(places: number, there: string): Error {
  return invalidArgumentText('reframing.frames', `places for as many frames as there are, ${there}`, `${places}`)
}

/** The pictures come in the colours that they are written in: nothing is converted. */
async function openVideo(path: string, info: VideoInfo, aspect: string, reading: ReadOptions & Pick<CroppedVideoOptions, 'span'>): Promise<VideoFile> {
  const colour = writtenColour(info.video.colour)
  const tags = isOld(await findFfmpeg()) ? undefined : tagFilter(colour)
  const matrix = scaleMatrix(colour)
  const full =
    colour.range === 'pc'
      ? [`scale=in_range=pc:out_range=pc${matrix === undefined ? '' : `:in_color_matrix=${matrix}:out_color_matrix=${matrix}`}`, 'format=yuvj420p']
      : []
  const filters = [...full, `setsar=${aspect}`, ...(tags === undefined ? [] : [tags])]
  return VideoFile.create(path, info, [...timedPicturesInput, '-vf', filters.join(',')], {
    ...reading,
    timeBase: info.video.timeBase,
    pixelFormat: colour.pixelFormat,
    tags: tagOptions(colour),
  })
}
