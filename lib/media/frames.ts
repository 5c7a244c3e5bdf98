import { log } from '../log.ts'
import { fileUrl, lastWords, readFfmpeg } from './ffmpeg-process.ts'
import { mediaError, type MediaInfo, type VideoStream } from './probe.ts'
import { rationalText } from './rational.ts'

/** What {@link readFrames} may be told. */
export interface ReadFramesOptions {
  /** Fewer frames than this are an error. Default 1. */
  readonly minimum?: 1 | 2
  readonly signal?: AbortSignal
}

/**
 * The frames of a video in order, at its constant rate, scaled to `size` = [height, width]: each H·W·3 bytes, RGB, rows first.
 * The array is the caller's to keep. Only what the pipe holds is decoded ahead of the reader.
 *
 * A file that breaks off gives the frames before the break and then fails; damage that costs no more than 2 % of the frames is a warning.
 *
 * @throws DiffSalError ERR_DIFFSAL_MEDIA when fewer frames than the minimum can be decoded, or the file breaks off.
 */
export async function* readFrames(
  info: MediaInfo & { readonly video: VideoStream },
  size: readonly [number, number],
  options: ReadFramesOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { minimum = 1, signal } = options
  const bytes = size[0] * size[1] * 3
  let frame = new Uint8Array(bytes)
  let filled = 0
  let count = 0
  const chunks = readFfmpeg(frameArguments(info, size), signal)
  try {
    for (;;) {
      const next = await chunks.next()
      if (next.done) {
        const { value: end } = next
        if (end.killedBy !== null) throw mediaError(info.path, `could not be decoded to its end: ffmpeg was ended by ${end.killedBy}`)
        const wrong = end.code !== 0 || end.log.trim() !== ''
        if (count === 0) {
          throw mediaError(info.path, `has no frame that can be decoded: ffmpeg says "${lastWords(end)}"; it may be cut off or damaged`)
        }
        if (count < minimum) {
          const why = wrong ? ` (ffmpeg says "${lastWords(end)}")` : ''
          throw mediaError(info.path, `has only one frame${why}, and a video needs at least two: in one there is no motion`)
        }
        if (wrong) reportDamage(info, count, lastWords(end))
        return
      }
      for (let from = 0; from < next.value.length; ) {
        const part = next.value.subarray(from, from + bytes - filled)
        frame.set(part, filled)
        filled += part.length
        from += part.length
        if (filled < bytes) continue
        count += 1
        yield frame
        frame = new Uint8Array(bytes)
        filled = 0
      }
    }
  } finally {
    await chunks.return({ code: null, killedBy: null, log: '' })
  }
}

/** Frames that may be missing before a file counts as cut off: its own duration is an estimate. */
function tolerated(frames: number): number {
  return Math.max(2, 0.02 * frames)
}

function reportDamage({ path, video }: { path: string; video: VideoStream }, count: number, words: string): void {
  const expected = video.frameEstimate
  if (expected !== undefined && count < expected - tolerated(expected)) {
    throw mediaError(
      path,
      `is cut off or damaged: ${count} of about ${expected} frames were decoded, and ffmpeg said "${words}". ` +
        'To predict what there is, copy it into a whole file first: `ffmpeg -i IN -c copy OUT`',
    )
  }
  log('warn', `'${path}' may be damaged: ${count} frames were decoded, but ffmpeg said "${words}".`)
}

/**
 * The input's clock is shifted so that the first frame is at 0 (a `setpts` filter would not shift the stream's end), and `fps`
 * makes the rate constant from there: so ffmpeg neither repeats nor drops frames on its way out.
 */
function frameArguments(info: MediaInfo & { readonly video: VideoStream }, [height, width]: readonly [number, number]): string[] {
  const { path, video } = info
  const rate = rationalText(video.rate)
  return [
    ...['-loglevel', 'error', ...timeFromFirstFrame(video), '-i', fileUrl(path), '-map', `0:${video.index}`, '-an', '-sn', '-dn'],
    ...['-vf', `fps=${rate}:start_time=0,scale=${width}:${height}:flags=bilinear+accurate_rnd+full_chroma_int`, '-r', rate],
    ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
  ]
}

/** Input options that put time 0 at the first frame of the video. */
export function timeFromFirstFrame(video: VideoStream | null): string[] {
  return video === null || video.start === 0 ? [] : ['-itsoffset', (-video.start).toFixed(6)]
}
