import { newArray } from '../dtype.ts'
import { log } from '../log.ts'
import { complaints, isBroken, loglevel } from './complaints.ts'
import { FfmpegProcess, lastWords, type FfmpegEnd } from './ffmpeg-process.ts'
import { findFfmpeg, passthrough } from './ffmpeg.ts'
import { Gaps, lostText } from './gaps.ts'
import { checkHdr } from './hdr.ts'
import { mediaError } from './local-file.ts'
import type { VideoInfo } from './media-info.ts'
import { openedInput, type ReadOptions } from './opened.ts'
import { Packets } from './packets.ts'
import { modelFilters, videoInput } from './picture-filters.ts'
import { rationalText, rationalValue } from './rational.ts'
import { stampOutput, Stamps } from './stamps.ts'

/** A frame of a video. */
export interface Frame {
  /** H·W·3 bytes, RGB, rows first, but where other filters are told. The reader's to keep. */
  readonly pixels: Uint8Array
  /** Seconds on the plan's clock. Never less than the time of the frame before. */
  readonly time: number
}

/** What {@link readFrames} may be told. */
export interface ReadFramesOptions extends ReadOptions {
  /** Fewer frames than this are an error; but where there is one instead of two, and ffmpeg has nothing to say of it, a note. Default 1. */
  readonly minimum?: 0 | 1 | 2
  /** The first frame to give. Those before it are decoded, which is the only exact way in every format, but not scaled. Default 0. */
  readonly from?: number
  /** What makes of decoded frames what is read, and how many bytes that is. Default: RGB at the size that is told. */
  readonly picture?: { readonly filters: readonly string[]; readonly bytes: number }
  /** Say nothing of damage: another reader of the same file does. Default false. */
  readonly quiet?: boolean
}

/**
 * The frames of a video in order, as they are shown, each with its own time, scaled to `size` = [height, width]. Only what the pipe holds
 * is decoded ahead of the reader.
 *
 * A frame that could not be decoded is the one before it again, so that the count stays; those before the first that can be decoded are left
 * out. A warning at the end says how many and where. A file that breaks off gives the frames before the break and then fails.
 *
 * @throws DiffSalError ERR_DIFFSAL_MEDIA when fewer frames than the minimum can be decoded, the file breaks off, or ffmpeg stalls.
 */
export async function* readFrames(info: VideoInfo, size: readonly [number, number], options: ReadFramesOptions = {}): AsyncGenerator<Frame, void, undefined> {
  const { minimum = 1, from = 0, quiet = false, signal, stallLimit } = options
  const { video } = info
  const { filters, bytes } = options.picture ?? { filters: modelFilters(video, size), bytes: size[0] * size[1] * 3 }
  await checkHdr(info, { signal, stallLimit })
  const args = [...loglevel(info), ...videoInput(info), ...openedInput(info), ...(await frameOutputs(info, filters, from))]
  const child = await FfmpegProcess.start(args, { signal, stallLimit, output: true, extra: 2 })
  const stamps = new Stamps(child, 3)
  const packets = new Packets(child, 4, video.codec)
  const { num, den } = video.timeBase
  const seconds = (ticks: number): number => (ticks * num) / den
  const interval = 1 / rationalValue(video.rate) / rationalValue(video.timeBase)
  const gaps = new Gaps(
    packets,
    interval,
    2 / rationalValue(video.timeBase),
    () => isBroken(child.log, info) || complaints(child.log, info, 'video').trim() !== '',
  )
  let filled = 0
  let first = Number.NaN
  let last: { pixels: Uint8Array; ticks: number } | undefined
  let count = 0
  try {
    for await (const pixels of cut(child.chunks(), bytes)) {
      signal?.throwIfAborted()
      const stamp = await stamps.next()
      const unknown = stamp === undefined || Number.isNaN(stamp.ticks)
      // Times never run back, whatever the file says.
      const ticks = Math.max(unknown ? (last ? last.ticks + interval : 0) : stamp.ticks, last?.ticks ?? Number.NEGATIVE_INFINITY)
      if (last && from === 0) {
        for (const missing of await gaps.between(last.ticks, ticks)) {
          filled += 1
          count += 1
          yield { pixels: last.pixels.slice(), time: seconds(missing) }
        }
      }
      if (!unknown) packets.decoded(stamp.ticks)
      if (Number.isNaN(first)) first = ticks
      last = { pixels, ticks }
      count += 1
      yield { pixels, time: seconds(ticks) }
    }
    const ended = await child.end()
    signal?.throwIfAborted()
    const end = { ...ended, log: complaints(ended.log, info, 'video') }
    const decoded = count - filled
    checkEnd(info, end, decoded, minimum)
    if (from > 0 || quiet || last === undefined) return
    const lost = [...packets.lost(), ...gaps.unseen].sort((a, b) => a - b)
    reportDamage(info, end, { count: decoded, first, last: seconds(last.ticks + interval), fileEnd: packets.end, lost, broken: isBroken(ended.log, info) })
  } finally {
    await child.kill()
  }
}

/** Twice the same frames, as pixels and as times, for which a corner is enough; and the packets of both streams, which keeps them open. */
async function frameOutputs(info: VideoInfo, made: readonly string[], from: number): Promise<string[]> {
  const { video, audio } = info
  const mode = passthrough(await findFfmpeg())
  const base = ['-enc_time_base', rationalText(video.timeBase)]
  const filters = [...(from > 0 ? [`select=gte(n\\,${from})`] : []), ...made]
  const packets = ['-map', `0:${video.index}`, ...(audio ? ['-map', `0:${audio.index}`] : []), '-c', 'copy', '-copyinkf']
  return [
    ...['-filter_complex', `[0:${video.index}]${filters.join(',')},split[corner][pixels];[corner]crop=2:2:0:0[times]`],
    // The times first: they must be out when the pixels, which are waited for, fill their pipe.
    ...['-map', '[times]', ...mode, ...base, '-c:v', 'rawvideo', ...stampOutput(3)],
    ...['-map', '[pixels]', ...mode, ...base, '-c:v', 'rawvideo', '-f', 'rawvideo', 'pipe:1'],
    ...[...packets, ...stampOutput(4)],
  ]
}

/** Chunks cut into pieces of so many bytes, each in memory of its own. */
async function* cut(chunks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  let piece = newArray('uint8', bytes)
  let filled = 0
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + bytes - filled)
      piece.set(part, filled)
      filled += part.length
      from += part.length
      if (filled < bytes) continue
      yield piece
      piece = newArray('uint8', bytes)
      filled = 0
    }
  }
}

function checkEnd({ path }: VideoInfo, end: FfmpegEnd, count: number, minimum: number): void {
  if (end.stalled !== undefined) {
    throw mediaError(
      path,
      `could not be decoded to its end: after ${count} frames ffmpeg gave nothing for ${end.stalled} s and was ended; ` +
        'look whether its disk answers, or allow more time by the stallLimit option (--stall-limit)',
    )
  }
  if (end.killedBy !== null) throw mediaError(path, `could not be decoded to its end: ffmpeg was ended by ${end.killedBy}`)
  if (count === 0 && (minimum > 0 || end.code !== 0)) {
    throw mediaError(path, `has no frame that can be decoded: ffmpeg says "${lastWords(end)}"; it may be cut off or damaged`)
  }
  if (count >= minimum) return
  if (end.code !== 0 || end.log.trim() !== '')
    throw mediaError(path, `has only one frame that can be decoded: ffmpeg says "${lastWords(end)}"; it may be cut off or damaged`)
  if (count === 1) log('warn', `'${path}' has only one frame: it is predicted as a clip in which nothing moves.`)
}

/** How a video ended. Times in seconds. */
interface Ending {
  /** Frames that were decoded. */
  readonly count: number
  /** The time of the first, in ticks. */
  readonly first: number
  readonly last: number
  /** Where the last packet of picture or sound ends. */
  readonly fileEnd: number
  /** The times of the frames that were not, in ticks. */
  readonly lost: readonly number[]
  /** Whether packets are not whole. */
  readonly broken: boolean
}

/** Formats whose length is an estimate from the times at both ends, which any jump of the clock spoils. */
const withoutLength = /^(mpegts|mpeg|mpegvideo|h264|hevc|m4v)$/

/** What ffmpeg says of a file that ends before it should. */
const endsEarly = /partial file|ended prematurely|truncated/i

function reportDamage({ path, format, duration, video }: VideoInfo, end: FfmpegEnd, { count, first, last, fileEnd, lost, broken }: Ending): void {
  const said = end.code !== 0 || end.log.trim() !== ''
  const words = said ? ` ffmpeg said "${lastWords(end)}"` : ''
  // Where the sound goes on to the file's end, so does the file.
  const until = endsEarly.test(end.log) ? last : Math.max(last, fileEnd)
  const tolerated = Math.max(2 / rationalValue(video.rate), 0.02 * (duration ?? 0))
  const short = duration === undefined || withoutLength.test(format) ? 0 : duration - until
  if (duration !== undefined && said && short > tolerated) {
    throw mediaError(
      path,
      `is cut off or damaged: it ends at ${until.toFixed(2)} s of ${duration.toFixed(2)} s, ${count} of about ${video.frameEstimate} frames were decoded, and${words}. ` +
        `To predict what there is, copy it into a whole file first: \`${wholeCommand(path)}\``,
    )
  }
  // Without a complaint a second counts for nothing: durations are rounded, and some are those of sound that was cut.
  if (duration !== undefined && short > Math.max(1, tolerated)) {
    log('warn', `'${path}' may be cut off: it says that it lasts ${duration.toFixed(2)} s, but picture and sound end at ${until.toFixed(2)} s.`)
  } else if ((said || broken) && lost.length > 0) {
    const why = said ? `, and${words}` : ': packets are missing'
    log('warn', `'${path}' is damaged and lost ${lostText(lost, first, video.timeBase, video.rate)}; ${count} were decoded${why}.`)
  } else if (said) {
    log('warn', `'${path}' may be damaged: ${count} frames were decoded and none was lost, but${words}.`)
  }
}

/** The command that makes a whole file of one that breaks off, beside it. */
function wholeCommand(path: string): string {
  const quoted = (name: string): string => `'${name.replace(/^-/, './-').replaceAll("'", "'\\''")}'`
  return `ffmpeg -i ${quoted(path)} -c copy ${quoted(path.replace(/(\.[^./]*)?$/, (extension) => `-whole${extension}`))}`
}
