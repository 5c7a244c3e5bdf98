import { checkString } from '../checks/options.ts'
import { readColour, readInterlaced } from './colour.ts'
import { firstRun, fileUrl, inputFile, lastWords, runFfmpeg, type FfmpegEnd, type FfmpegOptions } from './ffmpeg-process.ts'
import { findFfmpeg } from './ffmpeg.ts'
import { frameRate } from './frame-rate.ts'
import { checkLocalFile, checkOneFile, isAnimatedWebp, mediaError } from './local-file.ts'
import type { MediaInfo } from './media-info.ts'
import { rational, rationalValue } from './rational.ts'
import { readReport, type Report, type ReportedStream } from './report.ts'
import { audioTracks, chooseAudio, chooseVideo, isKnown, videoTracks, type TrackChoice } from './tracks.ts'

/** How to probe. */
export interface ProbeOptions extends TrackChoice {
  readonly signal?: AbortSignal | undefined
  /** Seconds without a sign of life from ffmpeg after which the file is given up. Default 60. */
  readonly stallLimit?: number | undefined
  /** What messages call the file. Default: its path. */
  readonly name?: string | undefined
}

/** Text files that ffmpeg would draw as a terminal does. */
const textCodecs = new Set(['ansi', 'bintext', 'idf', 'xbin'])

/**
 * Reads what a file holds, chooses its tracks, and decodes first video frames to be sure of them.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE when there is no such file or it cannot be read; ERR_DIFFSAL_MEDIA when it is empty, or no
 * video or sound that ffmpeg can read; ERR_DIFFSAL_INVALID_ARGUMENT for a track that it has not; ERR_DIFFSAL_FFMPEG_MISSING.
 */
export async function probe(file: string, options: ProbeOptions = {}): Promise<MediaInfo> {
  checkString('path', file)
  const path = options.name ?? file
  await checkLocalFile(file, path)
  const running = { signal: options.signal, stallLimit: options.stallLimit, keep: 1 << 20 }
  const near = await firstRun(decodeSome(file, 'V:0', false), running)
  const nearReport = reportOf(file, near)
  if (nearReport === undefined) throw notMedia(path, near)
  checkOneFile(path, nearReport.format)
  const further = nearReport.unfinished ? await lookFurther(file, nearReport, running) : undefined
  const { end, report, far } = further ?? { end: near, report: nearReport, far: false }
  // Old versions do not mark covers, but do not take them for V:0 either.
  const tracks = end.log.includes('matches no streams') ? [] : videoTracks(report.streams)
  const chosen = await chooseVideo({ path, file, far }, tracks, options.videoTrack, running)
  if (chosen === undefined || chosen.index === (report.decoded ?? tracks[0]!.index)) return planOf(file, { report, end, far }, chosen, options)
  const again = await runFfmpeg(decodeSome(file, String(chosen.index), far), running)
  return planOf(file, { report: reportOf(file, again) ?? report, end: again, far }, chosen, options)
}

/** A run of ffmpeg and what it told of a file. */
interface Looked {
  readonly end: FfmpegEnd
  readonly report: Report
  /** Whether it looked further than ffmpeg does by itself. */
  readonly far: boolean
}

/** Looks for streams that are listed but had not begun where ffmpeg stopped looking; undefined where that finds none. */
async function lookFurther(file: string, before: Report, options: Omit<FfmpegOptions, 'input' | 'output'>): Promise<Looked | undefined> {
  const end = await runFfmpeg(decodeSome(file, 'V:0', true), options)
  const report = reportOf(file, end)
  const known = (one: Report): number => one.streams.filter(isKnown).length
  return report !== undefined && known(report) > known(before) ? { end, report, far: true } : undefined
}

/** Without the file's name, which may have lines that look like ffmpeg's. */
function reportOf(file: string, { log: text }: FfmpegEnd): Report | undefined {
  return readReport(text.replaceAll(fileUrl(file), ''))
}

/** Three frames: two intervals tell a rate of frames from one of fields. */
function decodeSome(file: string, stream: string, far: boolean): string[] {
  return [...inputFile(file, far), '-map', `0:${stream}`, '-frames:v', '3', '-vf', 'showinfo', '-f', 'null', '-']
}

async function planOf(
  file: string,
  { report, end, far }: Looked,
  chosen: ReportedStream | undefined,
  { name: path = file, ...choice }: ProbeOptions,
): Promise<MediaInfo> {
  const { format, duration, streams } = report
  const sounds = audioTracks(streams)
  const audio = chooseAudio(path, sounds, choice.audioTrack, chosen)
  const plan = {
    path,
    ...(path !== file && { spooled: file }),
    ...(far && { far }),
    format,
    ...(duration !== undefined && { duration }),
    audio,
    audioTracks: sounds.length,
  }
  if (chosen === undefined) {
    if (audio === null) throw mediaError(path, 'has neither video nor sound in it')
    return { ...plan, video: null }
  }
  const [frame] = report.frames
  if (!frame) {
    if (await isAnimatedWebp(file)) {
      throw mediaError(path, 'is an animated WebP, which ffmpeg cannot read; convert it to a GIF or a video by another program first')
    }
    throw mediaError(path, `has a video stream, but no frame of it can be decoded: ffmpeg says "${lastWords(end)}"; the file may be cut off`)
  }
  const codec = /^\w+/.exec(chosen.text)?.[0] ?? 'unknown'
  if (textCodecs.has(codec)) throw mediaError(path, 'is a text file, not a video')
  const rate = frameRate(path, chosen.text, report)
  const { width, height, pixelAspect } = frame
  const decoder = chosen.besideAlpha ? await alphaDecoder(codec) : undefined
  const colour = readColour(chosen.text)
  return {
    ...plan,
    video: {
      index: chosen.index,
      codec,
      width,
      height,
      ...(chosen.turn !== undefined && { turn: chosen.turn }),
      ...(pixelAspect && { pixelAspect }),
      interlaced: readInterlaced(chosen.text) || report.frames.some((one) => one.interlaced),
      colour: decoder === undefined ? colour : { ...colour, pixelFormat: 'yuva420p' },
      ...(decoder !== undefined && { decoder }),
      rate,
      timeBase: report.timeBase ?? rational(1, 90_000),
      ...(duration !== undefined && { frameEstimate: Math.max(1, Math.round(duration * rationalValue(rate))) }),
    },
  }
}

/** The decoder that reads the transparency of VP8 and VP9, where this ffmpeg has it. */
async function alphaDecoder(codec: string): Promise<string | undefined> {
  const { configuration } = await findFfmpeg()
  if (!configuration.includes('--enable-libvpx') || /--disable-(decoder|everything)/.test(configuration)) return undefined
  return codec === 'vp9' ? 'libvpx-vp9' : codec === 'vp8' ? 'libvpx' : undefined
}

function notMedia(path: string, end: FfmpegEnd): Error {
  const { log: text } = end
  if (/moov atom not found/.test(text) && !/low score/.test(text)) {
    return mediaError(path, 'is cut off or damaged: the index of an MP4 file (its "moov atom") is missing; copy the file again in full')
  }
  if (/Invalid data found|moov atom not found|could not find codec/i.test(text)) {
    return mediaError(path, 'is not a video or sound file that ffmpeg can read; it may be damaged or of another kind')
  }
  if (/End of file/.test(text)) return mediaError(path, 'is cut off before its first frame; copy the file again in full')
  return mediaError(path, `cannot be opened by ffmpeg, which says "${lastWords(end)}"`)
}
