import { openSharp } from './files/open-sharp.ts'
import { anySignal } from './async/abort.ts'
import { choice, integer, number, readOptions, type OptionTable } from './checks/table.ts'
import { confidence } from './maps/confidence.ts'
import { cropWindow } from './maps/crop-window.ts'
import { chosenFrames } from './media/chosen-frames.ts'
import type { MediaInfo } from './media/media-info.ts'
import { withMedia, withVideo } from './media/open-media.ts'
import { rationalValue } from './media/rational.ts'
import type { VideoInput } from './media/video-input.ts'
import { checkTogether, predictMedia, type Predictor } from './predict-video.ts'
import { aspectOf, reframeTable, usualStride, type ReframeOptions } from './reframe.ts'
import { cropSize } from './reframe/crop-size.ts'
import { chooseMoments, type Moment } from './reframe/moments.ts'

/** Which frames of a video to take as its pictures. */
export interface ThumbnailOptions extends Omit<ReframeOptions, 'keep' | 'speed' | 'acceleration' | 'aspect'> {
  /** How many, 1 to 100; fewer where the video has no more that are so far apart. Default 1. */
  count?: number | undefined
  /** Width / height to crop to, where people look, 0.01 to 100; or `'1:1'`. Default: the whole frame. */
  aspect?: number | string | undefined
  /** Seconds between two of them, at least, 0 to 86 400. Default: half of what the video has for each. */
  apart?: number | undefined
  /** What they are encoded as. Default `png`. */
  format?: 'png' | 'jpeg' | undefined
}

/** A frame that was taken as a picture. */
export interface Thumbnail {
  /** The frame's number, from 0. */
  frame: number
  /** Its time in seconds on the file's clock. */
  time: number
  /** How concentrated its map is, as `maps.confidence` tells it. */
  confidence: number
  /** [height, width] of the picture in pixels, which are square. */
  size: readonly [number, number]
  /** The bytes of an image file. */
  data: Buffer
}

const { keep: _, speed: __, acceleration: ___, aspect, ...ofReframing } = reframeTable

/** What there is to know of {@link ThumbnailOptions}. */
export const thumbnailTable = {
  ...ofReframing,
  count: integer(1, 100, { usual: 1, help: 'how many' }),
  aspect: { form: aspect.form, read: aspect.read, check: aspect.check, help: 'crop to this width and height, such as 16:9 or 1:1, where people look' },
  apart: { ...number(0, 86_400, { help: 'how far apart at least' }), form: '<seconds>' },
  format: choice(['png', 'jpeg'] as const, { usual: 'png' }),
} satisfies OptionTable<ThumbnailOptions>

/**
 * Takes the frames of a video in which people look at one place most: those whose maps are the most concentrated, far apart in time, not in a
 * fade; and crops them around it. The video is read once for the maps and once for the pictures. Of a part of it (`start`, `end`) they are all from there.
 *
 * @param ending - ends it as `options.signal` does: the model's own end
 * @returns the best first
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, for an aspect that leaves no window of 16 pixels too; and what `predictVideo` throws
 */
export async function thumbnails(model: Predictor, input: VideoInput, options?: ThumbnailOptions, ending?: AbortSignal): Promise<Thumbnail[]> {
  const checked = readThumbnailOptions(model, options)
  const signal = anySignal(checked.signal, ending)
  return withMedia(input, { ...checked, signal }, (info) => thumbnailsOf(model, info, { ...checked, signal }))
}

/** Reads options, for a model. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT */
export function readThumbnailOptions(model: Predictor, options: ThumbnailOptions | undefined) {
  return checkTogether(model, readOptions<ThumbnailOptions, typeof thumbnailTable>('options', options, thumbnailTable))
}

/** As {@link thumbnails}, of an input that was opened already, and with options that were read. */
export async function thumbnailsOf(model: Predictor, given: MediaInfo, options: ReturnType<typeof readThumbnailOptions>): Promise<Thumbnail[]> {
  const sharp = openSharp()
  const { count, aspect, apart, format, stride, ...predicting } = options
  const info = withVideo(given, 'of which pictures could be taken')
  const { video } = info
  const crop = aspect === undefined ? undefined : cropSize(video, aspectOf('aspect', aspect))
  const moments: Moment[] = []
  const maps = predictMedia(model, info, { ...predicting, stride: stride ?? usualStride(video) })
  try {
    for (let next = await maps.next(); !next.done; next = await maps.next()) {
      const { frame, time, marks, tensor, size } = next.value
      const place = crop && cropWindow(tensor, crop.window[1] / crop.window[0], { size })
      moments.push({ frame, time, ...(marks && marks.at(-1)!), confidence: confidence(tensor), x: place?.x ?? 0, y: place?.y ?? 0 })
    }
  } finally {
    await maps.return(undefined)
  }
  const seconds = moments.at(-1)!.time - moments[0]!.time
  const chosen = chooseMoments(moments, count, apart ?? seconds / (2 * count))
  const pictures = new Map<number, Uint8Array>()
  for await (const { frame, pixels } of chosenFrames(info, [video.height, video.width], new Set(chosen.map(({ frame }) => frame)), options))
    pictures.set(frame, pixels)
  const [height, width] = crop?.window ?? [video.height, video.width]
  const made = chosen.map(async (one): Promise<Thumbnail> => {
    const raw = sharp(pictures.get(one.frame)!, { raw: { width: video.width, height: video.height, channels: 3 } })
    const place = { left: Math.min(Math.round(one.x), video.width - width), top: Math.min(Math.round(one.y), video.height - height), width, height }
    const across = Math.max(1, Math.round(width * (video.pixelAspect ? rationalValue(video.pixelAspect) : 1)))
    const cut = raw.extract(place)
    const shown = across === width ? cut : cut.resize(across, height, { fit: 'fill' })
    const data = await shown.toFormat(format, format === 'png' ? {} : { quality: 92 }).toBuffer()
    return { frame: one.frame, time: one.time, confidence: one.confidence, size: [height, across], data }
  })
  return Promise.all(made)
}
