import { callback, integer, number, readOptions, signal, type OptionTable } from './checks/table.ts'
import type { DiffSalConfig } from './config.ts'
import { DiffSalError } from './errors.ts'
import { clipBatches, FrameWindow, SoundWindow } from './media/clip-windows.ts'
import { readFrames } from './media/frames.ts'
import { mediaError } from './media/local-file.ts'
import type { MediaInfo } from './media/media-info.ts'
import { withMedia } from './media/open-media.ts'
import { rationalValue } from './media/rational.ts'
import { readSound, soundRate } from './media/sound.ts'
import type { VideoInput } from './media/video-input.ts'
import { cc, kl } from './metrics/metrics.ts'
import { checkSpan, estimateMaps, inputTable, mapRate, nothingThere, spanOf, videoTable, type Predictor } from './predict-video.ts'
import { Random } from './random/random.ts'
import { drawSeed, maxSeed } from './random/seed.ts'
import { samplingTable } from './predict.ts'
import type { Tensor } from './tensor.ts'

/** How to find out whether a model uses a video's sound. */
export interface ListenOptions {
  /** How many frames are looked at, evenly spaced, 2 to 1000. Default 12. */
  frames?: number | undefined
  /** How many seconds too early the `shifted` sound comes, 0.1 to 3600; half the video's length at most. Default 1. */
  shift?: number | undefined
  /** Look at frames from this second on only. Their sound, the shifted one too, is the whole video's. Default: from the first. */
  start?: number | undefined
  /** Look at frames before this second only. Default: to the last. */
  end?: number | undefined
  /** Denoising steps, as of `predict`. Default: the model's. */
  steps?: number | undefined
  /** Randomness of the sampling, 0 to 1, as of `predict`. Default 0. */
  eta?: number | undefined
  /** Decides the noise, the same for all maps that are compared, and the order of the shuffled sounds. The yardstick has the next one. Default: drawn. */
  seed?: number | undefined
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
  /** Stops it; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Called after every map. */
  onProgress?: ((progress: ListenProgress) => void) | undefined
}

/** How far it is. */
export interface ListenProgress {
  /** Maps that are finished. */
  maps: number
  /** How many there will be. */
  total: number
}

/**
 * What a frame is heard with: `right` is its own sound; `silence`; `shuffled` the sound of another of the frames that are looked at; `shifted` the sound of some time
 * later, at the end of the video that of its beginning; `otherSeed` its own again, from other noise.
 */
export type HeardWith = 'right' | 'silence' | 'shuffled' | 'shifted' | 'otherSeed'

/** How far maps are from those with the right sound. */
export interface MapChange {
  /** The mean over the frames of the correlation of the two maps; 1 is no change. */
  readonly cc: number
  /** The mean over the frames of the divergence of the map from the one with the right sound; 0 is no change. */
  readonly kl: number
  /** 1 − CC over the other seed's: how many times the noise's change. Infinity where that is 0. */
  readonly timesNoise: number
}

/** A frame that was looked at. */
export interface ListenedFrame {
  /** Its number, from 0. */
  readonly frame: number
  /** Its time in seconds. */
  readonly time: number
  /** The frame at the model's size, uint8 (H, W, 3). Left out where the model does not see. */
  readonly picture?: Tensor<'uint8'> | undefined
  /** Its maps, float32 (1, 1, H, W). */
  readonly maps: Readonly<Record<HeardWith, Tensor<'float32'>>>
}

/** Whether a model used the sound of a video. */
export interface Listening {
  /** By the rule of `model.listen`. */
  readonly hears: boolean
  /** The same in words. */
  readonly verdict: 'hears' | 'does not hear'
  /** The wrong sounds that the map changed with, of which one is enough. */
  readonly changedBy: readonly ('silence' | 'shuffled' | 'shifted')[]
  /** How far each took the map. `otherSeed` is the yardstick. */
  readonly changes: Readonly<Record<Exclude<HeardWith, 'right'>, MapChange>>
  /** The seed of the maps; the yardstick's is one more. */
  readonly seed: number
  /** By how many seconds the shifted sound was early. */
  readonly shift: number
  /** Each frame that was looked at. */
  readonly frames: readonly ListenedFrame[]
}

/** What {@link listen} asks of a model; `DiffSal` has it. */
export interface Listener {
  readonly config: Pick<DiffSalConfig, 'size' | 'clipLength' | 'video' | 'audio'>
  predict: Predictor['predict']
}

/** The rule: how many times the noise's change a wrong sound's must be, and below which correlation the map must come at all. */
export const hearingRule = { timesNoise: 2, leastChange: 0.001 } as const

/** What there is to know of {@link ListenOptions}. */
export const listenTable = {
  frames: integer(2, 1000, { usual: 12, help: 'how many frames are looked at, evenly spaced' }),
  shift: { ...number(0.1, 3600, { usual: 1, help: 'how early the shifted sound comes' }), form: '<seconds>' },
  start: { ...videoTable.start, help: 'look at frames from this second on only' },
  end: { ...videoTable.end, help: 'look at frames before this second only' },
  ...samplingTable(),
  seed: videoTable.seed,
  videoTrack: videoTable.videoTrack,
  audioTrack: videoTable.audioTrack,
  ...inputTable(),
  signal,
  onProgress: callback(),
} satisfies OptionTable<ListenOptions>

/** A clip with the sounds that it is heard with. */
interface Clip {
  readonly frame: number
  readonly time: number
  readonly frames?: Tensor<'uint8'>
  readonly sound: Float32Array
}

const wrong = ['silence', 'shuffled', 'shifted'] as const

/** `DiffSal.listen`, which tells the rule. */
export async function listen(model: Listener, input: VideoInput, given?: ListenOptions, ending?: AbortSignal): Promise<Listening> {
  const options = readListenOptions(model, given)
  const signal = AbortSignal.any([options.signal, ending].filter((each) => each !== undefined))
  return withMedia(input, { ...options, signal }, (info) => listenTo(model, info, { ...options, signal }))
}

/** Reads options, for a model. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, for one that does not hear too */
export function readListenOptions(model: Listener, given: ListenOptions | undefined) {
  const options = readOptions<ListenOptions, typeof listenTable>('options', given, listenTable)
  checkSpan(options)
  if (model.config.audio) return options
  throw new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', 'This model sees only, so that there is nothing to find out: it does not hear.', { argument: 'model' })
}

/** As {@link listen}, of an input that was opened already, and with options that were read. */
export async function listenTo(
  model: Listener,
  info: MediaInfo,
  options: ReturnType<typeof readListenOptions> & { readonly signal: AbortSignal },
): Promise<Listening> {
  const { steps, eta, seed = drawSeed(), signal, onProgress } = options
  if (model.config.video && info.video === null) throw mediaError(info.path, 'has no video stream, which the model needs')
  if (info.audio === null) throw mediaError(info.path, 'has no sound, so that there is nothing to hear in it')
  // Whichever way this is left, nothing is decoded on.
  const reading = new AbortController()
  try {
    const all = AbortSignal.any([signal, reading.signal])
    const clips = await readClips(model, info, options.frames, { ...options, signal: all })
    if (clips.length < 2) throw mediaError(info.path, `is too short to compare its sounds: it has one frame${spanOf(options) ? ' in that part' : ''}`)
    const shift = Math.min(options.shift, (info.duration ?? Number.POSITIVE_INFINITY) / 2)
    const early = await soundsAt(info, clips, shift, model.config.clipLength, { ...options, signal: all })
    const others = derangement(clips.length, seed)
    const fps = rationalValue(mapRate(info))
    let maps = 0
    const predict = async ({ frames }: Clip, samples: Float32Array, seed: number): Promise<Tensor<'float32'>> => {
      signal.throwIfAborted()
      const audio = [{ samples, sampleRate: soundRate, fps }]
      const map = await model.predict({ ...(frames && { frames }), audio }, { ...(steps !== undefined && { steps }), eta, seed: [seed], signal })
      onProgress?.({ maps: ++maps, total: clips.length * 5 })
      return 'map' in map ? map.map : map
    }
    const frames: ListenedFrame[] = []
    for (const [i, clip] of clips.entries()) {
      const { frame, time, sound, frames: pictures } = clip
      frames.push({
        frame,
        time,
        ...(pictures && { picture: middleOf(pictures) }),
        maps: {
          right: await predict(clip, sound, seed),
          otherSeed: await predict(clip, sound, (seed + 1) % (maxSeed + 1)),
          silence: await predict(clip, new Float32Array(sound.length), seed),
          shuffled: await predict(clip, clips[others[i]!]!.sound, seed),
          shifted: await predict(clip, early[i]!, seed),
        },
      })
    }
    return { ...(await judge(frames)), seed, shift, frames }
  } finally {
    reading.abort()
  }
}

type Reading = { readonly start?: number | undefined; readonly end?: number | undefined; readonly stallLimit: number; readonly signal: AbortSignal }

/** Clips that are evenly spaced over a video, or the part that is asked for, none at its very beginning or end, with their own sound. */
async function readClips({ config }: Listener, info: MediaInfo, count: number, { start, end, stallLimit, signal }: Reading): Promise<Clip[]> {
  const { size, clipLength } = config
  const { video, audio } = info
  const frameSize = config.video ? size : ([2, 2] as const)
  const frames = video
    ? new FrameWindow(readFrames({ ...info, video }, frameSize, { minimum: config.video ? 2 : 1, stallLimit, signal }), frameSize, clipLength)
    : undefined
  const sound = new SoundWindow(readSound({ ...info, audio: audio! }, { stallLimit, signal }))
  // Twice as many as are wanted, of which every other one is taken. Where the file does not tell its length, they are thinned out.
  const span = spanOf({ start, end })
  let stride = Math.max(1, Math.floor((estimateMaps(info, { stride: 1, start, end }) ?? 2 * count) / (2 * count)))
  let kept: Clip[] = []
  let first: number | undefined
  const batches = clipBatches({ frames, sound, rate: mapRate(info) }, { clipLength, stride, batch: 1, video: config.video, audio: true, span })
  try {
    for (;;) {
      const next = await batches.next()
      if (next.done) {
        if (kept.length === 0) throw nothingThere(info, span, next.value)
        break
      }
      const {
        frames: [frame],
        times: [times],
        clips,
        audio: excerpts,
      } = next.value
      first ??= frame!
      if ((frame! - first) % stride !== 0) continue
      kept.push({ frame: frame!, time: times!.at(-1)!, ...(clips && { frames: clips }), sound: excerpts![0]!.samples })
      if (kept.length < 4 * count) continue
      kept = kept.filter((_, i) => i % 2 === 0)
      stride *= 2
    }
  } finally {
    await batches.return({ frames: 0, times: [] })
    await Promise.all([frames?.close(), sound.close()])
  }
  const most = Math.min(count, kept.length)
  return Array.from({ length: most }, (_, i) => kept[Math.floor(((i + 0.5) * kept.length) / most)]!)
}

/** The sound of some seconds after each clip's, the beginning's following the end's. */
async function soundsAt(info: MediaInfo, clips: readonly Clip[], shift: number, clipLength: number, { stallLimit, signal }: Reading): Promise<Float32Array[]> {
  const window = new SoundWindow(rotated(readSound({ ...info, audio: info.audio! }, { stallLimit, signal }), Math.round(shift * soundRate)))
  try {
    const sounds: Float32Array[] = []
    for (const { time, sound } of clips) {
      // As the clip's own, which `clipBatches` cuts from half a frame before its first frame on.
      const from = Math.round((time - (Math.floor(clipLength / 2) + 0.5) / rationalValue(mapRate(info))) * soundRate)
      sounds.push(await window.excerpt(from, from + sound.length))
    }
    return sounds
  } finally {
    await window.close()
  }
}

/** Sound whose first `count` samples come at its end. */
async function* rotated(chunks: AsyncGenerator<Float32Array, void, undefined>, count: number): AsyncGenerator<Float32Array, void, undefined> {
  const first: Float32Array[] = []
  let held = 0
  for await (const chunk of chunks) {
    const part = chunk.slice(0, Math.max(0, count - held))
    if (part.length > 0) first.push(part)
    held += part.length
    if (part.length < chunk.length) yield chunk.subarray(part.length)
  }
  yield* first
}

/** Another index for each, all alike likely to follow each other round one circle: none keeps its own. */
function derangement(count: number, seed: number): number[] {
  const random = new Random(seed, 0x6c697374)
  const order = Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i)
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}

/** A clip's middle frame, uint8 (H, W, 3), of (1, T, H, W, 3). */
function middleOf({ shape, data }: Tensor<'uint8'>): Tensor<'uint8'> {
  const [, length, height, width] = shape as [number, number, number, number, number]
  const bytes = height * width * 3
  const at = Math.floor(length / 2) * bytes
  return { dtype: 'uint8', shape: [height, width, 3], data: data.slice(at, at + bytes) }
}

async function judge(frames: readonly ListenedFrame[]): Promise<Pick<Listening, 'hears' | 'verdict' | 'changedBy' | 'changes'>> {
  const all = (kind: HeardWith): Tensor<'float32'> => {
    const { shape } = frames[0]!.maps[kind]
    const data = new Float32Array(frames.length * frames[0]!.maps[kind].data.length)
    for (const [i, { maps }] of frames.entries()) data.set(maps[kind].data, i * maps[kind].data.length)
    return { dtype: 'float32', shape: [frames.length, ...shape.slice(1)], data }
  }
  const right = all('right')
  const measure = async (kind: HeardWith): Promise<{ cc: number; kl: number }> => {
    const maps = all(kind)
    const [similar, far] = [await cc(maps, right), await kl(maps, right)]
    // Flat maps have no correlation; where none has one, nothing was told apart.
    return { cc: Number.isNaN(similar.mean) ? 1 : Math.min(1, similar.mean), kl: Number.isNaN(far.mean) ? 0 : Math.max(0, far.mean) }
  }
  const noise = await measure('otherSeed')
  const changes: Partial<Record<HeardWith, MapChange>> = { otherSeed: { ...noise, timesNoise: 1 } }
  const changedBy: (typeof wrong)[number][] = []
  for (const kind of wrong) {
    const { cc, kl } = await measure(kind)
    changes[kind] = { cc, kl, timesNoise: cc === 1 ? 0 : (1 - cc) / (1 - noise.cc) }
    const { timesNoise, leastChange } = hearingRule
    if (1 - cc >= leastChange && 1 - cc >= timesNoise * (1 - noise.cc) && kl >= timesNoise * noise.kl) changedBy.push(kind)
  }
  const hears = changedBy.length > 0
  return { hears, verdict: hears ? 'hears' : 'does not hear', changedBy, changes: changes as Listening['changes'] }
}
