import { checkString } from '../options.ts'
import { readColour, readInterlaced, type Colour } from './colour.ts'
import { findFfmpeg } from './ffmpeg.ts'
import { firstRun, fileUrl, lastWords, runFfmpeg, type FfmpegEnd } from './ffmpeg-process.ts'
import { frameRate } from './frame-rate.ts'
import { checkLocalFile, checkOneFile, isAnimatedWebp, mediaError } from './local-file.ts'
import { rational, rationalValue, type Rational } from './rational.ts'
import { readReport, type Report, type ReportedStream } from './report.ts'
import { audioTracks, chooseAudio, chooseVideo, videoTracks, type TrackChoice } from './tracks.ts'

export { mediaError } from './local-file.ts'

/** The video track that is read. */
export interface VideoStream {
  /** ffmpeg's number of the stream in the file. */
  readonly index: number
  /** ffmpeg's name of the codec: `h264`. */
  readonly codec: string
  /** Pixels, as shown: after the rotation that the file asks for. */
  readonly width: number
  readonly height: number
  /** Whether the file asks for a rotation. */
  readonly turned: boolean
  /** Width of one pixel over its height, when the file says so. */
  readonly pixelAspect?: Rational
  /** Whether frames are made of fields. */
  readonly interlaced: boolean
  readonly colour: Colour
  /** The decoder to read it with, where that is not ffmpeg's own. */
  readonly decoder?: string
  /** Frames a second on the average: exact for a usual constant rate, 30000/1001 and not 29.97. Every frame has a time of its own besides. */
  readonly rate: Rational
  /** Seconds of a tick, in which the frames' times are whole numbers. */
  readonly timeBase: Rational
  /** About how many frames, from the duration. */
  readonly frameEstimate?: number
}

/** The sound track that is read. */
export interface AudioStream {
  /** ffmpeg's number of the stream in the file. */
  readonly index: number
  /** Its number among the file's sound tracks, from 1. */
  readonly track: number
  /** ffmpeg's name of the codec: `aac`. */
  readonly codec: string
  /** Samples a second. */
  readonly sampleRate: number
  /** ffmpeg's name of the channel layout: `stereo`, `5.1(side)`, `10 channels`. */
  readonly layout: string
  /** How many channels, where the layout tells. */
  readonly channels?: number
}

/**
 * What is read of a media file, and how: everything that reads it goes by this plan. Time 0 is where the first of the chosen streams
 * begins. Each process of ffmpeg must have both of them open to agree on it ({@link openedWith}).
 */
export interface MediaInfo {
  /** The path that was probed. */
  readonly path: string
  /** ffmpeg's names of the format: `matroska,webm`. */
  readonly format: string
  /** Seconds, where the container tells. */
  readonly duration?: number
  readonly video: VideoStream | null
  readonly audio: AudioStream | null
  /** How many sound tracks the file has. */
  readonly audioTracks: number
}

/** A plan of which the video is read. */
export type VideoInfo = MediaInfo & { readonly video: VideoStream }

/** A plan of which the sound is read. */
export type SoundInfo = MediaInfo & { readonly audio: AudioStream }

/** How to probe. */
export interface ProbeOptions extends TrackChoice {
  readonly signal?: AbortSignal | undefined
  /** Seconds without a sign of life from ffmpeg after which the file is given up. Default 60. */
  readonly stallLimit?: number | undefined
}

/** Text files that ffmpeg would draw as a terminal does. */
const textCodecs = new Set(['ansi', 'bintext', 'idf', 'xbin'])

/**
 * Reads what a file holds, chooses its tracks, and decodes first video frames to be sure of them.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE when there is no such file or it cannot be read; ERR_DIFFSAL_MEDIA when it is empty, or no
 * video or sound that ffmpeg can read; ERR_DIFFSAL_INVALID_ARGUMENT for a track that it has not; ERR_DIFFSAL_FFMPEG_MISSING.
 */
export async function probe(path: string, options: ProbeOptions = {}): Promise<MediaInfo> {
  checkString('path', path)
  await checkLocalFile(path)
  const running = { signal: options.signal, stallLimit: options.stallLimit, keep: 1 << 20 }
  const end = await firstRun(decodeSome(path, 'V:0'), running)
  const report = readReport(end.log)
  if (report === undefined) throw notMedia(path, end)
  checkOneFile(path, report.format)
  // Old versions do not mark covers, but do not take them for V:0 either.
  const tracks = end.log.includes('matches no streams') ? [] : videoTracks(report.streams)
  const chosen = await chooseVideo(path, tracks, options.videoTrack, running)
  if (chosen === undefined || chosen.index === (report.decoded ?? tracks[0]!.index)) return planOf(path, report, end, chosen, options)
  const again = await runFfmpeg(decodeSome(path, String(chosen.index)), running)
  return planOf(path, readReport(again.log) ?? report, again, chosen, options)
}

/** Three frames: two intervals tell a rate of frames from one of fields. */
function decodeSome(path: string, stream: string): string[] {
  return ['-i', fileUrl(path), '-map', `0:${stream}`, '-frames:v', '3', '-vf', 'showinfo', '-f', 'null', '-']
}

async function planOf(
  path: string,
  report: Report,
  end: FfmpegEnd,
  chosen: ReportedStream | undefined,
  choice: TrackChoice,
): Promise<MediaInfo> {
  const { format, duration, streams } = report
  const sounds = audioTracks(streams)
  const audio = chooseAudio(path, sounds, choice.audioTrack)
  const plan = { path, format, ...(duration !== undefined && { duration }), audio, audioTracks: sounds.length }
  if (chosen === undefined) {
    if (audio === null) throw mediaError(path, 'has neither video nor sound in it')
    return { ...plan, video: null }
  }
  const [frame] = report.frames
  if (!frame) {
    if (await isAnimatedWebp(path)) {
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
      turned: chosen.turned,
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
  return mediaError(path, `cannot be opened by ffmpeg, which says "${lastWords(end)}"`)
}
