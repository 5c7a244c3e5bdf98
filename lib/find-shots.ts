import { anySignal } from './async/abort.ts'
import { stoppable } from './async/stoppable.ts'
import { callback, readOptions, signal, type OptionTable } from './checks/table.ts'
import { readFrames } from './media/frames.ts'
import type { MediaInfo } from './media/media-info.ts'
import { openMedia, withVideo } from './media/open-media.ts'
import { rationalValue } from './media/rational.ts'
import type { VideoInput } from './media/video-input.ts'
import { checkSpan, estimateMaps, inputTable, nothingThere, spanOf, videoTable } from './predict-video.ts'
import { ShotDetector, sizeForShots, type ShotStart } from './shots/shot-detector.ts'
import { shotTable, type ShotOptions } from './shots/shot-options.ts'

/** How to look for shots. */
export interface FindShotsOptions extends ShotOptions {
  /** Shots of frames from this second on, as `time` of maps counts them; one that began before begins there. Default: from the first. */
  start?: number | undefined
  /** Shots of frames before this second only; one that goes on ends there. Default: to the last. */
  end?: number | undefined
  /** Which video track, from 1, of a file with several. Default: the one that the file marks, else the first with more than one picture. */
  videoTrack?: number | undefined
  /** Seconds without a byte from ffmpeg, an address or a stream, while one is waited for, after which the input is given up. Default 60. */
  stallLimit?: number | undefined
  /** Whether `http:` and `https:` addresses are read; else they are refused. Default true. */
  network?: boolean | undefined
  /** The most bytes of an address, of bytes or of a stream that are written to a temporary file. Default 4294967296, 4 GiB. */
  spoolLimit?: number | undefined
  /** Stops the decoding; the pending shot rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Called now and then: how many frames were looked at. */
  onProgress?: ((progress: ShotProgress) => void) | undefined
}

/** How far {@link findShots} is. */
export interface ShotProgress {
  /** Frames that were looked at. */
  frames: number
  /** About how many there are, where the file tells. */
  frameEstimate?: number
}

/** Some frames that follow each other as a camera took them. */
export interface Shot {
  /** Its number in the whole video, from 0. */
  shot: number
  /** How it begins: with the video or the part that is asked for, after another shot without a change between, after frames that are black or white, or in the middle of a dissolve. */
  begins: ShotStart
  /** The number of its first frame, from 0. */
  frame: number
  /** How many frames it has. Black or white ones between two shots belong to the first. */
  frames: number
  /** The time in seconds of its first frame, on the file's clock. */
  start: number
  /** When the next shot begins; of the last shot, when its last frame ends. */
  end: number
}

/** What there is to know of {@link FindShotsOptions}. */
export const findShotsTable = {
  ...shotTable,
  start: { ...videoTable.start, help: 'shots from this second on only' },
  end: { ...videoTable.end, help: 'shots before this second only' },
  videoTrack: videoTable.videoTrack,
  ...inputTable(),
  signal,
  onProgress: callback(),
} satisfies OptionTable<FindShotsOptions>

/** Frames after which progress is told. */
const between = 64

/**
 * Finds the shots of a video, in order, as it is decoded: memory does not grow with its length. A shot begins
 *
 * - at a cut: the frame differs from the one before by `threshold`, as the mean over its pixels; or by two fifths of it, where that is four
 *   times as much as the two frames on each side differ. What the camera's movement and a change of the light explain does not count;
 * - after a fade: the first frame that is neither black nor white;
 * - in the middle of a dissolve: where the pictures of some frames are mixtures of those at their two ends, with a share that rises evenly, as a twin comparison finds
 *   and a least-squares fit confirms.
 *
 * A flash is no shot. No model is needed. Leaving the loop ends the decoding at once.
 *
 * @param input - a file, an address, bytes or a stream of anything that ffmpeg reads
 * @throws DiffSalError at the first shot: ERR_DIFFSAL_INVALID_ARGUMENT; ERR_DIFFSAL_FILE and ERR_DIFFSAL_MEDIA for an input that cannot be read or
 * has no video; ERR_DIFFSAL_NO_SPACE; ERR_DIFFSAL_FFMPEG_MISSING
 */
export function findShots(input: VideoInput, options?: FindShotsOptions): AsyncGenerator<Shot, void, undefined> {
  return stoppable(async function* (stop) {
    const checked = readShotOptions(options)
    const signal = anySignal(checked.signal, stop)
    await using opened = await openMedia(input, { ...checked, signal })
    yield* shotsIn(opened.info, { ...checked, signal })
  })
}

/** Reads options. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT */
export function readShotOptions(options: FindShotsOptions | undefined) {
  const checked = readOptions<FindShotsOptions, typeof findShotsTable>('options', options, findShotsTable)
  checkSpan(checked)
  return checked
}

/** As {@link findShots}, of an input that was opened already, and with options that were read. */
export async function* shotsIn(given: MediaInfo, options: ReturnType<typeof readShotOptions>): AsyncGenerator<Shot, void, undefined> {
  const { threshold, fade, flash, dissolve, stallLimit, signal, onProgress } = options
  const info = withVideo(given, 'and shots are of pictures')
  const span = spanOf(options)
  const [from, to] = [span?.start ?? Number.NEGATIVE_INFINITY, span?.end ?? Number.POSITIVE_INFINITY]
  const rate = rationalValue(info.video.rate)
  const frameEstimate = estimateMaps(info, { stride: 1, end: options.end })
  const detector = new ShotDetector(sizeForShots, rate, { threshold, fade, flash, dissolve })
  // Of the frames that may still begin a shot.
  const times = new Map<number, number>()
  let [count, last, shot, start] = [0, 0, 0, 0]
  // The first frame of the part, and the first one after it.
  const none = { frame: Number.POSITIVE_INFINITY, time: 0 }
  let [first, past] = [none, none]
  let found = 0
  /** The next shot, which ends before a frame, as far as it is in the part. */
  const next = function* (until: number, time: number): Generator<Shot> {
    const { frame, how } = detector.starts[shot]!
    const [begin, end] = [Math.max(frame, first.frame), Math.min(until, past.frame)]
    if (begin < end) {
      found += 1
      const cut = frame < begin
      yield { shot, begins: cut ? 'video' : how, frame: begin, frames: end - begin, start: cut ? first.time : start, end: end < until ? past.time : time }
    }
    shot += 1
    start = time
  }
  const begun = function* (): Generator<Shot> {
    while (shot + 1 < detector.starts.length) {
      const { frame } = detector.starts[shot + 1]!
      yield* next(frame, times.get(frame)!)
    }
  }
  for await (const { pixels, time } of readFrames(info, sizeForShots, { stallLimit, signal })) {
    if (count === 0) start = time
    if (first === none && time >= from) first = { frame: count, time }
    if (past === none && time >= to) past = { frame: count, time }
    times.set(count, time)
    detector.add(pixels)
    last = time
    count += 1
    if (count % between === 0) onProgress?.({ frames: count, ...(frameEstimate !== undefined && { frameEstimate }) })
    yield* begun()
    times.delete(detector.decided - 1)
    if (detector.decided >= past.frame) break
  }
  if (detector.decided < past.frame) detector.end()
  yield* begun()
  yield* next(count, last + 1 / rate)
  if (found === 0) throw nothingThere(info, span, { frames: Math.min(count, past.frame) })
}
