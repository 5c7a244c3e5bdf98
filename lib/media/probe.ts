import { stat } from 'node:fs/promises'
import { DiffSalError, fileError } from '../errors.ts'
import { log } from '../log.ts'
import { checkString } from '../options.ts'
import { fileUrl, lastWords, runFfmpeg, type FfmpegEnd } from './ffmpeg-process.ts'
import { rateFromDecimal, rational, rationalValue, type Rational } from './rational.ts'

/** A file's first video stream (cover pictures do not count). */
export interface VideoStream {
  /** ffmpeg's number of the stream in the file. */
  readonly index: number
  /** ffmpeg's name of the codec: `h264`. */
  readonly codec: string
  /** Pixels, as shown: after the rotation that the file asks for. */
  readonly width: number
  readonly height: number
  /** Width of one pixel over its height, when the file says so. */
  readonly pixelAspect?: Rational
  /** Frames a second, exact: 30000/1001 and not 29.97. A variable rate is read as the constant rate that ffmpeg takes it for. */
  readonly rate: Rational
  /** Seconds from the file's start to the first frame. Frame k is at `start` + k / `rate`. */
  readonly start: number
  /** About how many frames, from the duration. */
  readonly frameEstimate?: number
}

/** A file's first sound stream. */
export interface AudioStream {
  /** ffmpeg's number of the stream in the file. */
  readonly index: number
  /** ffmpeg's name of the codec: `aac`. */
  readonly codec: string
  /** Samples a second. */
  readonly sampleRate: number
  /** ffmpeg's name of the channel layout: `stereo`, `5.1(side)`, `10 channels`. */
  readonly layout: string
  /** How many channels, where the layout tells. */
  readonly channels?: number
}

/** What a media file holds. */
export interface MediaInfo {
  /** The path that was probed. */
  readonly path: string
  /** Seconds, where the container tells. */
  readonly duration?: number
  readonly video: VideoStream | null
  readonly audio: AudioStream | null
}

/** Text files that ffmpeg would draw as a terminal does. */
const textCodecs = new Set(['ansi', 'bintext', 'idf', 'xbin'])

const rateWhenUnknown: Rational = { num: 30, den: 1 }

/**
 * Reads what a file holds, and decodes its first video frame to be sure of it.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE when there is no such file or it cannot be read; ERR_DIFFSAL_MEDIA when it is empty, or no
 * video or sound that ffmpeg can read; ERR_DIFFSAL_FFMPEG_MISSING.
 */
export async function probe(path: string, options: { signal?: AbortSignal | undefined } = {}): Promise<MediaInfo> {
  checkString('path', path)
  const { size } = await regularFile(path)
  if (size === 0) throw mediaError(path, 'is empty (0 bytes), so there is no video or sound in it')
  const end = await runFfmpeg(
    ['-i', fileUrl(path), '-map', '0:V:0', '-frames:v', '1', '-vf', 'showinfo', '-f', 'null', '-'],
    { signal: options.signal, keep: 1 << 22 },
  )
  return readReport(path, end)
}

/** The error for a file that is no usable video. `problem` follows its name. */
export function mediaError(path: string, problem: string): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_MEDIA', `'${path}' ${problem}.`, { argument: path })
}

async function regularFile(path: string): Promise<{ size: number }> {
  const found = await stat(path).catch((cause: unknown) => {
    throw fileError('read', path, cause)
  })
  if (found.isDirectory()) throw fileError('read', path, Object.assign(new Error('it is a directory'), { code: 'EISDIR' }))
  // It is opened several times over, which a pipe or a device does not allow.
  if (!found.isFile()) throw mediaError(path, 'is not a regular file; save it to one first')
  return found
}

/** Reads what ffmpeg wrote: the streams as it lists them, and what `showinfo` said about the first decoded frame. */
export function readReport(path: string, end: FfmpegEnd): MediaInfo {
  const lines = end.log.split('\n')
  // Metadata of the file itself comes before this line, that of streams is indented further than streams are: so no title or
  // language, whatever it says, is taken for a stream.
  const first = lines.findIndex((line) => line.startsWith('  Duration: '))
  if (first < 0) throw notMedia(path, end)
  const streams: { index: number; kind: string; text: string }[] = []
  for (const line of lines.slice(first)) {
    if (/^(Stream mapping|Output #)/.test(line)) break
    const match = /^ {2,4}Stream #0:(\d+)(?:\[[^\]]*\])?(?:\(.*?\))?: (Video|Audio): (.*)$/.exec(line)
    if (match) streams.push({ index: Number(match[1]), kind: match[2]!, text: match[3]! })
  }
  const duration = seconds(lines[first]!)
  const audio = streams.filter(({ kind }) => kind === 'Audio').map(audioStream).find((one) => one !== null) ?? null
  const pictures = streams.filter(({ kind }) => kind === 'Video')
  const shown = lines.filter((line) => line.startsWith('[Parsed_showinfo'))
  const frame = shown.map((line) => /\] n: *0 pts: *(\S+) .* sar:(\d+)\/(\d+) s:(\d+)x(\d+) /.exec(line)).find((match) => match !== null)
  if (!frame) {
    if (pictures.length > 0 && !end.log.includes('matches no streams')) {
      const said = lastWords(end)
      throw mediaError(path, `has a video stream, but no frame of it can be decoded: ffmpeg says "${said}"; the file may be cut off`)
    }
    if (audio === null) throw mediaError(path, 'has neither video nor sound in it')
    return { path, ...(duration !== undefined && { duration }), video: null, audio }
  }
  const index = Number(/^ {2}Stream #0:(\d+) -> #0:0/m.exec(end.log)?.[1] ?? pictures[0]?.index ?? 0)
  const text = pictures.find((one) => one.index === index)?.text ?? ''
  const codec = /^\w+/.exec(text)?.[0] ?? 'unknown'
  if (textCodecs.has(codec)) throw mediaError(path, 'is a text file, not a video')
  const clock = /config in time_base: (\d+)\/(\d+), frame_rate: (\d+)\/(\d+)/
  const config = shown.map((line) => clock.exec(line)).find((match) => match !== null)
  const rate = frameRate(path, text, Number(config?.[3] ?? 0), Number(config?.[4] ?? 0))
  const start = (Number(frame[1]) * Number(config?.[1])) / Number(config?.[2])
  const [sarNum, sarDen] = [Number(frame[2]), Number(frame[3])]
  return {
    path,
    ...(duration !== undefined && { duration }),
    video: {
      index,
      codec,
      width: Number(frame[4]),
      height: Number(frame[5]),
      ...(sarNum > 0 && sarDen > 0 && { pixelAspect: rational(sarNum, sarDen) }),
      rate,
      // Raw streams have no times at all.
      start: Number.isFinite(start) ? start : 0,
      ...(duration !== undefined && { frameEstimate: Math.max(1, Math.round(duration * rationalValue(rate))) }),
    },
    audio,
  }
}

function notMedia(path: string, end: FfmpegEnd): DiffSalError {
  const { log: text } = end
  if (/moov atom not found/.test(text) && !/low score/.test(text)) {
    return mediaError(path, 'is cut off or damaged: the index of an MP4 file (its "moov atom") is missing; copy the file again in full')
  }
  if (/Invalid data found|moov atom not found|could not find codec/i.test(text)) {
    return mediaError(path, 'is not a video or sound file that ffmpeg can read; it may be damaged or of another kind')
  }
  return mediaError(path, `cannot be opened by ffmpeg, which says "${lastWords(end)}"`)
}

/** The `Duration: 00:00:05.00` of a report, in seconds; undefined for N/A. */
function seconds(line: string): number | undefined {
  const match = /Duration: (\d+):(\d+):(\d+(?:\.\d+)?)/.exec(line)
  return match ? Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]) : undefined
}

/**
 * The constant rate to decode at. ffmpeg's own guess is exact, but for a stream of variable rate it may be the clock's tick
 * (1000 or 90000 a second): then the average, which is printed with two decimals only.
 */
function frameRate(path: string, text: string, num: number, den: number): Rational {
  const average = decimal(/, ([\d.]+)(k?) fps\b/.exec(text))
  if (num > 0 && den > 0) {
    const guess = num / den
    if (guess <= 120 || (average !== undefined && Math.abs(guess - average) <= average / 10)) {
      const usual = rateFromDecimal(guess)
      return Math.abs(rationalValue(usual) - guess) < guess * 1e-5 ? usual : rational(num, den)
    }
  }
  if (average !== undefined && average <= 1000) return rateFromDecimal(average)
  log('warn', `'${path}' does not say its frame rate; ${rateWhenUnknown.num} frames a second are assumed.`)
  return rateWhenUnknown
}

function decimal(match: RegExpExecArray | null): number | undefined {
  if (!match) return undefined
  const value = Number(match[1]) * (match[2] === 'k' ? 1000 : 1)
  return value > 0 ? value : undefined
}

/** `aac (LC) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp, 95 kb/s`. Null for a stream that ffmpeg knows no parameters of. */
function audioStream({ index, text }: { index: number; text: string }): AudioStream | null {
  const match = /^(\w+).*?, (\d+) Hz, ([^,]+)/.exec(text)
  if (!match || match[1] === 'none' || Number(match[2]) === 0) return null
  const layout = match[3]!.trim()
  const channels = channelCount(layout)
  return { index, codec: match[1]!, sampleRate: Number(match[2]), layout, ...(channels !== undefined && { channels }) }
}

function channelCount(layout: string): number | undefined {
  const named: Record<string, number> = { mono: 1, stereo: 2, downmix: 2, quad: 4, hexagonal: 6, octagonal: 8, cube: 8, hexadecagonal: 16 }
  const name = layout.replace(/\(.*/, '').trim()
  if (named[name] !== undefined) return named[name]
  const counted = /^(\d+) channels/.exec(layout)
  if (counted) return Number(counted[1])
  if (/^\d+(\.\d+)+$/.test(name)) return name.split('.').reduce((sum, part) => sum + Number(part), 0)
  return undefined
}
