import { anySignal } from './async/abort.ts'
import { startAhead } from './async/start-ahead.ts'
import { stoppable } from './async/stoppable.ts'
import { priorityOption } from './checks/priority.ts'
import { callback, integer, number, readOptions, signal, yes, type OptionTable, type Read } from './checks/table.ts'
import { invalidArgument, invalidArgumentText } from './errors.ts'
import type { AudioExcerpt } from './inputs.ts'
import { log } from './log.ts'
import { clipBatches, FrameWindow, reachOf, SoundWindow, type ClipBatch, type ClipPlan, type FrameMark } from './media/clip-windows.ts'
import { readFrames } from './media/frames.ts'
import { mediaError } from './media/local-file.ts'
import type { MediaInfo } from './media/media-info.ts'
import { openMedia } from './media/open-media.ts'
import type { Span } from './media/opened.ts'
import { rationalValue, type Rational } from './media/rational.ts'
import { readSound } from './media/sound.ts'
import { sourceOf, type SourceInfo } from './media/source-info.ts'
import { defaultSpoolLimit } from './media/spool.ts'
import { defaultStallLimit } from './media/stall-watch.ts'
import type { VideoInput } from './media/video-input.ts'
import { checkParts, mirrorOption, samplingTable, type Prediction } from './predict.ts'
import { partOf } from './prediction-parts.ts'
import { drawSeed, seedOption } from './random/seed.ts'
import { ShotDetector, sizeForShots } from './shots/shot-detector.ts'
import { shotsOption, type ShotOptions } from './shots/shot-options.ts'
import type { Tensor } from './tensor.ts'

/** What {@link predictVideo} asks of a model; `DiffSal` has it. */
export interface Predictor {
  readonly config: {
    /** [height, width] of the frames and the maps. */
    readonly size: readonly [number, number]
    /** Frames in a window. */
    readonly clipLength: number
    /** Whether the model sees. */
    readonly video: boolean
    /** Whether the model hears. */
    readonly audio: boolean
    /** Seconds by which gaze comes after the picture. Default 0. */
    readonly gazeDelay?: number
  }
  predict(
    input: { frames?: Tensor<'uint8'>; audio?: AudioExcerpt[] | null },
    options: {
      steps?: number
      eta?: number
      seed?: number[]
      priority?: 'high' | 'normal' | 'low'
      signal?: AbortSignal
      onProgress?: (progress: { step: number; steps: number }) => void
      estimates?: boolean
      uncertainty?: number
      activity?: boolean
      mirror?: boolean
    },
  ): Promise<Tensor<'float32'> | Prediction>
}

/** How to predict a video. */
export interface PredictVideoOptions {
  /** A map for every stride-th frame: 0, stride, 2 · stride, …; with `start`, from the first frame there. Default 1. */
  stride?: number | undefined
  /** Maps of frames from this second on, as `time` counts them. The frames before are seen where a map needs them. Default: from the first. */
  start?: number | undefined
  /** Maps of frames before this second only. The frames after are seen where a map needs them. Default: to the last. */
  end?: number | undefined
  /** How many windows are predicted together. Default 1. */
  batch?: number | undefined
  /** Predict from the frames alone, though the model can hear. Default false. */
  videoOnly?: boolean | undefined
  /** Denoising steps, as of `predict`. Default: the model's. */
  steps?: number | undefined
  /** Randomness of the sampling, 0 to 1, as of `predict`. Default 0. */
  eta?: number | undefined
  /** Decides the noise, 0 to 2^32 - 1: the same for every frame, so that maps do not flicker. Default: drawn once for the video. */
  seed?: number | undefined
  /** Give every denoising step's estimate of the clean map too; not together with `uncertainty`. Default false. */
  estimates?: boolean | undefined
  /**
   * Sample each frame this many times, 2 to 1000, from `seed`, `seed` + 1, …, of features that are encoded once: the map is the samples'
   * mean, and each pixel's deviation over them comes with it. Denoising takes as many times as long, encoding does not. Default: once.
   */
  uncertainty?: number | undefined
  /** Give each MAM stage's activity too, as of `predict`; not together with `uncertainty` or `videoOnly`. Default false. */
  activity?: boolean | undefined
  /**
   * Predict each window mirrored, too, as of `predict`: the map is the mean of both. Takes twice as long; not together with `estimates`,
   * `uncertainty` or `activity`. Default false.
   */
  mirror?: boolean | undefined
  /**
   * When the turn of its batches comes among the calls that wait for the model, as of `predict`: `low` lets every other call go before the rest of
   * the video. Default `normal`.
   */
  priority?: 'high' | 'normal' | 'low' | undefined
  /**
   * Look for the shots of the video, and let no window mix two of them: frames of another shot are replaced by the nearest of the frame's
   * own, as at the video's ends. The sound is not cut. `true`, or how to look. Default false.
   */
  shots?: boolean | ShotOptions | undefined
  /** Which video track, from 1, of a file with several. Default: the one that the file marks, else the first with more than one picture. */
  videoTrack?: number | undefined
  /** Which sound track, from 1, of a file with several. Default: the one that the file marks, else the first. */
  audioTrack?: number | undefined
  /** Seconds without a byte from ffmpeg, an address or a stream, while one is waited for, after which the input is given up. Default 60. */
  stallLimit?: number | undefined
  /** Whether `http:` and `https:` addresses are read; else they are refused. Default true. */
  network?: boolean | undefined
  /** The most bytes of an address, of bytes or of a stream that are written to a temporary file. Default 4294967296, 4 GiB. */
  spoolLimit?: number | undefined
  /** Stops the prediction and its decoding; the pending map rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Called after every denoising step. */
  onProgress?: ((progress: VideoProgress) => void) | undefined
}

/** How far a video is. */
export interface VideoProgress {
  /** Maps that are finished. */
  maps: number
  /** About how many there will be, where the file tells. */
  mapEstimate?: number
  /** The denoising step of the batch at work, from 1. */
  step: number
  /** How many steps a batch takes. */
  steps: number
}

/** The map of one frame. */
export interface VideoMap {
  /** The frame's number, from 0. Every frame that the file shows counts, however long it is shown. */
  frame: number
  /** Its own time in seconds on the file's clock, whose 0 is where the first of picture and sound begins, as in players. */
  time: number
  /** With `shots`: the number of the frame's shot, from 0. */
  shot?: number
  /** [height, width] of the file's frames in pixels, as they are shown; of sound alone, the map's. What `maps` takes as `size`. */
  size: readonly [number, number]
  /** What the file says of itself: size, frame rate, duration and rotation. The same object in every map. */
  source: SourceInfo
  /** float32 (1, 1, H, W) at the model's size, values 0 to 1; with `uncertainty`, the mean of the samples. */
  tensor: Tensor<'float32'>
  /** With `estimates`: float32 (steps, 1, 1, H, W), the estimate at each denoising step, the first step first; the last is the map. */
  estimates?: Tensor<'float32'>
  /** With `uncertainty`: float32 (1, 1, H, W), each pixel's population deviation over the samples, √(Σ (m − mean)² / K). */
  uncertainty?: Tensor<'float32'>
  /** With `activity`: one tensor a MAM stage, coarse to fine, float32 (1, C_i, H / 2^i, W / 2^i) for i = 5, 4, 3, 2, as of `predict`. */
  activity?: Tensor<'float32'>[]
}

/** A map with the times of the frames that it stands for. */
export interface TimedMap extends VideoMap {
  /** The times in seconds of all frames after the map before, up to this one's. */
  times: readonly number[]
  /** With `shots`: what is known of the same frames. */
  readonly marks?: readonly FrameMark[]
}

/** What a finished video was. */
export interface VideoSummary {
  /** How many frames it has; with `end`, up to there. */
  frames: number
  /** The times in seconds of the frames after the last map's. */
  times: readonly number[]
  /** With `shots`: what is known of the same frames. */
  readonly marks?: readonly FrameMark[]
}

/** Where there is no video, a model of sound alone makes this many maps a second. */
const rateOfSound: Rational = { num: 25, den: 1 }

/**
 * Batches that a model is given at once: it goes on with the next, whose inputs have been brought to it meanwhile, as soon as one is
 * done.
 */
const callsAtOnce = 2

/** The options of all that read a video. */
export function inputTable() {
  return {
    stallLimit: {
      ...number(0.001, 86_400, {
        usual: defaultStallLimit,
        help: 'how long to wait for a byte from ffmpeg, an address or standard input before the input is given up',
      }),
      form: '<seconds>',
    },
    network: yes({ usual: true }),
    spoolLimit: {
      ...integer(1, undefined, { usual: defaultSpoolLimit, help: 'the most bytes of an address or of standard input that are written to a temporary file' }),
      form: '<bytes>',
    },
  }
}

/** What there is to know of {@link PredictVideoOptions}. */
export const videoTable = {
  ...samplingTable(),
  stride: integer(1, undefined, { usual: 1, help: 'predict every n-th frame; videos interpolate between them' }),
  batch: integer(1, 1024, { usual: 1, help: 'windows that are predicted together' }),
  start: { ...number(0, 1e9, { help: 'maps from this second on only' }), form: '<seconds>' },
  end: { ...number(0, 1e9, { help: 'maps before this second only' }), form: '<seconds>' },
  videoOnly: yes({ usual: false, help: 'leave the sound out' }),
  seed: seedOption({ help: 'decides the noise, the same for every frame' }),
  estimates: yes({ usual: false }),
  uncertainty: integer(2, 1000),
  activity: yes({ usual: false }),
  mirror: mirrorOption,
  priority: priorityOption,
  shots: shotsOption({ usual: false, help: 'let no window of frames mix two shots of the video' }),
  videoTrack: integer(1, undefined, { help: 'of several video tracks the n-th' }),
  audioTrack: integer(1, undefined, { help: 'of several sound tracks the n-th' }),
  ...inputTable(),
  signal,
  onProgress: callback(),
} satisfies OptionTable<PredictVideoOptions>

/**
 * Predicts the saliency maps of a video, in order, as it is decoded: memory does not grow with its length. The
 * model has two batches at a time, and one more is read ahead. Every frame gets a map (every `stride`-th one); the window of frame k is
 * k − 8 … k + 7 for clips of 16, with the edge frames repeated; with `config.gazeDelay`, that of the earliest frame of the last
 * so many seconds. Where frames come at uneven times, the window has the frames as they are counted, and the sound around frame k's own time, as long as 16 frames last on the average.
 *
 * A model that hears gets silence (and a warning is logged) where the file has no sound. A model of sound alone also takes a file
 * without video, at 25 maps a second. Leaving the loop ends the decoding at once.
 *
 * @throws DiffSalError, at the first map: ERR_DIFFSAL_INVALID_ARGUMENT; ERR_DIFFSAL_FILE and ERR_DIFFSAL_MEDIA for an input that cannot be
 * read or is no video; ERR_DIFFSAL_FFMPEG_MISSING; and what `predict` throws.
 * @param ending - ends it as `options.signal` does: the model's own end
 */
export function predictVideo(
  model: Predictor,
  input: VideoInput,
  options?: PredictVideoOptions,
  ending?: AbortSignal,
): AsyncGenerator<VideoMap, void, undefined> {
  return stoppable(async function* (stop) {
    const checked = readVideoOptions(model, options)
    const signal = anySignal(checked.signal, ending, stop)
    signal.throwIfAborted()
    await using opened = await openMedia(input, { ...checked, signal })
    for await (const { times: _, marks: __, ...map } of predictFrames(model, opened.info, { ...checked, signal })) yield map
  })
}

/** As {@link predictVideo}, of an input that was opened already, and with options that were read. At last it gives the number of frames. */
export function predictMedia(model: Predictor, info: MediaInfo, options: ReadVideoOptions): AsyncGenerator<TimedMap, VideoSummary | void, undefined> {
  return stoppable(async function* (stop) {
    const signal = anySignal(options.signal, stop)
    signal.throwIfAborted()
    return yield* predictFrames(model, info, { ...options, signal })
  })
}

/** The rate at which a file's maps come: the video's, on the average, or 25 a second for sound alone. */
export function mapRate(info: MediaInfo): Rational {
  return info.video?.rate ?? rateOfSound
}

/** About how many maps a file gives, where it tells. */
export function estimateMaps(info: MediaInfo, { stride = 1, start, end }: Pick<PredictVideoOptions, 'stride' | 'start' | 'end'>): number | undefined {
  const rate = rationalValue(mapRate(info))
  const frames = info.video ? info.video.frameEstimate : info.duration && Math.ceil(info.duration * rate)
  if (frames === undefined) return undefined
  const within =
    start === undefined && end === undefined
      ? frames
      : Math.max(0, Math.min(frames, Math.ceil((end ?? Number.POSITIVE_INFINITY) * rate)) - Math.ceil((start ?? 0) * rate))
  return Math.ceil(within / stride)
}

/** The part of a file that is asked for, where one is. */
export function spanOf({ start, end }: Pick<PredictVideoOptions, 'start' | 'end'>): Span | undefined {
  if (start === undefined && end === undefined) return undefined
  return { start: start ?? Number.NEGATIVE_INFINITY, end: end ?? Number.POSITIVE_INFINITY }
}

/** Options that were read: what has a default is there. */
export type ReadVideoOptions = PredictVideoOptions & Omit<Read<object, typeof videoTable>, 'estimates'>

/** Reads options, for a model. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT */
export function readVideoOptions(model: Predictor, options: PredictVideoOptions | undefined): ReadVideoOptions {
  return checkTogether(model, readOptions<PredictVideoOptions, typeof videoTable>('options', options, videoTable))
}

/** Refuses options that were read but do not go with each other, or with the model. */
export function checkTogether<Given extends PredictVideoOptions>(model: Predictor, given: Given): Given {
  if (given.videoOnly && !model.config.video) throw invalidArgument('videoOnly', 'false for a model of sound alone', true)
  checkSpan(given)
  if (given.activity && given.videoOnly) throw invalidArgument('activity', "false where 'videoOnly' is asked for", true)
  checkParts(given, model.config)
  return given
}

/** Refuses a part of a file that ends before it begins. */
export function checkSpan({ start, end }: Pick<PredictVideoOptions, 'start' | 'end'>): void {
  if (start !== undefined && end !== undefined && start >= end) throw invalidArgument('end', `above 'start', ${start}`, end)
}

/** What to read of a file for a model, or why it cannot be predicted. */
function planInput({ config }: Predictor, info: MediaInfo, videoOnly: boolean): Pick<ClipPlan, 'video' | 'audio'> {
  const audio = config.audio && !videoOnly
  if (config.video && info.video === null) throw mediaError(info.path, 'has no video stream, which the model needs')
  if (!config.video && info.audio === null) {
    throw mediaError(info.path, 'has no sound, and the model hears only: there is nothing to predict from')
  }
  // A picture in a file of its own: nobody looks for sound in it.
  if (audio && info.audio === null && !/_pipe$/.test(info.format)) {
    log('warn', `'${info.path}' has no sound: the maps are predicted with silence. Use videoOnly (--video-only) to leave sound out.`)
  }
  return { video: config.video, audio }
}

async function* predictFrames(
  model: Predictor,
  info: MediaInfo,
  options: ReadVideoOptions & { signal: AbortSignal },
): AsyncGenerator<TimedMap, VideoSummary, undefined> {
  const { stride, batch, videoOnly, steps, eta, seed = drawSeed(), estimates, uncertainty, activity, mirror, priority, shots, stallLimit, onProgress } = options
  const { size, clipLength, gazeDelay = 0 } = model.config
  const wants = planInput(model, info, videoOnly)
  // Ends the decoding, whichever way this function is left.
  const reading = new AbortController()
  const signal = AbortSignal.any([options.signal, reading.signal])
  const { video, audio } = info
  const rate = mapRate(info)
  const reach = reachOf(clipLength, gazeDelay, rate)
  const frameSize = wants.video ? size : shots ? sizeForShots : ([2, 2] as const)
  const detector = shots && video ? new ShotDetector(frameSize, rationalValue(rate), shots === true ? {} : shots) : undefined
  const frames = video
    ? new FrameWindow(readFrames({ ...info, video }, frameSize, { minimum: wants.video ? 2 : 1, stallLimit, signal }), frameSize, reach, detector)
    : undefined
  const sound = wants.audio && audio ? new SoundWindow(readSound({ ...info, audio }, { stallLimit, signal })) : undefined
  const mapEstimate = estimateMaps(info, options)
  const span = spanOf(options)
  const source = sourceOf(info, rationalValue(rateOfSound))
  const batches = clipBatches({ frames, sound, rate }, { ...wants, clipLength, gazeDelay, stride, batch, span })
  let begun = 0
  const predict = async ({ frames: indices, times, marks, clips, audio: excerpts }: ClipBatch) => {
    const before = begun
    begun += indices.length
    const predicted = await model.predict(
      { ...(clips && { frames: clips }), ...(model.config.audio && { audio: excerpts?.map((one) => ({ ...one, fps: rationalValue(rate) })) ?? null }) },
      {
        ...(steps !== undefined && { steps }),
        eta,
        ...(estimates && { estimates }),
        ...(uncertainty !== undefined && { uncertainty }),
        ...(activity && { activity }),
        ...(mirror && { mirror }),
        priority,
        seed: indices.map(() => seed),
        signal,
        ...(onProgress && {
          onProgress: (progress) => onProgress({ maps: before, ...(mapEstimate !== undefined && { mapEstimate }), step: progress.step, steps: progress.steps }),
        }),
      },
    )
    return { indices, times, marks, predicted: 'map' in predicted ? predicted : { map: predicted } }
  }
  const results = startAhead(batches, predict, { most: callsAtOnce, leaving: reading })
  const shown = video ? ([video.height, video.width] as const) : size
  let maps = 0
  try {
    for (;;) {
      const next = await results.next()
      options.signal.throwIfAborted()
      if (next.done) {
        if (maps === 0) throw nothingThere(info, span, next.value)
        return next.value
      }
      const { indices, times, marks, predicted } = next.value
      for (const [at, frame] of indices.entries()) {
        options.signal.throwIfAborted()
        maps += 1
        const passed = times[at]!
        const marked = marks && { shot: marks[at]!.at(-1)!.shot, marks: marks[at]! }
        yield { frame, time: passed.at(-1)!, times: passed, ...marked, size: shown, source, ...partOf(predicted, at) }
      }
    }
  } finally {
    reading.abort()
    await results.return({ frames: 0, times: [] })
    await batches.return({ frames: 0, times: [] })
    await Promise.all([frames?.close(), sound?.close()])
  }
}

/** The error for a file, or a part of it, without a frame. `frames` is how many there are up to the part's end. */
export function nothingThere({ path }: MediaInfo, span: Span | undefined, { frames }: Pick<VideoSummary, 'frames'>): Error {
  if (span === undefined || frames === 0) return mediaError(path, 'has nothing to predict from: it gave no frame and no sound')
  const [name, value] = span.start === Number.NEGATIVE_INFINITY ? ['end', span.end] : ['start', span.start]
  return invalidArgumentText(name, `of a part that has frames in it`, `${value} s of '${path}', which has ${frames} frames up to there,`)
}
