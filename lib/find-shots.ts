import { stoppable } from './async/stoppable.ts'
import { callback, readOptions, signal, type OptionTable } from './checks/table.ts'
import { readFrames } from './media/frames.ts'
import { mediaError } from './media/local-file.ts'
import type { VideoInfo } from './media/media-info.ts'
import { probe } from './media/probe.ts'
import { rationalValue } from './media/rational.ts'
import { videoTable } from './predict-video.ts'
import { ShotDetector, sizeForShots, type ShotStart } from './shots/shot-detector.ts'
import { shotTable, type ShotOptions } from './shots/shot-options.ts'

/** How to look for shots. */
export interface FindShotsOptions extends ShotOptions {
  /** Which video track, from 1, of a file with several. Default: the one that the file marks, else the first with more than one picture. */
  videoTrack?: number | undefined
  /** Seconds without a byte from ffmpeg, while one is waited for, after which the file is given up. Default 60. */
  stallLimit?: number | undefined
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
  /** Its number, from 0. */
  shot: number
  /** How it begins: with the video, after another shot without a change between, after frames that are black or white, or in the middle of a dissolve. */
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
  videoTrack: videoTable.videoTrack,
  stallLimit: videoTable.stallLimit,
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
 * @param path - any file that ffmpeg reads
 * @throws DiffSalError at the first shot: ERR_DIFFSAL_INVALID_ARGUMENT; ERR_DIFFSAL_FILE and ERR_DIFFSAL_MEDIA for a file that cannot be read or
 * has no video; ERR_DIFFSAL_FFMPEG_MISSING
 */
export function findShots(path: string, options?: FindShotsOptions): AsyncGenerator<Shot, void, undefined> {
  return stoppable(async function* (stop) {
    const { videoTrack, stallLimit, onProgress, signal: given, ...looks } = readOptions<FindShotsOptions, typeof findShotsTable>('options', options, findShotsTable)
    const signal = given ? AbortSignal.any([given, stop]) : stop
    signal.throwIfAborted()
    const info = await probe(path, { videoTrack, stallLimit, signal })
    const { video } = info
    if (video === null) throw mediaError(path, 'has no video stream, and shots are of pictures')
    yield* shotsOf({ ...info, video }, looks, { stallLimit, signal, onProgress })
  })
}

async function* shotsOf(
  info: VideoInfo,
  looks: ShotOptions,
  { onProgress, ...reading }: Pick<FindShotsOptions, 'stallLimit' | 'signal' | 'onProgress'>,
): AsyncGenerator<Shot, void, undefined> {
  const rate = rationalValue(info.video.rate)
  const { frameEstimate } = info.video
  const detector = new ShotDetector(sizeForShots, rate, looks)
  // Of the frames that may still begin a shot.
  const times = new Map<number, number>()
  let [count, last, given, start] = [0, 0, 0, 0]
  const begun = function* (): Generator<Shot> {
    for (; given + 1 < detector.starts.length; given++) {
      const [one, next] = [detector.starts[given]!, detector.starts[given + 1]!]
      const end = times.get(next.frame)!
      yield { shot: given, begins: one.how, frame: one.frame, frames: next.frame - one.frame, start, end }
      start = end
    }
  }
  for await (const { pixels, time } of readFrames(info, sizeForShots, reading)) {
    if (count === 0) start = time
    times.set(count, time)
    detector.add(pixels)
    last = time
    count += 1
    if (count % between === 0) onProgress?.({ frames: count, ...(frameEstimate !== undefined && { frameEstimate }) })
    yield* begun()
    times.delete(detector.decided - 1)
  }
  detector.end()
  yield* begun()
  const { frame, how } = detector.starts[given]!
  yield { shot: given, begins: how, frame, frames: count - frame, start, end: last + 1 / rate }
}
