import { checkBoolean, checkChoice, checkInteger, checkList, checkNumber, checkOptions, isList, ownOptions } from './checks/options.ts'
import { invalidArgument } from './errors.ts'
import { longestGazeDelay } from './gaze-delay.ts'

/** The kinds of {@link DiffSalConfig.interaction}; native/network/interaction.cpp has their layers and formulas. */
export const interactions = ['mim', 'addition', 'concatenation', 'bilinear', 'residual', 'off'] as const

/** The video encoder (section 4.1, table 7). The default is MViTv2-S (Li et al. 2022). */
export interface VideoEncoderConfig {
  /**
   * Which. S3D, Video Swin-T and 3D ResNet-50 have layers of their own, and an adapter brings their maps to the Saliency-UNet's widths: of
   * the fields below, only `embedDim` and the number of `downscaleAt` concern them, and `width` S3D. Default `mvitv2_s`.
   */
  name: 'mvitv2_s' | 's3d' | 'swin3d_t' | 'resnet3d_50'
  /** Channels after the patch embedding; they double at each downscale. Default 96. */
  embedDim: number
  /** Transformer blocks. Default 16. */
  depth: number
  /** Attention heads of the first block; they double at each downscale. Default 1. */
  heads: number
  /** The three blocks, counted from 0, that halve height and width and double channels and heads. Default [1, 3, 14]. */
  downscaleAt: readonly number[]
  /** [frames, height, width] of pre-training, which sets the length of the relative-position tables. Default [16, 224, 224]. */
  pretrainSize: readonly [number, number, number]
  /** Stride of the first block's key and value pooling over [slots, rows, columns], halved at each downscale. Default [1, 8, 8]. */
  kvStride: readonly [number, number, number]
  /** Hidden channels of an MLP over its channels. Default 4. */
  mlpRatio: number
  /** S3D's channels over the published ones, rounded to whole eights in each layer: 0.05 to 1. At 1 published weights fit. Default 1. */
  width: number
}

/** VGGish and the temporal enhancement on it (section 4.1), the audio encoder. */
export interface AudioEncoderConfig {
  /** Widths of VGGish's 3×3 convolutions, one list before each of its four 2×2 poolings. Default [[64], [128], [256, 256], [512, 512]]. */
  widths: readonly (readonly number[])[]
  /** Heads of the temporal enhancement's attention. Default 2. */
  heads: number
  /** Channels of one of them. Default 64. */
  headDim: number
  /** Hidden channels of its MLP. Default 256. */
  hidden: number
}

/** How pixels become the network's input: (pixel / 255 · scale − mean) / std, per channel RGB. Part of what weights were trained with. */
export interface NormalisationConfig {
  /** The value of a full pixel: 255 or 1. Default 255. */
  scale: number
  /** Of the scaled pixels of each channel. Default [114.7748, 107.7354, 99.475]. */
  mean: readonly [number, number, number]
  /** Of the scaled pixels of each channel. Default [38.7568578, 37.88248729, 40.02898126]. */
  std: readonly [number, number, number]
}

/** Everything that decides what a network computes and which parameters it has. Saved with the weights. */
export interface DiffSalConfig {
  /** `paper`: the network of the paper's text. `released`: the authors' program, for their checkpoints. Default `paper`. */
  dialect: 'paper' | 'released'
  /** [height, width] of frames and maps, multiples of 32. Default [224, 384]. */
  size: readonly [number, number]
  /** Frames in a clip: 8, 16, 24, …, which the temporal convolutions read to the last slot; `released` takes any even number. Default 16. */
  clipLength: number
  /** Whether the network sees (table 2). Default true. */
  video: boolean
  /** Whether the network hears (table 2). Default true. */
  audio: boolean
  /** What the network sees with. Default: MViTv2-S. */
  videoEncoder: VideoEncoderConfig
  /** What the network hears with. Default: VGGish and the temporal enhancement at the paper's size. */
  audioEncoder: AudioEncoderConfig
  /** Channels of the noise encoder's first convolution. Default 96. */
  unetWidth: number
  /** Groups of the noise encoder's normalisations. Default 32. */
  normGroups: number
  /** Efficient spatio-temporal cross-attention, standard cross-attention, or a convolution instead (tables 1 and 4). Default `eca`. */
  attention: 'eca' | 'sca' | 'none'
  /**
   * How sound modulates the attention: the multi-modal interaction module, table 3's alternatives, or not at all (table 1). `residual` is
   * this package's own: x + W(Ux ∘ Va) in place of each stage's map x, for sound a, so that sound reaches the attention's values too and
   * not its key alone. Default `mim`.
   */
  interaction: (typeof interactions)[number]
  /** How many of the four multi-modal attention stages there are, from the coarsest on (figure 6): 1 to 4. Default 4. */
  mamStages: number
  /** Side of the patches that `eca` compresses into a key and a value, one a stage. Default [2, 4, 8, 16]. */
  kvKernel: readonly number[]
  /** Heads of the cross-attention. Default 2. */
  attentionHeads: number
  /** Dropout in the noise encoder's blocks while training. Default 0.1. */
  dropout: number
  /** Diffusion times T. Default 1000. */
  timesteps: number
  /**
   * Denoising steps of a prediction where nothing is said: how many these weights predict best with. `null` is for what the papers' tables use, 4, and 1
   * of a `released` model. Default null.
   */
  steps: number | null
  /**
   * Seconds by which gaze comes after the picture, 0 to 1: eyes take time to get where they look. `predictVideo`, and what is made of its maps, makes the map of a
   * frame from the window of the earliest frame of the last so many seconds, which is at most as many frames before as the mean rate shows in them. Default 0, the paper's.
   */
  gazeDelay: number
  /** How pixels become the network's input. Default: as for the audio-visual weights. */
  normalisation: NormalisationConfig
}

/**
 * A {@link DiffSalConfig} of which anything may be left out, of its three parts too: what is missing, or undefined, takes its default.
 */
export type PartialDiffSalConfig = {
  [P in keyof DiffSalConfig]?:
    | (P extends 'videoEncoder' | 'audioEncoder' | 'normalisation' ? { [Q in keyof DiffSalConfig[P]]?: DiffSalConfig[P][Q] | undefined } : DiffSalConfig[P])
    | undefined
}

/** The paper's network at its full size. */
export const defaultConfig: Readonly<DiffSalConfig> = deepFreeze<DiffSalConfig>({
  dialect: 'paper',
  size: [224, 384],
  clipLength: 16,
  video: true,
  audio: true,
  videoEncoder: {
    name: 'mvitv2_s',
    embedDim: 96,
    depth: 16,
    heads: 1,
    downscaleAt: [1, 3, 14],
    pretrainSize: [16, 224, 224],
    kvStride: [1, 8, 8],
    mlpRatio: 4,
    width: 1,
  },
  audioEncoder: { widths: [[64], [128], [256, 256], [512, 512]], heads: 2, headDim: 64, hidden: 256 },
  unetWidth: 96,
  normGroups: 32,
  attention: 'eca',
  interaction: 'mim',
  mamStages: 4,
  kvKernel: [2, 4, 8, 16],
  attentionHeads: 2,
  dropout: 0.1,
  timesteps: 1000,
  steps: null,
  gazeDelay: 0,
  normalisation: {
    scale: 255,
    mean: [114.7748, 107.7354, 99.475],
    std: [38.7568578, 37.88248729, 40.02898126],
  },
})

/** The network's time slots: one a pair of frames, and one for the noise. */
export function slotsOf({ clipLength }: Pick<DiffSalConfig, 'clipLength'>): number {
  return clipLength / 2 + 1
}

/** The greatest T that a configuration may have. */
export const mostTimesteps = 100_000

/** Stages of the network: maps at 1/32, 1/16, 1/8 and 1/4 of the clip's size. */
const stages = 4
const widest = 8192

/**
 * The complete configuration of a partial one.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for an unknown name (the nearest known one is suggested) or a value that makes no network.
 */
export function resolveConfig(partial: PartialDiffSalConfig | undefined, base: DiffSalConfig = defaultConfig): DiffSalConfig {
  const given = ownConfig(partial)
  const merged: DiffSalConfig = {
    ...base,
    ...said(given),
    videoEncoder: { ...base.videoEncoder, ...said(given.videoEncoder ?? {}) },
    audioEncoder: { ...base.audioEncoder, ...said(given.audioEncoder ?? {}) },
    normalisation: { ...base.normalisation, ...said(given.normalisation ?? {}) },
  }
  checkConfig(merged)
  return deepFreeze(structuredClone(merged))
}

/** A partial configuration as nobody else holds it: properties and elements are read once, here. */
function ownConfig(partial: PartialDiffSalConfig | undefined): PartialDiffSalConfig {
  const given = checkOptions<PartialDiffSalConfig>('config', partial, names(defaultConfig))
  return Object.fromEntries(names(given).map((name) => [name, ownValue(`config.${name}`, given[name], (defaultConfig as PartialDiffSalConfig)[name])]))
}

/** How deep lists lie in each other in the largest value, a part's list of lists; in what is deeper nobody's stack shall end. */
const mostDeep = 3

/** A value of the configuration, copied; `usual` is what is there by default. */
function ownValue(argument: string, value: unknown, usual: unknown, depth = 0): unknown {
  const isPart = typeof usual === 'object' && usual !== null && !Array.isArray(usual)
  if (depth > mostDeep) throw invalidArgument(argument, 'no list or object so deep in others', value)
  if (isList(value) && !isPart) return checkList(argument, value, 'a list', 0, 64).map((item, i) => ownValue(`${argument}[${i}]`, item, undefined, depth + 1))
  if (value === undefined || !isPart) return value
  if (typeof value !== 'object' || value === null || isList(value)) throw invalidArgument(argument, 'an object', value)
  const part = ownOptions(argument, value as Record<string, unknown>, Object.keys(usual as object))
  return Object.fromEntries(Object.entries(part).map(([name, item]) => [name, ownValue(`${argument}.${name}`, item, undefined, depth + 1)]))
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner)
  return Object.freeze(value)
}

/** Whether a network can be trained on single pictures as if each lasted all its clip: the paper's with S3D. */
export function takesStills({ dialect, video, videoEncoder }: DiffSalConfig): boolean {
  return video && dialect === 'paper' && videoEncoder.name === 's3d'
}

/** What `over` says, and where it says nothing what `under` does. */
export function mergeConfigs(under: PartialDiffSalConfig, given?: PartialDiffSalConfig): PartialDiffSalConfig {
  const over = ownConfig(given)
  const merged = { ...under, ...said(over) }
  for (const name of ['videoEncoder', 'audioEncoder', 'normalisation'] as const) {
    if (under[name] !== undefined && typeof over[name] === 'object') Object.assign(merged, { [name]: { ...under[name], ...said(over[name]) } })
  }
  return merged
}

/** Without the names that are undefined, which say nothing. */
function said<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }
}

function names<T extends object>(value: T): (keyof T & string)[] {
  return Object.keys(value) as (keyof T & string)[]
}

function checkConfig(config: DiffSalConfig): void {
  checkChoice('config.dialect', config.dialect, ['paper', 'released'])
  checkChoice('config.attention', config.attention, ['eca', 'sca', 'none'])
  checkChoice('config.interaction', config.interaction, interactions)
  checkBoolean('config.video', config.video)
  checkBoolean('config.audio', config.audio)
  if (!config.video && !config.audio) throw invalidArgument('config.video', 'true where config.audio is false', config.video)
  const isLength = (length: unknown) => Number.isInteger(length) && (length as number) % 32 === 0 && (length as number) >= 32 && (length as number) <= widest
  if (!isList(config.size) || config.size.length !== 2 || !config.size.every(isLength)) {
    throw invalidArgument('config.size', `[height, width], both multiples of 32 up to ${widest}`, config.size)
  }
  checkInteger('config.clipLength', config.clipLength, 8, 256)
  // Of another length the paper's temporal convolution (kernel 5, stride 4, on length / 2 + 1 slots) would not read the noise.
  const multiple = config.dialect === 'paper' ? 8 : 2
  if (config.clipLength % multiple !== 0) throw invalidArgument('config.clipLength', multiple === 8 ? 'a multiple of 8' : 'even', config.clipLength)
  checkInteger('config.timesteps', config.timesteps, 2, mostTimesteps)
  if (config.steps !== null) checkInteger('config.steps', config.steps, 1, config.timesteps)
  checkNumber('config.gazeDelay', config.gazeDelay, 0, longestGazeDelay)
  checkNumber('config.dropout', config.dropout, 0, 0.99)
  checkVideoEncoder(config.videoEncoder)
  checkAudioEncoder(config.audioEncoder)
  checkNormalisation(config.normalisation)
  checkInteger('config.mamStages', config.mamStages, 1, stages)
  checkUNet(config)
}

function checkVideoEncoder(encoder: VideoEncoderConfig): void {
  checkChoice('config.videoEncoder.name', encoder.name, ['mvitv2_s', 's3d', 'swin3d_t', 'resnet3d_50'])
  const { embedDim, depth, heads, downscaleAt, pretrainSize, kvStride, mlpRatio, width } = encoder
  checkInteger('config.videoEncoder.depth', depth, stages, 1024)
  checkInteger('config.videoEncoder.heads', heads, 1, 64)
  checkInteger('config.videoEncoder.embedDim', embedDim, heads, 1024)
  if (embedDim % heads !== 0) throw invalidArgument('config.videoEncoder.embedDim', `a multiple of the ${heads} heads`, embedDim)
  checkIntegers('config.videoEncoder.downscaleAt', downscaleAt, stages - 1, 1, depth - 1)
  if (downscaleAt.some((block, i) => i > 0 && block <= downscaleAt[i - 1]!)) {
    throw invalidArgument('config.videoEncoder.downscaleAt', 'three blocks in ascending order', downscaleAt)
  }
  checkIntegers('config.videoEncoder.pretrainSize', pretrainSize, 3, 2, widest)
  if (pretrainSize[1] < 32 || pretrainSize[2] < 32) {
    throw invalidArgument('config.videoEncoder.pretrainSize', '[frames, height, width] with height and width of at least 32', pretrainSize)
  }
  checkIntegers('config.videoEncoder.kvStride', kvStride, 3, 1, 64)
  checkNumber('config.videoEncoder.mlpRatio', mlpRatio, 0.25, 16)
  checkNumber('config.videoEncoder.width', width, 0.05, 1)
  if (embedDim * mlpRatio < 1) throw invalidArgument('config.videoEncoder.mlpRatio', 'large enough for at least one hidden channel', mlpRatio)
}

function checkAudioEncoder({ widths, heads, headDim, hidden }: AudioEncoderConfig): void {
  if (!isList(widths) || widths.length !== 4 || (widths as unknown[]).some((list) => !isList(list) || list.length === 0)) {
    throw invalidArgument('config.audioEncoder.widths', 'four lists of widths', widths)
  }
  ;(widths as number[][]).forEach((list, i) => list.forEach((width) => checkInteger(`config.audioEncoder.widths[${i}]`, width, 1, widest)))
  checkInteger('config.audioEncoder.heads', heads, 1, 64)
  checkInteger('config.audioEncoder.headDim', headDim, 1, 1024)
  checkInteger('config.audioEncoder.hidden', hidden, 1, widest)
}

function checkNormalisation({ scale, mean, std }: NormalisationConfig): void {
  if (scale !== 1 && scale !== 255) throw invalidArgument('config.normalisation.scale', '1 or 255', scale)
  for (const [name, values, min] of [
    ['mean', mean, -1000],
    ['std', std, 1e-6],
  ] as const) {
    if (!isList(values) || values.length !== 3) throw invalidArgument(`config.normalisation.${name}`, 'three numbers', values)
    for (const value of values as readonly number[]) checkNumber(`config.normalisation.${name}`, value, min, 1000)
  }
}

function checkUNet({ size, videoEncoder, unetWidth, normGroups, attention, attentionHeads, kvKernel }: DiffSalConfig): void {
  const channels = Array.from({ length: stages }, (_, i) => videoEncoder.embedDim * 2 ** i)
  checkInteger('config.normGroups', normGroups, 1, widest)
  checkInteger('config.unetWidth', unetWidth, 4, widest)
  if (unetWidth % 2 !== 0 || unetWidth % normGroups !== 0) {
    throw invalidArgument('config.unetWidth', `even and a multiple of the ${normGroups} groups of config.normGroups`, unetWidth)
  }
  if (channels.some((width) => width % normGroups !== 0)) {
    throw invalidArgument('config.videoEncoder.embedDim', `a multiple of the ${normGroups} groups of config.normGroups`, videoEncoder.embedDim)
  }
  checkInteger('config.attentionHeads', attentionHeads, 1, 64)
  if (videoEncoder.embedDim % attentionHeads !== 0) {
    throw invalidArgument('config.attentionHeads', `a divisor of config.videoEncoder.embedDim = ${videoEncoder.embedDim}`, attentionHeads)
  }
  checkIntegers('config.kvKernel', kvKernel, stages, 1, widest)
  const tooLarge = kvKernel.findIndex((kernel, i) => kernel > (Math.min(...size) / 32) * 2 ** i)
  if (attention === 'eca' && tooLarge >= 0) {
    const side = (Math.min(...size) / 32) * 2 ** tooLarge
    throw invalidArgument(`config.kvKernel[${tooLarge}]`, `at most the stage's map of ${side} (config.size is ${size.join(' × ')})`, kvKernel[tooLarge])
  }
}

function checkIntegers(argument: string, value: unknown, count: number, min: number, max: number): void {
  const fits = isList(value) && value.length === count && value.every((item) => Number.isInteger(item) && (item as number) >= min && (item as number) <= max)
  if (!fits) throw invalidArgument(argument, `${count} integers from ${min} to ${max}`, value)
}
