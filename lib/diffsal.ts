import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { abortable, checkSignal } from './abort.ts'
import { headerBytes, readHeader } from './checkpoint/safetensors.ts'
import { resolveConfig, type DiffSalConfig, type PartialDiffSalConfig } from './config.ts'
import { resolveDevice } from './devices.ts'
import { DiffSalError, invalidArgument, invalidArgumentText } from './errors.ts'
import { Features, nativeFeatures } from './features.ts'
import { checkInputs, checkShape, type ClipInput } from './inputs.ts'
import { native, type NativeModel } from './native.ts'
import { checkChoice, checkInteger, checkNumber, checkOptions, checkString } from './options.ts'
import { predictVideo, type PredictVideoOptions, type VideoMap } from './predict-video.ts'
import { checkTensor, type Tensor } from './tensor.ts'

/** Where and how a model runs. */
export interface RunOptions {
  /** `auto` (a CUDA device where there is one, else the CPU), `cpu`, `cuda` or `cuda:N`. Default `auto`. */
  device?: string
  /** The type that the network computes in. Default `float32`, so far the only one. */
  precision?: 'float32'
  /** Threads on the CPU. Default: as many as the machine runs at once. */
  threads?: number
}

/** How to make a model with initial weights. */
export interface CreateOptions extends RunOptions {
  /** Decides the initial weights, 0 to 2^32 - 1. Default: drawn. */
  seed?: number
}

/** How to load a model. */
export interface LoadOptions extends RunOptions {
  /** The configuration, or what shall differ from the one in the file. Default: the file's, else the paper's. */
  config?: PartialDiffSalConfig
  /** Rejects with the signal's reason when aborted. */
  signal?: AbortSignal
}

/** How to sample a map. */
export interface PredictOptions {
  /** Denoising steps, 1 to T. Default 4; of a `released` model 1. */
  steps?: number
  /** 0: deterministic from the noise on (DDIM); up to 1, noise is added at each step (1: DDPM's). Default 0. */
  eta?: number
  /**
   * Decides the noise, 0 to 2^32 - 1: one for every sample, or one each. A sample's noise depends on its seed alone, not on the
   * batch. The same seed gives the same map, bit for bit, on one device with one number of threads. Default: drawn.
   */
  seed?: number | number[]
  /** The noise x_T to start from, float32 (B, 1, H, W), instead of drawing it. */
  noise?: Tensor<'float32'>
  /** Rejects with the signal's reason when aborted; the work stops at its next block. */
  signal?: AbortSignal
  /** Called after every step, counted from 1. What it throws rejects the prediction. */
  onProgress?: (progress: PredictProgress) => void
}

/** How far a prediction is. */
export interface PredictProgress {
  /** The step that has ended, from 1. */
  step: number
  steps: number
}

/** One tensor of a model. */
export interface ParameterInfo {
  /** As in a checkpoint: `visual_net.blocks.0.attn.qkv.weight`. */
  name: string
  shape: readonly number[]
  dtype: 'float32'
  /** A running statistic: saved and loaded, but not trained. */
  buffer: boolean
}

/** Bytes that a model holds. */
export interface ModelMemory {
  /** Parameters and buffers. On the CPU they may be pages of the weights file. */
  parameters: number
  /** Features from `encode` that were neither disposed nor collected. */
  features: number
}

// libtorch's generator takes 32 bits of a seed.
const maxSeed = 2 ** 32 - 1
const runOptions = ['device', 'precision', 'threads'] as const

/**
 * A DiffSal network (CVPR 2024) with its weights, on one device.
 *
 * Calls may overlap; a model runs them one after the other, on a thread of its own. Inputs are copied when a method is
 * called, so their arrays can be reused at once. Every method rejects with a `DiffSalError`.
 */
export class DiffSal {
  /** The complete configuration. */
  readonly config: Readonly<DiffSalConfig>
  /** The device it runs on: `cpu`, `cuda:0`, … */
  readonly device: string
  readonly #native: NativeModel
  #closing: Promise<void> | undefined

  private constructor(config: DiffSalConfig, device: string, native: NativeModel) {
    this.config = config
    this.device = device
    this.#native = native
  }

  /**
   * Makes a network with initial weights. A seed reproduces them, on every machine.
   *
   * @param config - what shall differ from the paper's network
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DEVICE, ERR_DIFFSAL_OUT_OF_MEMORY, and what opening libtorch throws
   */
  static async create(config?: PartialDiffSalConfig, options?: CreateOptions): Promise<DiffSal> {
    const { seed, ...run } = checkOptions<CreateOptions>('options', options, ['seed', ...runOptions])
    return DiffSal.#build(resolveConfig(config), run, { seed: seed === undefined ? randomInt(maxSeed + 1) : checkSeed('seed', seed) })
  }

  /**
   * Loads weights from a safetensors file. It is memory-mapped: do not shorten it in place while the model lives (replacing it
   * by a rename, as {@link save} does, is fine).
   *
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_CHECKPOINT (damaged, or not of this configuration: missing, unknown and misshapen tensors
   * are named), and what {@link create} throws
   */
  static async load(path: string, options?: LoadOptions): Promise<DiffSal> {
    const { config, signal, ...run } = checkOptions<LoadOptions>('options', options, ['config', 'signal', ...runOptions])
    checkSignal(signal)?.throwIfAborted()
    checkString('path', path)
    const { metadata, tensors, identity } = await readHeader(path)
    const resolved = resolveConfig(config, metadata.diffsal === undefined ? undefined : storedConfig(path, metadata.diffsal))
    const entries = [...tensors].map(([name, entry]) => ({ name, ...entry }))
    return DiffSal.#build(resolved, run, { path, identity, entries }, signal)
  }

  static async #build(
    config: DiffSalConfig,
    { device = 'auto', precision = 'float32', threads = availableParallelism() }: RunOptions,
    from: Parameters<NativeModel['build']>[2],
    signal?: AbortSignal,
  ): Promise<DiffSal> {
    checkChoice('precision', precision, ['float32'])
    checkInteger('threads', threads, 1, 1024)
    const id = resolveDevice(device)
    const model = new (native().Model)({ threads })
    try {
      await abortable(signal, (cancel) => model.build(config, id, from, cancel))
    } catch (error) {
      await model.close()
      throw error
    }
    return new DiffSal(config, id, model)
  }

  /**
   * Writes the weights with their configuration to a safetensors file, beside `path` first and then renamed: an interrupted
   * save leaves the old file.
   *
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE, ERR_DIFFSAL_DISPOSED
   */
  async save(path: string, options?: { signal?: AbortSignal }): Promise<void> {
    const { signal } = checkOptions('options', options, ['signal'])
    const model = this.#live()
    checkString('path', path)
    const tensors = new Map(model.parameters().map(({ name, shape }) => [name, { dtype: 'F32', shape } as const]))
    const header = headerBytes(tensors, { diffsal: JSON.stringify(this.config) })
    await abortable(checkSignal(signal), (cancel) => model.save(path, header, cancel))
  }

  /**
   * Predicts the saliency map of a clip, or of each clip of a batch: encodes it once, then samples (Algorithm 2).
   *
   * @param input - a clip, or features from {@link encode}
   * @returns float32 (B, 1, H, W), values 0 to 1
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED, ERR_DIFFSAL_OUT_OF_MEMORY; ERR_DIFFSAL_CHECKPOINT where the weights
   * give no finite map
   */
  async predict(input: ClipInput | Features, options?: PredictOptions): Promise<Tensor<'float32'>> {
    const model = this.#live()
    const { steps = this.config.dialect === 'released' ? 1 : 4, eta = 0, seed = randomInt(maxSeed + 1), noise, signal, onProgress } = checkOptions<PredictOptions>(
      'options',
      options,
      ['steps', 'eta', 'seed', 'noise', 'signal', 'onProgress'],
    )
    const from = input instanceof Features ? nativeFeatures(input, model) : checkInputs(this.config, input)
    const batch = from.batch
    checkInteger('steps', steps, 1, this.config.timesteps)
    checkNumber('eta', eta, 0, 1)
    if (noise !== undefined) this.#checkMap('noise', noise, batch)
    if (onProgress !== undefined && typeof onProgress !== 'function') throw invalidArgument('onProgress', 'a function', onProgress)
    const seeds = checkSeeds(seed, batch)

    const failed = new AbortController()
    const onStep =
      onProgress &&
      ((step: number, steps: number) => {
        try {
          if (!stop?.aborted) onProgress({ step, steps })
        } catch (error) {
          failed.abort(error)
        }
      })
    const stop = onStep ? AbortSignal.any([failed.signal, ...(checkSignal(signal) ? [signal!] : [])]) : checkSignal(signal)
    return abortable(stop, (cancel) => model.predict('inputs' in from ? from.inputs : from, { steps, eta, seeds, noise }, cancel, onStep))
  }

  /**
   * Predicts the maps of a video file with its sound, as it is decoded.
   *
   * @param path - any file that ffmpeg reads
   * @see predictVideo for what it yields and throws
   */
  predictVideo(path: string, options?: PredictVideoOptions): AsyncGenerator<VideoMap, void, undefined> {
    return predictVideo(this, path, options)
  }

  /**
   * Encodes what a clip shows and sounds like, once for any number of {@link denoise} and {@link predict} calls. Dispose the features,
   * or leave them to the garbage collector. `seed` matters only to a `released` model that does not see, whose video maps are noise.
   *
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED, ERR_DIFFSAL_OUT_OF_MEMORY
   */
  async encode(input: ClipInput, options?: { signal?: AbortSignal; seed?: number | number[] }): Promise<Features> {
    const { signal, seed = randomInt(maxSeed + 1) } = checkOptions('options', options, ['signal', 'seed'])
    const model = this.#live()
    const { inputs, batch } = checkInputs(this.config, input)
    const seeds = checkSeeds(seed, batch)
    const handle = await abortable(checkSignal(signal), (cancel) => model.encode(inputs, seeds, cancel))
    return new Features(handle, model)
  }

  /**
   * One pass of the Saliency-UNet (eq. 6): the estimate of the clean map S0 from the noisy map x at time t.
   *
   * @param x - float32 (B, 1, H, W)
   * @param t - 0 to T - 1, one for all samples or one each
   * @returns float32 (B, 1, H, W), values 0 to 1
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED, ERR_DIFFSAL_OUT_OF_MEMORY
   */
  async denoise(
    x: Tensor<'float32'>,
    t: number | readonly number[],
    features: Features,
    options?: { signal?: AbortSignal },
  ): Promise<Tensor<'float32'>> {
    const model = this.#live()
    const { signal } = checkOptions('options', options, ['signal'])
    if (!(features instanceof Features)) throw invalidArgument('features', 'what encode() gave', features)
    const handle = nativeFeatures(features, model)
    this.#checkMap('x', x, features.batch)
    const times = typeof t === 'number' || !Array.isArray(t) ? Array.from({ length: features.batch }, () => t as number) : (t as number[])
    if (times.length !== features.batch) throw invalidArgumentText('t', `a number or ${features.batch} of them`, `${times.length}`)
    const latest = this.config.timesteps - 1
    const data = BigInt64Array.from(times, (time) => BigInt(checkInteger('t', time, 0, latest)))
    return abortable(checkSignal(signal), (cancel) => model.denoise(x, { dtype: 'int64', shape: [data.length], data }, handle, cancel))
  }

  /** Names and shapes of all tensors, as {@link save} writes them. @throws DiffSalError ERR_DIFFSAL_DISPOSED */
  parameters(): ParameterInfo[] {
    return this.#live()
      .parameters()
      .map(({ name, shape, buffer }) => ({ name, shape, dtype: 'float32', buffer }))
  }

  /** Bytes that this model holds now. @throws DiffSalError ERR_DIFFSAL_DISPOSED */
  memory(): ModelMemory {
    return this.#live().memory()
  }

  /** Frees the model after the work that was asked for before. Later calls are refused; disposing twice does nothing. */
  dispose(): Promise<void> {
    this.#closing ??= this.#native.close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  #live(): NativeModel {
    if (this.#closing) throw new DiffSalError('ERR_DIFFSAL_DISPOSED', 'This model was disposed.', { argument: 'model' })
    return this.#native
  }

  #checkMap(argument: string, map: Tensor, batch: number): void {
    const { shape } = checkTensor(argument, map, ['float32'])
    checkShape(argument, shape, [batch, 1, ...this.config.size])
  }
}

function checkSeed(argument: string, seed: unknown): number {
  return checkInteger(argument, seed, 0, maxSeed)
}

function checkSeeds(seed: unknown, batch: number): number[] {
  if (!Array.isArray(seed)) return Array<number>(batch).fill(checkSeed('seed', seed))
  if (seed.length !== batch) throw invalidArgumentText('seed', `a number or ${batch} of them`, `${seed.length}`)
  return seed.map((value, i) => checkSeed(`seed[${i}]`, value))
}

/** The configuration in a file's metadata. */
function storedConfig(path: string, text: string): DiffSalConfig {
  try {
    const stored: unknown = JSON.parse(text)
    if (typeof stored !== 'object' || stored === null) throw invalidArgument('diffsal', 'an object', stored)
    return resolveConfig(stored)
  } catch (cause) {
    throw new DiffSalError('ERR_DIFFSAL_CHECKPOINT', `The weights file '${path}' has a 'diffsal' configuration in its metadata that cannot be used: ${(cause as Error).message}`, {
      argument: path,
      cause,
    })
  }
}
