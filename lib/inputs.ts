import type { NativeInputs } from './addon/native.ts'
import { checkFps, checkSpan } from './audio-span.ts'
import { checkInteger, checkList, checkOptions, isList } from './checks/options.ts'
import { slotsOf, takesStills, type DiffSalConfig } from './config.ts'
import { dtypes, ownView } from './dtype.ts'
import { describe, invalidArgument, invalidArgumentText } from './errors.ts'
import { checkTensor, type Tensor } from './tensor.ts'

/** Mono sound. */
export interface AudioExcerpt {
  /** Mono samples, -1 to 1. */
  samples: Float32Array
  /** Samples a second, 1000 to 384 000. */
  sampleRate: number
  /**
   * Frames a second of the clip that is heard with it, 0.01 to 10 000: then a sound that does not last T / fps seconds is refused.
   * Default: not told, and a length that no usual video has (12 to 250 frames a second) is warned about.
   */
  fps?: number | undefined
}

/**
 * A clip, or a batch of them: what the network sees and hears.
 *
 * T is the configuration's clip length (16), H × W its size (224 × 384).
 */
export interface ClipInput {
  /**
   * uint8 RGB pictures (T, h, w, 3) or (B, T, h, w, 3) of any size, which are resized and normalised; or float32
   * (B, 3, T, H, W), already normalised.
   */
  frames?: Tensor<'uint8'> | Tensor<'float32'> | undefined
  /**
   * The clip's own sound, one excerpt a sample: T / fps seconds (0.64 s for 16 frames at 25 a second), from half a frame before the first
   * frame to half a frame after the last. `clipAt` cuts it of a video. The network listens to 1.6 s, in whose middle it puts the
   * clip's sound, with silence around it, as in training: who gives all 1.6 s from the video gets other maps. `null` leaves the sound out
   * of a model that could hear.
   */
  audio?: AudioExcerpt | readonly AudioExcerpt[] | null | undefined
  /** Instead of `audio`: log-mel slices, float32 (B, 1, T / 2 + 1, H / 2, W / 2), as `melSlices` makes them. */
  mel?: Tensor<'float32'> | undefined
}

/**
 * Checks a clip against the configuration; the addon takes what comes out.
 *
 * @param stills whether clips of one frame are meant too: pictures that last
 */
export function checkInputs(config: DiffSalConfig, input: ClipInput, stills = false): { inputs: NativeInputs; batch: number } {
  if (input === undefined) throw invalidArgument('input', "an object with 'frames' and 'audio' or 'mel', or features", input)
  const { frames, audio, mel } = checkOptions('input', input, ['frames', 'audio', 'mel'])
  const picture = frames === undefined ? undefined : checkFrames(config, frames, stills)
  if (picture === undefined && config.video) throw invalidArgument('frames', 'given, because this model sees', frames)
  const sound = checkSound(config, audio, mel)
  const batches = [picture?.batch, sound?.batch].filter((batch) => batch !== undefined)
  if (batches.length === 0) throw invalidArgument('input', 'something to see or to hear', input)
  if (batches.some((batch) => batch !== batches[0])) {
    throw invalidArgumentText(mel ? 'mel' : 'audio', `of the same batch as 'frames', ${batches[0]}`, `a batch of ${batches[1]}`)
  }
  return { inputs: { ...picture?.inputs, ...sound?.inputs }, batch: batches[0]! }
}

/** How many frames each clip of a tensor has, as its shape says; undefined where it has too few dimensions. */
export function frameCount({ dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>): number | undefined {
  return shape[dtype === 'float32' ? 2 : shape.length - 4]
}

type Checked = { inputs: NativeInputs; batch: number }

function checkFrames(config: DiffSalConfig, frames: Tensor, stills: boolean): Checked {
  const {
    video,
    size: [height, width],
  } = config
  if (!video) throw invalidArgumentText('frames', 'left out, because this model only hears', 'a tensor')
  const { dtype, shape, data } = checkTensor('frames', frames, ['uint8', 'float32'])
  const takes = stills && takesStills(config)
  const clipLength = takes && frameCount({ dtype, shape }) === 1 ? 1 : config.clipLength
  if (dtype === 'float32') {
    checkShape('frames', shape, ['B', 3, clipLength, height, width])
    return { inputs: { frames: { dtype, shape, data: data as Float32Array } }, batch: shape[0]! }
  }
  const batched = shape.length === 4 ? [1, ...shape] : shape
  if (batched.length !== 5 || batched[1] !== clipLength || batched[4] !== 3 || batched.some((length) => length < 1)) {
    const stillToo = takes ? `, and 1 in place of ${clipLength} for stills` : ''
    throw invalidArgumentText('frames.shape', `(${clipLength}, h, w, 3) or (B, ${clipLength}, h, w, 3) for uint8 pictures${stillToo}`, describe([...shape]))
  }
  return { inputs: { pixels: { dtype: 'uint8', shape: batched, data: data as Uint8Array } }, batch: batched[0]! }
}

function checkSound(config: DiffSalConfig, audio: ClipInput['audio'], mel: Tensor | undefined): Checked | undefined {
  const [given, name] = mel === undefined ? [audio, 'audio'] : [mel, 'mel']
  if (mel === null) throw invalidArgument('mel', "a tensor, or left out; 'audio: null' leaves the sound out", mel)
  if (mel !== undefined && audio) throw invalidArgumentText('mel', "left out where 'audio' is given", 'a tensor')
  if (given === null || (given === undefined && !config.audio)) return undefined
  if (!config.audio) throw invalidArgumentText(name, 'left out, because this model only sees', describe(given))
  if (given === undefined) throw invalidArgument('audio', "given (or 'mel'), because this model hears; null leaves sound out", given)
  if (mel !== undefined) {
    const [height, width] = config.size
    const checked = checkTensor('mel', mel, ['float32'])
    checkShape('mel', checked.shape, ['B', 1, slotsOf(config), height / 2, width / 2])
    return { inputs: { mel: checked }, batch: checked.shape[0]! }
  }
  if (!isList(audio)) return { inputs: { sounds: [checkExcerpt('audio', audio, config)] }, batch: 1 }
  const excerpts = checkList('audio', audio, 'one excerpt a clip', 1)
  return { inputs: { sounds: excerpts.map((excerpt, i) => checkExcerpt(`audio[${i}]`, excerpt, config)) }, batch: excerpts.length }
}

/** One clip's sound, which must be as long as it says. */
export function checkExcerpt(argument: string, excerpt: unknown, config: { readonly clipLength: number }): { samples: Tensor<'float32'>; sampleRate: number } {
  const given = (excerpt ?? invalid(argument, excerpt)) as AudioExcerpt
  const { samples, sampleRate, fps } = checkOptions<AudioExcerpt>(argument, given, ['samples', 'sampleRate', 'fps'])
  const checked = { samples: checkSamples(`${argument}.samples`, samples, 1), sampleRate: checkSampleRate(`${argument}.sampleRate`, sampleRate) }
  if (fps !== undefined) checkFps(`${argument}.fps`, fps)
  checkSpan(argument, { samples: checked.samples.data, sampleRate: checked.sampleRate, fps }, config)
  return checked
}

function invalid(argument: string, value: unknown): never {
  throw invalidArgument(argument, '{ samples, sampleRate }', value)
}

/** Mono samples as a tensor (n,), at least `min` of them. */
export function checkSamples(argument: string, samples: unknown, min: number): Tensor<'float32'> {
  if (!dtypes.float32.is(samples)) throw invalidArgument(argument, 'a Float32Array of mono samples', samples)
  const data = ownView('float32', samples)
  if (data.length < min) throw invalidArgumentText(argument, `at least ${min} samples long`, `${data.length}`)
  return { dtype: 'float32', shape: [data.length], data }
}

/** A rate of samples a second that resampling can start from. */
export function checkSampleRate(argument: string, sampleRate: unknown): number {
  return checkInteger(argument, sampleRate, 1000, 384_000)
}

/** Compares a shape with the expected one; a letter stands for any size of at least 1. */
export function checkShape(argument: string, shape: readonly number[], expected: readonly (number | string)[]): void {
  const fits = shape.length === expected.length && expected.every((size, i) => (typeof size === 'string' ? shape[i]! >= 1 : shape[i] === size))
  if (!fits) throw invalidArgumentText(`${argument}.shape`, `(${expected.join(', ')})`, describe([...shape]))
}
