import { checkFps } from './audio-span.ts'
import { newArray } from './dtype.ts'
import { describe, invalidArgument, invalidArgumentText } from './errors.ts'
import { checkSampleRate, checkSamples, type AudioExcerpt } from './inputs.ts'
import { checkInteger, checkOptions } from './checks/options.ts'
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
}

/** What `predict` takes, and `frames` and `audio` of a `TrainingSample`. */
export interface CutClip {
  /** uint8 (T, h, w, 3); left out where the video has no frames. */
  frames?: Tensor<'uint8'>
  /** The clip's own sound, T / fps seconds; null where the video has none. */
  audio: AudioExcerpt | null
}

/**
 * The clip around a frame, as `predictVideo` cuts it: frames k − T/2 to k + T/2 − 1, with the edge frames repeated beyond the ends; and
 * their own sound, from half a frame before the first to half a frame after the last, T / fps seconds, silent beyond the ends.
 *
 * @param video - all of it, or a part that begins early enough and ends late enough
 * @param frame - k, from 0
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_OUT_OF_MEMORY
 */
export function clipAt(video: DecodedVideo, frame: number, options?: ClipAtOptions): CutClip {
  if (video === undefined) throw invalidArgument('video', 'an object with frames, audio and fps', video)
  const { frames, audio, fps } = checkOptions<DecodedVideo>('video', video, ['frames', 'audio', 'fps'])
  const { clipLength = 16 } = checkOptions<ClipAtOptions>('options', options, ['clipLength'])
  checkInteger('clipLength', clipLength, 2, 1024)
  checkFps('fps', fps)
  const pictures = frames === undefined ? undefined : checkPictures(frames)
  if (pictures === undefined && !audio) throw invalidArgument('video', 'something to see or to hear', video)
  checkInteger('frame', frame, 0, pictures === undefined ? undefined : pictures.shape[0]! - 1)
  const first = frame - Math.floor(clipLength / 2)
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
