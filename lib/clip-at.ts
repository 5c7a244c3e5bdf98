import { checkFps } from './audio-span.ts'
import { checkInteger, checkList, checkOptions, isPlain, reading } from './checks/options.ts'
import { integer, readOptions, signal, type OptionTable } from './checks/table.ts'
import { newArray } from './dtype.ts'
import { describe, invalidArgument, invalidArgumentText } from './errors.ts'
import { answeredFrame, gazeDelayOption } from './gaze-delay.ts'
import { checkSampleRate, checkSamples, type AudioExcerpt } from './inputs.ts'
import { clipBatches, FrameWindow, reachOf, SoundWindow } from './media/clip-windows.ts'
import { readFrames } from './media/frames.ts'
import type { MediaInfo } from './media/media-info.ts'
import { withMedia } from './media/open-media.ts'
import { rationalValue } from './media/rational.ts'
import { readSound } from './media/sound.ts'
import type { VideoInput } from './media/video-input.ts'
import { inputTable, mapRate, videoTable, type PredictVideoOptions } from './predict-video.ts'
import { checkTensor, type Tensor } from './tensor.ts'

/** A video in memory, which {@link clipAt} cuts clips of. */
export interface DecodedVideo {
  /** Its frames, uint8 RGB (N, h, w, 3). Default: none, for a model that only hears. */
  frames?: Tensor<'uint8'> | undefined
  /** All of its mono sound, which begins with the first frame. null: it has none. Default: none. */
  audio?: Pick<AudioExcerpt, 'samples' | 'sampleRate'> | null | undefined
  /** Frames a second, 0.01 to 10 000. */
  fps: number
}

/** How long a clip is. */
export interface ClipAtOptions {
  /** T, the model's `config.clipLength`. Default 16. */
  clipLength?: number | undefined
  /** The model's `config.gazeDelay`: the clip is that of the earliest frame of the last so many seconds, 0 to 1. Default 0, which is not that of `DiffSal.load()`. */
  gazeDelay?: number | undefined
}

/** How a clip of a file is cut. */
export interface FileClipOptions extends ClipAtOptions, Pick<PredictVideoOptions, 'videoTrack' | 'audioTrack' | 'stallLimit' | 'network' | 'spoolLimit'> {
  /** [height, width] that the frames are brought to: with the model's `config.size` they are, byte for byte, those that `predictVideo` gives it. Default: the video's own. */
  size?: readonly [number, number] | undefined
  /** Stops the reading; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

function checkPictureSize(argument: string, value: unknown): readonly [number, number] {
  const [height, width] = checkList(argument, value, '[height, width]', 2, 2).map((one, i) => checkInteger(`${argument}[${i}]`, one, 1, 65_536))
  return [height!, width!]
}

/** What there is to know of {@link ClipAtOptions}. */
const clipTable = { clipLength: integer(2, 1024, { usual: 16 }), gazeDelay: gazeDelayOption } satisfies OptionTable<ClipAtOptions>

/** What there is to know of {@link FileClipOptions}. */
export const fileClipTable = {
  ...clipTable,
  size: { check: checkPictureSize },
  videoTrack: videoTable.videoTrack,
  audioTrack: videoTable.audioTrack,
  ...inputTable(),
  signal,
} satisfies OptionTable<FileClipOptions>

/** What `predict` takes, and `frames` and `audio` of a `TrainingSample`. */
export interface CutClip {
  /** uint8 (T, h, w, 3); left out where the video has no frames. */
  frames?: Tensor<'uint8'>
  /** The clip's own sound, T / fps seconds; null where the video has none. */
  audio: AudioExcerpt | null
}

/**
 * The clip around a frame, as `predictVideo` cuts it: frames k − T/2 to k + T/2 − 1, with the edge frames repeated beyond the ends; and
 * their own sound, from half a frame before the first to half a frame after the last, T / fps seconds, silent beyond the ends. For the clip that `predictVideo`
 * gives a model, pass the model's `gazeDelay` as well as its `clipLength`.
 *
 * @param video - all of it, or a part that begins early enough and ends late enough
 * @param frame - k, from 0
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_OUT_OF_MEMORY
 */
export function clipAt(video: DecodedVideo, frame: number, options?: ClipAtOptions): CutClip
/**
 * The same of a file, an address, bytes or a stream: the frames as they are shown, uint8 RGB, and their own sound at 16 kHz. Of a video without sound `audio`
 * is null; of sound alone there are no frames, and 25 clips a second. `T / fps` is by the file's mean rate. The file is read from its beginning to the clip, since
 * frames are counted as they are decoded: for many clips of one video take `predictVideo`, or a dataset.
 *
 * @param input - anything that ffmpeg reads
 * @param frame - k, from 0
 * @throws DiffSalError, as a rejection: ERR_DIFFSAL_INVALID_ARGUMENT, for a frame that the video has not too; ERR_DIFFSAL_FILE, ERR_DIFFSAL_MEDIA,
 * ERR_DIFFSAL_NO_SPACE, ERR_DIFFSAL_OUT_OF_MEMORY, ERR_DIFFSAL_FFMPEG_MISSING
 */
export function clipAt(input: VideoInput, frame: number, options?: FileClipOptions): Promise<CutClip>
export function clipAt(video: DecodedVideo | VideoInput, frame: number, options?: FileClipOptions): CutClip | Promise<CutClip> {
  if (video === undefined) throw invalidArgument('video', 'an object with frames, audio and fps, or a path, a URL, bytes or a stream', video)
  return isDecoded(video) ? cutOfMemory(video, frame, options) : cutOfInput(video, frame, options)
}

/** A plain object that is no stream of one's own. */
function isDecoded(video: DecodedVideo | VideoInput): video is DecodedVideo {
  return isPlain(video) && !reading('video', 'an object that can be read', () => Symbol.asyncIterator in video)
}

async function cutOfInput(input: VideoInput, frame: number, options: FileClipOptions | undefined): Promise<CutClip> {
  const given = readOptions<FileClipOptions, typeof fileClipTable>('options', options, fileClipTable)
  checkInteger('frame', frame, 0)
  return withMedia(input, given, (info) => cutOfMedia(info, frame, given))
}

async function cutOfMedia(
  info: MediaInfo,
  frame: number,
  { clipLength, gazeDelay, size, stallLimit, signal }: FileClipOptions & { readonly clipLength: number; readonly gazeDelay: number },
): Promise<CutClip> {
  const { video, audio } = info
  const rate = mapRate(info)
  const reach = reachOf(clipLength, gazeDelay, rate)
  const shown = video && (size ?? ([video.height, video.width] as const))
  const frames = video && shown ? new FrameWindow(readFrames({ ...info, video }, shown, { stallLimit, signal }), shown, reach) : undefined
  const sound = audio ? new SoundWindow(readSound({ ...info, audio }, { stallLimit, signal })) : undefined
  const plan = { clipLength, gazeDelay, stride: 1, batch: 1, video: frames !== undefined, audio: sound !== undefined, first: frame }
  const batches = clipBatches({ frames, sound, rate }, plan)
  try {
    const next = await batches.next()
    if (next.done) throw invalidArgumentText('frame', `below ${next.value.frames}, the number of frames of '${info.path}'`, `${frame}`)
    const { clips, audio: excerpts } = next.value
    return {
      ...(clips && { frames: { ...clips, shape: clips.shape.slice(1) } }),
      audio: excerpts ? { ...excerpts[0]!, fps: rationalValue(rate) } : null,
    }
  } finally {
    await batches.return({ frames: 0, times: [] })
    await Promise.all([frames?.close(), sound?.close()])
  }
}

function cutOfMemory(video: DecodedVideo, frame: number, options: ClipAtOptions | undefined): CutClip {
  const { frames, audio, fps } = checkOptions<DecodedVideo>('video', video, ['frames', 'audio', 'fps'])
  const { clipLength, gazeDelay } = readOptions<ClipAtOptions, typeof clipTable>('options', options, clipTable)
  checkFps('fps', fps)
  const pictures = frames === undefined ? undefined : checkPictures(frames)
  if (pictures === undefined && !audio) throw invalidArgument('video', 'something to see or to hear', video)
  checkInteger('frame', frame, 0, pictures === undefined ? undefined : pictures.shape[0]! - 1)
  const first = answeredFrame(frame, gazeDelay, fps) - Math.floor(clipLength / 2)
  return {
    ...(pictures && { frames: cutFrames(pictures, first, clipLength) }),
    audio: audio ? cutSound(audio, first, clipLength, fps) : null,
  }
}

function checkPictures(frames: Tensor<'uint8'>): Tensor<'uint8'> {
  const checked = checkTensor('frames', frames, ['uint8'])
  const { shape } = checked
  if (shape.length !== 4 || shape[3] !== 3 || checked.data.length === 0) throw invalidArgumentText('frames.shape', '(N, h, w, 3)', describe([...shape]))
  return checked
}

function cutFrames({ shape, data }: Tensor<'uint8'>, first: number, clipLength: number): Tensor<'uint8'> {
  const [count, height, width] = shape as [number, number, number, number]
  const bytes = height * width * 3
  const cut = newArray('uint8', clipLength * bytes)
  for (let t = 0; t < clipLength; t++) {
    const from = Math.min(Math.max(first + t, 0), count - 1) * bytes
    cut.set(data.subarray(from, from + bytes), t * bytes)
  }
  return { dtype: 'uint8', shape: [clipLength, height, width, 3], data: cut }
}

function cutSound(audio: NonNullable<DecodedVideo['audio']>, first: number, clipLength: number, fps: number): AudioExcerpt {
  const given = checkOptions('audio', audio, ['samples', 'sampleRate'])
  const { data } = checkSamples('audio.samples', given.samples, 1)
  const sampleRate = checkSampleRate('audio.sampleRate', given.sampleRate)
  const from = Math.round(((first - 0.5) / fps) * sampleRate)
  const to = Math.round(((first + clipLength - 0.5) / fps) * sampleRate)
  const samples = newArray('float32', Math.max(1, to - from))
  const begin = Math.max(from, 0)
  if (begin < Math.min(to, data.length)) samples.set(data.subarray(begin, to), begin - from)
  return { samples, sampleRate, fps }
}
