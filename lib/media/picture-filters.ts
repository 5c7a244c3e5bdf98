import { hasAlpha, isHdr, isRgb, scaleMatrix, toneMapFilters, writtenColour } from './colour.ts'
import type { VideoInfo, VideoStream } from './media-info.ts'
import type { Span } from './opened.ts'

/**
 * The filters that make of decoded frames what players show: without the comb of two fields, and on black where they are transparent. What
 * comes at another size than the first frame is brought to that, before anything that cannot change its size.
 */
function shownFilters({ width, height, turn, interlaced, colour }: VideoStream): string[] {
  const alpha = hasAlpha(colour)
  return [
    ...((interlaced || alpha) && turn === undefined ? [`scale=${width}:${height}:interl=-1`] : []),
    ...(interlaced ? asStored('yadif=mode=send_frame:deint=interlaced', turn) : []),
    // Not as RGB, whose black old versions make grey.
    ...(alpha ? [...(colour.pixelFormat.startsWith('yuva') ? [] : ['format=yuva444p']), 'premultiply=inplace=1'] : []),
  ]
}

/** A filter of a picture's rows as they are stored: where ffmpeg has turned it, it is turned back for that. */
function asStored(filter: string, turn = 0): string[] {
  const quarters = (Math.round((Number.isNaN(turn) ? 0 : turn) / 90) + 4) % 4
  const [back, again] = [[], ['transpose=clock', 'transpose=cclock'], ['vflip', 'vflip'], ['transpose=cclock', 'transpose=clock']][quarters]!
  return [...(back === undefined ? [] : [back]), filter, ...(again === undefined ? [] : [again])]
}

/** The filters that give RGB pixels of a size, [height, width], for a model. */
export function modelFilters(video: VideoStream, [height, width]: readonly [number, number]): string[] {
  const scale = `scale=${width}:${height}:flags=bilinear+accurate_rnd+full_chroma_int`
  const light = isHdr(video.colour) ? ['format=yuv444p12le', ...toneMapFilters(video.colour, 'rgb')] : []
  return [...shownFilters(video), scale, ...light, 'format=rgb24']
}

/** The filter that leaves a part of a stream, at its own times. */
export function trimFilter(name: 'trim' | 'atrim', { start, end }: Span): string {
  // Times that were told are rounded to a microsecond; frames are further apart.
  const from = Number.isFinite(start) ? [`start=${(start - 1e-6).toFixed(6)}`] : []
  const to = Number.isFinite(end) ? [`end=${(end - 1e-6).toFixed(6)}`] : []
  return `${name}=${[...from, ...to].join(':')}`
}

/** The filters that give the video at a size, [height, width], as it is to be written: see `writtenColour`. */
export function writtenFilters(video: VideoStream, [height, width]: readonly [number, number]): string[] {
  const { colour } = video
  if (isHdr(colour)) return [...shownFilters(video), `scale=${width}:${height}`, 'format=yuv420p10le', ...toneMapFilters(colour, 'yuv')]
  const written = writtenColour(colour)
  const options = [`scale=${width}:${height}`, `out_range=${written.range ?? 'tv'}`, ...(isRgb(colour) ? [`out_color_matrix=${scaleMatrix(written)}`] : [])]
  return [...shownFilters(video), options.join(':'), `format=${written.pixelFormat}`]
}

/** The options and filters that lay RGBA pictures into the colours that a video is written in. */
export function laidFilters(video: VideoStream, [height, width]: readonly [number, number]): string[] {
  const written = writtenColour(video.colour)
  const matrix = scaleMatrix(written)
  const options = [
    `scale=${width}:${height}:flags=bilinear`,
    `out_range=${written.range ?? 'tv'}`,
    ...(matrix === undefined ? [] : [`out_color_matrix=${matrix}`]),
  ]
  return [options.join(':'), 'format=yuva420p']
}

/**
 * The input options for a video: the decoder that knows its transparency; and the filters stay as they are where the size changes in
 * mid-stream, and `scale`, which comes first, follows it. Where ffmpeg puts a rotation before them, which cannot follow, they are made anew.
 */
export function videoInput({ video }: VideoInfo): string[] {
  const decoder = video.decoder === undefined ? [] : [`-c:${video.index}`, video.decoder]
  return video.turn !== undefined ? decoder : [...decoder, '-reinit_filter', '0']
}
