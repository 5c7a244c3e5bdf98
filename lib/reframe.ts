import { anySignal } from './async/abort.ts'
import { checkInteger, checkList, checkNumber, reading } from './checks/options.ts'
import { integer, number, readOptions, type Option, type OptionTable } from './checks/table.ts'
import { invalidArgument } from './errors.ts'
import { mediaError } from './media/local-file.ts'
import type { FrameMark } from './media/clip-windows.ts'
import type { MediaInfo, VideoStream } from './media/media-info.ts'
import { withMedia, withVideo } from './media/open-media.ts'
import { rationalValue } from './media/rational.ts'
import type { VideoInput } from './media/video-input.ts'
import { checkSpan, checkTogether, predictMedia, videoTable, type Predictor, type PredictVideoOptions } from './predict-video.ts'
import { cameraPath, type Sight } from './reframe/camera.ts'
import { cropSize, type CropSize } from './reframe/crop-size.ts'
import type { ReframedFrame, Reframing } from './reframe/reframing.ts'
import { shotsOption, type ShotOptions } from './shots/shot-options.ts'

/** How to reframe a video. */
export interface ReframeOptions extends Omit<PredictVideoOptions, 'estimates' | 'uncertainty' | 'shots'> {
  /** A map for every stride-th frame; between two the window moves on smoothly. Default: about five maps a second. */
  stride?: number | undefined
  /** Width / height of the window as it is shown, 0.01 to 100; or `'9:16'`. Default 9 / 16, a telephone held upright. */
  aspect?: number | string | undefined
  /** The share of what it could hold of a map at most that the window shall hold, 0 to 1: with less it moves less. Maps count by their squares. Default 0.95. */
  keep?: number | undefined
  /** How fast the window may move: its own lengths a second, 0.001 to 100. Default 1. */
  speed?: number | undefined
  /** How much its speed may change in a second, in the same, 0.001 to 1000. Default 2. */
  acceleration?: number | undefined
  /** How to look for shots, in each of which the window begins anew; false: the video is one. Default true. */
  shots?: boolean | ShotOptions | undefined
}

/** A width and a height, `9:16`, or their ratio. */
const aspect = {
  usual: 9 / 16,
  form: '<w:h>',
  help: "the window's width and height as it is shown, such as 9:16, 1:1 or 4:5",
  read: (text: string): unknown => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text),
  check: (argument: string, value: unknown): number => aspectOf(argument, value),
} satisfies Option<number | string>

const { estimates: _, uncertainty: __, shots: ___, ...ofVideos } = videoTable

/** What there is to know of {@link ReframeOptions}. */
export const reframeTable = {
  ...ofVideos,
  stride: integer(1, undefined, { help: 'predict every n-th frame; between them the window moves on smoothly' }),
  aspect,
  keep: number(0, 1, { usual: 0.95, help: 'the share of what it could hold of a map that the window shall hold' }),
  speed: number(0.001, 100, { usual: 1, help: 'how fast the window may move, in its own lengths a second' }),
  acceleration: number(0.001, 1000, { usual: 2, help: 'how much its speed may change in a second' }),
  shots: shotsOption({ usual: true, help: 'how to look for shots' }),
} satisfies OptionTable<ReframeOptions>

/** Maps a second where nothing is said. */
const usualMaps = 5

/** The sums of a map are kept as so many numbers. */
const kept = 96

/**
 * Finds the window that follows what people look at in a video, frame by frame: as large as the frame allows, moving one way. Over each
 * shot its path is found at once, as the one that loses least of the maps' squares and moves least; within `speed` and `acceleration`, and without
 * jitter. A shot begins anywhere, since the one before is over. In a shot that is shorter than the stride and has no map, it is in the middle.
 *
 * The video is read once. Of each frame some numbers are kept, of each map a hundred. Of a part of it (`start`, `end`) the window of the part's
 * frames is found, and nothing that is outside pulls at it.
 *
 * @param ending - ends it as `options.signal` does: the model's own end
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, for an aspect that leaves no window of 16 pixels too; and what `predictVideo` throws
 */
export async function reframe(model: Predictor, input: VideoInput, options?: ReframeOptions, ending?: AbortSignal): Promise<Reframing> {
  const checked = readReframeOptions(model, options)
  const signal = anySignal(checked.signal, ending)
  return withMedia(input, { ...checked, signal }, (info) => reframeMedia(model, info, { ...checked, signal }))
}

/** Options that were read. */
export type ReadReframeOptions = ReturnType<typeof readReframeOptions>

/** Reads options, for a model. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT */
export function readReframeOptions(model: Predictor, options: ReframeOptions | undefined) {
  return checkTogether(model, readOptions<ReframeOptions, typeof reframeTable>('options', options, reframeTable))
}

/** As {@link reframe}, of an input that was opened already, and with options that were read. */
export async function reframeMedia(model: Predictor, given: MediaInfo, options: ReadReframeOptions): Promise<Reframing> {
  const { aspect, keep, speed, acceleration, stride, ...predicting } = options
  const info = withVideo(given, 'of which a window could be cut')
  const { video } = info
  const crop = cropSize(video, aspectOf('aspect', aspect))
  const path = new ShotPaths(crop, { keep, speed, acceleration })
  const maps = predictMedia(model, info, { ...predicting, stride: stride ?? usualStride(video) })
  try {
    for (;;) {
      const next = await maps.next()
      if (next.value === undefined) break
      const { times, marks } = next.value
      if (!next.done) path.begin(next.value.frame - times.length + 1)
      path.pass(times, marks)
      if (next.done) break
      const [, , height, width] = next.value.tensor.shape as [number, number, number, number]
      path.see(next.value.time, sumsOf(next.value.tensor.data, height, width, crop.across))
    }
  } finally {
    await maps.return(undefined)
  }
  const frames = path.end()
  const { start, end } = options
  const part = start !== undefined || end !== undefined
  if (frames.length < 2)
    throw mediaError(info.path, `has only one frame${part ? ' in that part' : ''}, in which there is nothing to follow; crop it as a picture`)
  return { size: crop.frame, window: crop.window, ...(start !== undefined && { start }), ...(end !== undefined && { end }), frames }
}

/** Every how many-th frame is predicted where nothing is said. */
export function usualStride({ rate }: VideoStream): number {
  return Math.max(1, Math.round(rationalValue(rate) / usualMaps))
}

/** A ratio of width and height, told as a number or as two. */
export function aspectOf(argument: string, value: unknown): number {
  const parts = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*[:/x×]\s*(\d+(?:\.\d+)?)\s*$/.exec(value) : null
  const ratio = parts ? Number(parts[1]) / Number(parts[2]) : value
  if (typeof ratio === 'number' && ratio >= 0.01 && ratio <= 100) return ratio
  throw invalidArgument(argument, "width / height, 0.01 to 100, or two numbers such as '9:16'", value)
}

/**
 * The sums of a map's squares along the way of the window, some together where there are many. Of the map itself most lies in the faint expanse about
 * what people look at, which any window holds alike: by its squares a face outweighs that.
 */
function sumsOf(data: Float32Array, height: number, width: number, across: boolean): Float32Array {
  const length = across ? width : height
  const sums = new Float32Array(Math.min(length, kept))
  let whole = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = data[y * width + x]! ** 2
      sums[Math.floor(((across ? x : y) * sums.length) / length)]! += value
      whole += value
    }
  }
  return whole > 0 ? sums.map((sum) => sum / whole) : sums
}

/** Takes a video's frames and maps in order, and makes a path of each shot when it is over. */
class ShotPaths {
  readonly #crop: CropSize
  readonly #limits: { readonly keep: number; readonly speed: number; readonly acceleration: number }
  readonly #frames: ReframedFrame[] = []
  /** The number of the first. */
  #first: number | undefined
  /** The times of the shot at work, and what was seen in it. */
  #times: number[] = []
  #sights: Sight[] = []
  #shot = 0

  constructor(crop: CropSize, limits: { readonly keep: number; readonly speed: number; readonly acceleration: number }) {
    this.#crop = crop
    this.#limits = limits
  }

  /** Tells the number of the first frame; later calls change nothing. */
  begin(frame: number): void {
    this.#first ??= frame
  }

  /** The next frames. */
  pass(times: readonly number[], marks: readonly FrameMark[] | undefined): void {
    for (const [i, time] of times.entries()) {
      const shot = marks?.[i]?.shot ?? 0
      if (shot !== this.#shot) this.#finish()
      this.#shot = shot
      this.#times.push(time)
    }
  }

  /** What there is to see in the last of them. */
  see(time: number, sums: Float32Array): void {
    this.#sights.push({ time, sums })
  }

  end(): ReframedFrame[] {
    this.#finish()
    return this.#frames
  }

  #finish(): void {
    const times = this.#times
    if (times.length === 0) return
    const { frame, window, across } = this.#crop
    const along = across ? 1 : 0
    const path = cameraPath(this.#sights, [times[0]!, times.at(-1)!], frame[along], window[along], this.#limits)
    for (const time of times) {
      const at = path(time)
      this.#frames.push({ frame: (this.#first ?? 0) + this.#frames.length, time, shot: this.#shot, x: across ? at : 0, y: across ? 0 : at })
    }
    this.#times = []
    this.#sights = []
  }
}

/** Windows as somebody gives them: a copy that can be cut. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT */
export function checkReframing(argument: string, given: Reframing): Reframing {
  return reading(argument, 'what reframe() gave', () => {
    const { size, window, start, end, frames } = (given ?? {}) as Reframing
    const pair = (name: string, value: unknown): [number, number] => {
      const [height, width] = checkList(`${argument}.${name}`, value, '[height, width]', 2, 2) as number[]
      for (const one of [height, width])
        if (!Number.isInteger(one) || one! < 1 || one! > 65_536)
          throw invalidArgument(`${argument}.${name}`, '[height, width], whole numbers of pixels', [height, width])
      return [height!, width!]
    }
    const [frame, cut] = [pair('size', size), pair('window', window)]
    for (const i of [0, 1] as const) {
      if (cut[i] % 2 !== 0 || cut[i] > frame[i])
        throw invalidArgument(`${argument}.window`, `[height, width], even and within the frame's ${frame[0]} × ${frame[1]}`, cut)
    }
    const span: { start?: number; end?: number } = {}
    if (start !== undefined) span.start = checkNumber(`${argument}.start`, start, 0, 1e9)
    if (end !== undefined) span.end = checkNumber(`${argument}.end`, end, 0, 1e9)
    checkSpan(span)
    let first = 0
    const copies = checkList(`${argument}.frames`, frames, 'a list of places, one a frame', 1, 1 << 26).map((one, i): ReframedFrame => {
      const { frame: number, time, shot, x, y } = (one ?? {}) as ReframedFrame
      const name = `${argument}.frames[${i}]`
      // A part begins where it begins.
      if (i === 0 && span.start !== undefined) first = checkInteger(`${name}.frame`, number, 0)
      if (number !== first + i) throw invalidArgument(`${name}.frame`, `${first + i}: one place a frame, in order`, number)
      checkNumber(`${name}.time`, time, -1e9, 1e9)
      checkInteger(`${name}.shot`, shot, 0)
      // So that the window is in the frame.
      checkNumber(`${name}.x`, x, 0, frame[1] - cut[1])
      checkNumber(`${name}.y`, y, 0, frame[0] - cut[0])
      return { frame: number, time, shot, x, y }
    })
    return { size: frame, window: cut, ...span, frames: copies }
  })
}
