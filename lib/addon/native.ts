import type { Precision } from '../checks/precision.ts'
import type { Priority } from '../checks/priority.ts'
import type { DiffSalConfig } from '../config.ts'
import { describe, DiffSalError, type DiffSalErrorCode } from '../errors.ts'
import type { WritingPlan } from '../files/output-place.ts'
import { log } from '../log.ts'
import type { CudaMemory } from '../memory.ts'
import type { Tensor } from '../tensor.ts'
import type { ResolvedTrainerOptions } from '../training/options.ts'
import { loadAddon } from './addon.ts'
import { snapshot } from './snapshot.ts'

/** Stops the jobs it was given to, at their next block. */
export interface NativeCancelToken {
  cancel(): void
}

/** What a clip's encoders made, in native memory. */
export interface NativeFeatures {
  readonly batch: number
  tensors(): { video: Tensor<'float32'>[]; audio: Tensor<'float32'> | null }
  dispose(): void
}

/** A clip as the addon takes it: tensors that were checked against the configuration. */
export interface NativeInputs {
  pixels?: Tensor<'uint8'>
  frames?: Tensor<'float32'>
  mel?: Tensor<'float32'>
  sounds?: { samples: Tensor<'float32'>; sampleRate: number }[]
}

/** One tensor of a weights file. */
export interface NativeEntry {
  name: string
  dtype: string
  shape: readonly number[]
  begin: number
  end: number
  strides?: readonly number[]
  data?: Uint8Array
}

/** A part of a network that is in a file by itself: names beginning with `prefix`, of which those in `initial` may be missing. */
export interface NativePart {
  path: string
  identity: string
  entries: NativeEntry[]
  prefix: string
  initial: readonly string[]
}

/** A tensor of a trace: one that a step makes, or a constant, by its number. */
export type NativeTensorRef = { readonly value: number } | { readonly constant: number }

/** What a step is given. */
export type NativeArgument = null | boolean | number | readonly number[] | NativeTensorRef | readonly NativeTensorRef[]

/** What a traced tensor is. */
export interface NativeTraced {
  readonly type: 'float32' | 'float64' | 'int64' | 'bool'
  readonly shape: readonly number[]
}

/** One of libtorch's operators in a trace. */
export interface NativeStep {
  /** `aten::linear`. */
  readonly op: string
  readonly arguments: readonly NativeArgument[]
  /** Numbers of the values that it makes. */
  readonly results: readonly number[]
}

/** A function of a network as the operators that it is made of, for one clip: native/tracing/trace.h. */
export interface NativeTrace {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly values: readonly NativeTraced[]
  /** Those that repeat themselves along a dimension have one entry there in `tensor`; bool is told as uint8. */
  readonly constants: readonly (NativeTraced & { readonly tensor: Tensor })[]
  readonly inputs: readonly number[]
  readonly outputs: readonly NativeTensorRef[]
  readonly steps: readonly NativeStep[]
}

/** A network with the thread that runs it. Nothing is checked here but what would crash. */
export interface NativeModel {
  build(
    config: DiffSalConfig,
    device: string,
    from: { seed: number; parts?: NativePart[] } | { path: string; identity: string; entries: NativeEntry[] } | { lent: true },
    cancel: NativeCancelToken | undefined,
    precision: Precision,
  ): Promise<void>
  parameters(): { name: string; shape: number[]; buffer: boolean }[]
  memory(): { parameters: number; features: number; device?: CudaMemory }
  parameter(name: string): Promise<Tensor<'float32'>>
  setParameter(name: string, values: Tensor<'float32'>): Promise<void>
  /** Gives a model that is not built yet copies of all tensors, which its `build` takes where it is told `lent`. */
  lendCopies(model: NativeModel): Promise<void>
  save(plan: WritingPlan, header: Uint8Array, dtype: WeightsDType, cancel: NativeCancelToken | undefined): Promise<void>
  encode(inputs: NativeInputs, seeds: number[], cancel: NativeCancelToken | undefined, priority?: Priority): Promise<NativeFeatures>
  denoise(
    x: Tensor<'float32'>,
    t: Tensor<'int64'>,
    features: NativeFeatures,
    cancel: NativeCancelToken | undefined,
    priority?: Priority,
  ): Promise<Tensor<'float32'>>
  predict(
    from: NativeInputs | NativeFeatures,
    options: {
      steps: number
      eta: number
      seeds: number[]
      noise: Tensor<'float32'> | undefined
      estimates: boolean
      activity: boolean
      samples: number
      mirror: boolean
      priority?: Priority
    },
    cancel: NativeCancelToken | undefined,
    onStep: ((step: number, steps: number) => void) | undefined,
  ): Promise<{ map: Tensor<'float32'>; estimates?: Tensor<'float32'>; uncertainty?: Tensor<'float32'>; activity?: Tensor<'float32'>[] }>
  /** Of a model on the CPU in float32. */
  traces(cancel: NativeCancelToken | undefined): Promise<{ encode: NativeTrace; denoise: NativeTrace }>
  close(): Promise<void>
}

/** A batch as the addon takes it, checked. */
export interface NativeTrainingBatch {
  /** Of a batch that processes share. */
  share?: BatchShare | undefined
  inputs: NativeInputs
  target: Tensor<'float32'>
  fixations: Tensor | undefined
  t: Tensor<'int64'> | undefined
  noise: Tensor<'float32'> | undefined
}

/** How a weights file holds the weights. */
export type WeightsDType = 'float32' | 'float16' | 'bfloat16'

/** Which samples of a batch that processes share a process has. */
export interface BatchShare {
  /** Samples of the whole batch. */
  readonly whole: number
  /** Which of them these are, in order. There may be none; the batch then has one that does not count. */
  readonly samples: readonly number[]
}

/** Processes that work together: native/distributed/group.h. */
export interface NativeGroup {
  join(
    library: string,
    options: {
      rank: number
      worldSize: number
      host: string
      port: number
      serve: boolean
      prefix: string
      seconds: number
      interface: string
      /** The library for sums between NVIDIA's devices; empty for none. */
      nccl: string
    },
    cancel: NativeCancelToken | undefined,
  ): Promise<void>
  connect(cancel: NativeCancelToken | undefined): Promise<void>
  exchange(channel: string, text: string, seconds: number, cancel: NativeCancelToken | undefined): Promise<string[]>
  fail(why: string): Promise<void>
  leave(cancel: NativeCancelToken | undefined): Promise<void>
  /** Sums and broadcasts so far, their bytes (each tensor's once), the seconds in which some were on their way, and those in which the computing waited. */
  traffic(): { messages: number; bytes: number; seconds: number; waited: number }
}

/** A trainer's options as the addon takes them: groups and what is frozen by whole names. */
export interface NativeTrainerOptions extends Omit<ResolvedTrainerOptions, 'clip' | 'groups'> {
  clip: number
  groups: { names: readonly string[]; lrScale: number; weightDecay: number }[]
}

/** What training takes beside a model, on the model's thread. Nothing is checked here, nor that the model lives. */
export interface NativeTrainer {
  /** `lr` is the full rate, which the schedule goes on from. */
  step(batch: NativeTrainingBatch, lr: number, cancel: NativeCancelToken | undefined): Promise<{ step: number; loss: number; gradNorm: number; lr: number }>
  /** The last step's gradients of these parameters. */
  gradients(names: readonly string[], cancel: NativeCancelToken | undefined): Promise<{ name: string; tensor: Tensor<'float32'> }[]>
  /** The norm of the last step's gradient of each parameter that is trained. */
  gradientNorms(): Promise<{ name: string; norm: number }[]>
  tensors(): { name: string; shape: number[] }[]
  save(plan: WritingPlan, header: Uint8Array, cancel: NativeCancelToken | undefined): Promise<void>
  saveAverage(plan: WritingPlan, header: Uint8Array, cancel: NativeCancelToken | undefined): Promise<void>
  /** Gives a model that is not built yet the averaged weights, which its `build` takes where it is told `lent`. They share memory. */
  lendAverage(model: NativeModel, cancel: NativeCancelToken | undefined): Promise<void>
  /** The name of a tensor of the model that is not finite; empty where all are. */
  spoilt(): Promise<string>
  /** Takes over rank 0's weights and state. */
  beginSharing(cancel: NativeCancelToken | undefined): Promise<void>
  /** A checksum of the weights. */
  fingerprint(): Promise<string>
  restore(path: string, identity: string, entries: NativeEntry[], cancel: NativeCancelToken | undefined): Promise<number>
  dispose(): Promise<void>
}

/** Which sounding scene, and of what kind: native/scenes/scene.h's SceneOptions. */
export interface NativeSceneOptions {
  seed: number
  /** 0 clips to train on, 1 to test on, 3 to validate on; 2 whole scenes. */
  domain: number
  index: number
  fewest: number
  most: number
  hues: number
  pitch: boolean
  loudness: boolean
  changes: number
  height: number
  width: number
  rate: number
  frames: number
}

/** A part of a sounding scene: frames `from` to `to` - 1 of it. */
export interface NativeScene {
  kinds: number[]
  hues: number[]
  /** The sounding shape of each frame. */
  sounding: number[]
  /** (frames, shapes, 3): x, y and radius in pixels. */
  track: Tensor<'float32'>
  /** (frames, height, width, 3) */
  frames?: Tensor<'uint8'>
  samples?: Tensor<'float32'>
  /** (1, height, width), both */
  target?: Tensor<'float32'>
  fixations?: Tensor<'uint8'>
}

/** The raw addon: native/binding's exports. Whatever one of them throws or rejects with is a DiffSalError. */
export interface NativeAddon {
  initialise(
    makeError: (code: DiffSalErrorCode, message: string, argument: string, expected: string, received: string) => DiffSalError,
    ownError: (thrown: unknown) => DiffSalError,
    warn: (message: string) => void,
    snapshot: (argument: unknown) => unknown,
    newBuffer: (bytes: number) => ArrayBuffer,
  ): void
  stop(): void
  Model: new (options: { threads: number }) => NativeModel
  Trainer: new (model: NativeModel, options: NativeTrainerOptions, group?: NativeGroup, statistics?: boolean) => NativeTrainer
  Group: new () => NativeGroup
  trainingLoss(
    map: Tensor<'float32'>,
    target: Tensor<'float32'>,
    fixations: Tensor | undefined,
    options: Pick<ResolvedTrainerOptions, 'loss' | 'terms'>,
  ): Promise<{ loss: number; gradient: Tensor<'float32'> }>
  CancelToken: new () => NativeCancelToken
  libtorch(): { version: string; cuda: number }
  cudaDevices(): number
  openCudaPart(path: string): void
  betas(timesteps: number): Tensor<'float64'>
  alphaBars(timesteps: number): Tensor<'float32'>
  ddimTimes(timesteps: number, steps: number, released: boolean): [now: number, next: number][]
  ddimStep(x: Tensor<'float32'>, s0: Tensor<'float32'>, a: number, b: number, eta: number, noise: Tensor<'float32'> | undefined): Tensor<'float32'>
  parametersOf(config: DiffSalConfig): { name: string; shape: number[]; buffer: boolean }[]
  metric(name: string, saliency: Tensor, second: Tensor, third: Tensor | undefined): Promise<Tensor<'float64'>>
  scoringChain(map: Tensor, height: number, width: number, blur: boolean): Promise<Tensor<'float64'>>
  scene(
    options: NativeSceneOptions,
    wanted: { from: number; to: number; frames: boolean; sound: boolean; truth: number },
    cancel: NativeCancelToken | undefined,
  ): Promise<NativeScene>
  logMel(samples: Tensor<'float32'>, sampleRate: number): Promise<Tensor<'float32'>>
  melSlices(samples: Tensor<'float32'>, sampleRate: number, height: number, width: number, slots: number): Promise<Tensor<'float32'>>
}

let addon: NativeAddon | undefined

/** The addon, opened at the first use, so that importing the package works without libtorch. */
export function native(): NativeAddon {
  if (addon === undefined) {
    const opened = loadAddon() as NativeAddon
    opened.initialise(
      makeError,
      ownError,
      (message) => log('warn', message),
      snapshot,
      (bytes) => new ArrayBuffer(bytes),
    )
    // process.exit() ends the process under running threads unless they are stopped before.
    process.prependOnceListener('exit', () => opened.stop())
    addon = opened
  }
  return addon
}

function makeError(code: DiffSalErrorCode, message: string, argument: string, expected: string, received: string): DiffSalError {
  return new DiffSalError(code, message, {
    ...(argument === '' ? {} : { argument }),
    ...(expected === '' ? {} : { expected }),
    ...(received === '' ? {} : { received }),
  })
}

/** What JavaScript threw inside a native call. */
function ownError(thrown: unknown): DiffSalError {
  if (thrown instanceof DiffSalError) return thrown
  return new DiffSalError('ERR_DIFFSAL_INTERNAL', `A native call failed: ${thrown instanceof Error ? thrown.message : describe(thrown)}.`, { cause: thrown })
}
