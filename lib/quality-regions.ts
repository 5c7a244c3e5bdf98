import { anySignal } from './async/abort.ts'
import { integer, number, readOptions, type OptionTable } from './checks/table.ts'
import { boxes } from './maps/boxes.ts'
import type { MediaInfo, VideoStream } from './media/media-info.ts'
import { withMedia, withVideo } from './media/open-media.ts'
import type { VideoInput } from './media/video-input.ts'
import { checkTogether, predictMedia, videoTable, type Predictor, type PredictVideoOptions } from './predict-video.ts'
import { usualStride } from './reframe.ts'
import { shotsOption, type ShotOptions } from './shots/shot-options.ts'

/** How to find where an encoder shall spend its bits. */
export interface QualityRegionOptions extends Omit<PredictVideoOptions, 'estimates' | 'uncertainty' | 'shots'> {
  /** A map for every stride-th frame. Default: about five maps a second. */
  stride?: number | undefined
  /** How much better what people look at shall be, 0 to 0.5: in H.264 and H.265 a share of 51 steps of the quantiser. Default 0.1. */
  strength?: number | undefined
  /** Seconds for which regions stay, 0.2 to 60; a new shot begins new ones. Default 2. */
  every?: number | undefined
  /** How to look for shots; false: the video is one. Default true. */
  shots?: boolean | ShotOptions | undefined
}

/** A part of the frame with a quality of its own. */
export interface QualityRegion {
  /** Its left edge in pixels. */
  x: number
  /** Its upper edge in pixels. */
  y: number
  /** How wide it is in pixels. */
  width: number
  /** How high it is in pixels. */
  height: number
  /** What is added to the quantiser, −1 to 1: below 0 is better. */
  offset: number
}

/** Some frames, and the qualities in them. */
export interface QualitySegment {
  /** The number of the first frame, from 0, in the whole video. */
  frame: number
  /** How many frames it has. */
  frames: number
  /** The regions; where they overlap the first counts. The last is the whole frame. */
  regions: readonly QualityRegion[]
}

/** Where an encoder shall spend its bits. Plain data. */
export interface QualityRegions {
  /** [height, width] of the video's frames in pixels, as they are shown. */
  size: readonly [number, number]
  /** Of a part of the video: its first second. Left out where it begins with the video. */
  start?: number | undefined
  /** Of a part of the video: the second that it ends before. Left out where it goes to the video's end. */
  end?: number | undefined
  /** One after the other: all frames of the video, or of the part that was asked for. */
  segments: readonly QualitySegment[]
}

const { estimates: _, uncertainty: __, shots: ___, ...ofVideos } = videoTable

/** What there is to know of {@link QualityRegionOptions}. */
export const qualityTable = {
  ...ofVideos,
  stride: integer(1),
  strength: number(0, 0.5, { usual: 0.1, help: 'how much better what people look at shall be, as a share of 51 steps of the quantiser' }),
  every: { ...number(0.2, 60, { usual: 2, help: 'how long regions stay' }), form: '<seconds>' },
  shots: shotsOption({ usual: true, help: 'how to look for shots' }),
} satisfies OptionTable<QualityRegionOptions>

/** The share of the mean map that is made best, and the one that is made better. */
const [best, better] = [0.5, 0.8]

/**
 * Finds the regions of a video that people look at, for an encoder that takes quality offsets: around half of the mean map of some seconds −`strength`,
 * around four fifths half of that; everywhere else, half of it worse. Memory does not grow but for some numbers each `every` seconds. Of a part of the
 * video (`start`, `end`) the segments are those of its frames.
 *
 * @param ending - ends it as `options.signal` does: the model's own end
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, and what `predictVideo` throws
 */
export async function qualityRegions(model: Predictor, input: VideoInput, options?: QualityRegionOptions, ending?: AbortSignal): Promise<QualityRegions> {
  const checked = readQualityOptions(model, options)
  const signal = anySignal(checked.signal, ending)
  return withMedia(input, { ...checked, signal }, (info) => qualityRegionsOf(model, info, { ...checked, signal }))
}

/** Reads options, for a model. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT */
export function readQualityOptions(model: Predictor, options: QualityRegionOptions | undefined) {
  return checkTogether(model, readOptions<QualityRegionOptions, typeof qualityTable>('options', options, qualityTable))
}

/** As {@link qualityRegions}, of an input that was opened already, and with options that were read. */
export async function qualityRegionsOf(model: Predictor, given: MediaInfo, options: ReturnType<typeof readQualityOptions>): Promise<QualityRegions> {
  const { strength, every, stride, ...predicting } = options
  const info = withVideo(given, 'in which there could be regions')
  const { video } = info
  const segments: QualitySegment[] = []
  let [first, count, start, shot] = [0, 0, Number.NaN, 0]
  let [mean, height, width]: [Float32Array | undefined, number, number] = [undefined, 0, 0]
  const finish = (): void => {
    if (count > 0)
      segments.push({ frame: first, frames: count, regions: regionsOf(mean && { dtype: 'float32', shape: [height, width], data: mean }, video, strength) })
    first += count
    count = 0
    mean = undefined
  }
  const maps = predictMedia(model, info, { ...predicting, stride: stride ?? usualStride(video) })
  try {
    for (;;) {
      const next = await maps.next()
      if (next.value === undefined) break
      // The part's first frame, where only a part is asked for.
      if (segments.length === 0 && count === 0 && !next.done) first = next.value.frame - next.value.times.length + 1
      for (const [i, time] of next.value.times.entries()) {
        const now = next.value.marks?.[i]?.shot ?? 0
        if (count > 0 && (now !== shot || time - start >= every)) finish()
        if (count === 0) [start, shot] = [time, now]
        count += 1
      }
      if (next.done) break
      const { data, shape } = next.value.tensor
      ;[, , height, width] = shape as [number, number, number, number]
      mean ??= new Float32Array(data.length)
      for (let i = 0; i < data.length; i++) mean[i]! += data[i]!
    }
  } finally {
    await maps.return(undefined)
  }
  finish()
  const { start: from, end: to } = options
  return { size: [video.height, video.width], ...(from !== undefined && { start: from }), ...(to !== undefined && { end: to }), segments }
}

function regionsOf(map: Parameters<typeof boxes>[0] | undefined, { height, width }: VideoStream, strength: number): QualityRegion[] {
  const around = (mass: number, offset: number): QualityRegion[] =>
    map === undefined
      ? []
      : boxes(map, { mass, size: [height, width], count: 4 }).map((box) => {
          const [x, y] = [Math.floor(box.x), Math.floor(box.y)]
          return { x, y, width: Math.min(Math.ceil(box.x + box.width), width) - x, height: Math.min(Math.ceil(box.y + box.height), height) - y, offset }
        })
  return [...around(best, -strength), ...around(better, -strength / 2), { x: 0, y: 0, width, height, offset: strength / 2 }]
}
