import { availableParallelism } from 'node:os'
import { abortable } from './addon/cancel.ts'
import { native, type NativeModel } from './addon/native.ts'
import { report, type ReportOptions } from './attention-report.ts'
import type { AttentionReport } from './attention/attention.ts'
import { verifyChecksum, withChecksum } from './checkpoint/checksum.ts'
import { readPretrained, readWeights } from './checkpoint/read-weights.ts'
import { headerBytes } from './checkpoint/safetensors.ts'
import { fixed } from './checks/fixed.ts'
import { checkChoice, checkInteger, checkOptions, checkString, nearest } from './checks/options.ts'
import { precisions, type Precision } from './checks/precision.ts'
import { priorityOption } from './checks/priority.ts'
import { checkSignal } from './checks/signal.ts'
import { later, readOptions, signal, type OptionTable } from './checks/table.ts'
import { mergeConfigs, resolveConfig, type DiffSalConfig, type PartialDiffSalConfig } from './config.ts'
import type { MelShape } from './datasets/clip-mel.ts'
import type { SaliencyDataset } from './datasets/dataset.ts'
import { melShape } from './datasets/model-batches.ts'
import { resolveDevice } from './devices.ts'
import type { Group } from './distributed/group.ts'
import { DiffSalError, invalidArgument, invalidArgumentText, madeBy } from './errors.ts'
import { evaluate, type EvaluateOptions } from './evaluate.ts'
import { exportOnnx, type ExportOnnxOptions, type OnnxFiles } from './export-onnx.ts'
import { isFeatures, makeFeatures, nativeFeatures, type Features } from './features.ts'
import { checkReplaceable, writingPlan } from './files/output-place.ts'
import { checkInputs, checkShape, type ClipInput } from './inputs.ts'
import { listen, type Listening, type ListenOptions } from './listen.ts'
import type { VideoInput } from './media/video-input.ts'
import type { ModelMemory } from './memory.ts'
import type { Scores } from './metrics/score.ts'
import type { ParameterInfo } from './parameter-count.ts'
import { openStream, type SaliencyStream, type StreamOptions } from './predict-stream.ts'
import { predictVideo, type PredictVideoOptions, type VideoMap } from './predict-video.ts'
import { predictVideos, type ManyVideoOutcome, type PredictVideosOptions } from './predict-videos.ts'
import { checkDiffusionTimes, checkMap, predict, type PredictOptions, type Prediction } from './predict.ts'
import { presets } from './presets.ts'
import { checkSeed, checkSeeds, drawSeed } from './random/seed.ts'
import { scheduleOf, type ModelSchedule } from './schedule.ts'
import { checkTensor, type Tensor } from './tensor.ts'
import { qualityRegions, type QualityRegionOptions, type QualityRegions } from './quality-regions.ts'
import { reframe, type ReframeOptions } from './reframe.ts'
import type { Reframing } from './reframe/reframing.ts'
import { thumbnails, type Thumbnail, type ThumbnailOptions } from './thumbnails.ts'
import { makeTrainer, resumeTrainer, type Trainer } from './trainer.ts'
import { checkSharing, resolveTrainerOptions, type TrainerOptions } from './training/options.ts'

/** How to save a model. */
export interface SaveOptions {
  /** What the file holds the weights as; whatever precision it predicts in. Running statistics stay float32. Default `float32`. */
  dtype?: 'float32' | 'float16' | 'bfloat16' | undefined
  /** Rejects with the signal's reason when aborted. */
  signal?: AbortSignal | undefined
}

/** Where and how a model runs. */
export interface RunOptions {
  /** `auto` (a CUDA device where there is one, else the CPU), `cpu`, `cuda` or `cuda:N`. Default `auto`. */
  device?: string | undefined
  /**
   * What predictions (`encode`, `denoise`, `predict` and what uses them) calculate in. `bfloat16` has float32's range and 8 binary digits: weights
   * and maps between layers are held in it, while the sums in matrix products and norms, the noisy map with its update, the diffusion time, the
   * modulation of eq. 9 and the map itself stay float32. Parameters are held, saved and trained as float32 (a trainer has a `precision` of its own).
   *
   * What it costs: on the golden cases, whose weights are random, maps (values 0 to 1) are up to 0.021 from the true ones and features up to 0.23;
   * the shipped weights' maps of 100 sounding scenes correlate with float32's at 0.99994 or more, in the mean 0.999998. The weights are held a second
   * time, in bfloat16.
   *
   * It pays on CUDA devices of compute capability 8.0 or more, and on CPUs that multiply bfloat16 (AVX-512 BF16 or AMX: Zen 4, Cooper Lake,
   * Sapphire Rapids and newer), where a clip at the paper's size takes less time than in float32; other CPUs are slower with it. A network as
   * small as the shipped one is slower with it. Default `float32`.
   */
  precision?: 'float32' | 'bfloat16' | undefined
  /** Threads on the CPU. Default: as many as the machine runs at once. */
  threads?: number | undefined
}

/** How to make a model with initial weights. */
export interface CreateOptions extends RunOptions {
  /** Decides the initial weights, 0 to 2^32 - 1. Default: drawn. */
  seed?: number | undefined
  /**
   * Files of encoders that were trained by themselves, whose weights and widths the network takes: MViTv2 in mmaction's or
   * torchvision's naming, VGGish, in safetensors or `.pth`. Default: none.
   */
  pretrained?: string | readonly string[] | undefined
}

/** How to load a model. */
export interface LoadOptions extends RunOptions {
  /**
   * What shall differ from the file's configuration. One that is told by shapes alone has the paper's size, heads, groups of
   * normalisations, and `mim` where sound is not concatenated or bilinear: give others here. Default: nothing.
   */
  config?: PartialDiffSalConfig | undefined
  /** Rejects with the signal's reason when aborted. */
  signal?: AbortSignal | undefined
}

/** How to encode a clip. */
export interface EncodeOptions {
  /** Decides the video maps of a `released` model that does not see, which are noise: 0 to 2^32 - 1, one for all clips or one each. Default: drawn. */
  seed?: number | readonly number[] | undefined
  /** When its turn comes among the calls that wait for the model, as of `predict`. Default `normal`. */
  priority?: 'high' | 'normal' | 'low' | undefined
  /** Rejects with the signal's reason when aborted. */
  signal?: AbortSignal | undefined
}

/** How to denoise a map. */
export type DenoiseOptions = Pick<EncodeOptions, 'priority' | 'signal'>

const denoiseTable = { priority: priorityOption, signal } satisfies OptionTable<DenoiseOptions>
const encodeTable = { ...denoiseTable, seed: later<number | readonly number[]>() } satisfies OptionTable<EncodeOptions>

/** How to resume a training. */
export interface ResumeOptions extends RunOptions {
  /** Processes that go on together, as of {@link TrainerOptions}; each resumes from the same file. Default: none. */
  group?: Group | undefined
  /** As of {@link TrainerOptions}. Default true. */
  synchronise?: boolean | undefined
  /** Rejects with the signal's reason when aborted. */
  signal?: AbortSignal | undefined
}

const ours = Symbol('model')
const runOptions = ['device', 'precision', 'threads'] as const

/**
 * A DiffSal network (CVPR 2024) with its weights, on one device.
 *
 * Calls may overlap; a model runs them one after the other, on a thread of its own, in their order unless a `priority` says otherwise. Inputs are copied
 * when a method is called, so their arrays can be reused at once. Every method rejects with a `DiffSalError`.
 */
export class DiffSal {
  /** The complete configuration. */
  readonly config: Readonly<DiffSalConfig>
  /** The device it runs on: `cpu`, `cuda:0`, … */
  readonly device: string
  /** What predictions calculate in: {@link RunOptions.precision}. */
  readonly precision: 'float32' | 'bfloat16'
  /** How many threads it computes with on the CPU. */
  readonly threads: number
  readonly #native: NativeModel
  #closing: Promise<void> | undefined
  /** Ends the decoding of videos that nobody reads on. */
  readonly #leaving = new AbortController()

  private constructor(key: symbol, config: DiffSalConfig, device: string, precision: Precision, threads: number, native: NativeModel) {
    if (key !== ours) throw madeBy('DiffSal', 'DiffSal.load or DiffSal.create')
    this.config = config
    this.device = device
    this.precision = precision
    this.threads = threads
    this.#native = native
    fixed(this, 'config', 'device', 'precision', 'threads')
  }

  /**
   * Makes a network with initial weights. A seed reproduces them, on every machine.
   *
   * @param config - what shall differ from the paper's network
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DEVICE, ERR_DIFFSAL_OUT_OF_MEMORY, and what opening libtorch throws
   */
  static async create(config?: PartialDiffSalConfig, options?: CreateOptions): Promise<DiffSal> {
    const known = ['seed', 'pretrained', ...runOptions] as const
    const { seed = drawSeed(), pretrained, ...run } = checkOptions<CreateOptions>('options', options, known)
    checkSeed('seed', seed)
    const { found, parts } = await readPretrained(pretrained)
    return DiffSal.#build(resolveConfig(mergeConfigs(found, config)), run, { seed, parts })
  }

  /**
   * Loads weights from a safetensors file, or from a `.pth` file of PyTorch, of which nothing is run. It is memory-mapped: do not
   * shorten it in place while the model lives (replacing it by a rename, as {@link save} does, is fine). Where the file has no
   * configuration, the names and shapes of its tensors tell it, but for what they cannot ({@link LoadOptions.config}). Of an encoder
   * by itself the rest of the network has initial weights, with a warning. A file that this package wrote has a checksum: all of it is read
   * once, and one that was damaged since is refused.
   *
   * @param path - default: the weights that ship with the package, {@link presets}' `gaze`, trained on where people looked
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_CHECKPOINT (damaged, or not of this configuration: missing, unknown and misshapen tensors
   * are named), and what {@link create} throws
   */
  static async load(path: string = presets.gaze.weights, options?: LoadOptions): Promise<DiffSal> {
    const { config, signal, ...run } = checkOptions<LoadOptions>('options', options, ['config', 'signal', ...runOptions])
    checkSignal(signal)?.throwIfAborted()
    const weights = await readWeights(path, config, async (checkpoint) => verifyChecksum(path, checkpoint, signal))
    return DiffSal.#build(weights.config, run, weights.from, signal)
  }

  /**
   * Goes on with a training that {@link Trainer.save} wrote, in a model of its own: what follows is bit for bit what would have followed,
   * on the same device (the CPU: with the same number of threads).
   *
   * @param from - a checkpoint, or a folder of them (a fit's `checkpointDir`): its newest whole one; those that are passed over, because
   * their checksum or their form tells that they are damaged, are named in a warning
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_CHECKPOINT (damaged, or weights without a training), and what {@link create} throws
   */
  static async resume(from: string, options?: ResumeOptions): Promise<Trainer<DiffSal>> {
    const { group, synchronise, ...run } = checkOptions<ResumeOptions>('options', options, ['group', 'synchronise', 'signal', ...runOptions])
    checkString('from', from)
    // Before the file is read, which is not to blame for them.
    checkSharing({ group, synchronise })
    checkSignal(run.signal)?.throwIfAborted()
    return resumeTrainer(
      from,
      run.signal,
      (path) => DiffSal.load(path, run),
      (model, stored) => model.trainer({ ...stored, group, synchronise }),
    )
  }

  static async #build(
    config: DiffSalConfig,
    { device = 'auto', precision = 'float32', threads = availableParallelism() }: RunOptions,
    from: Parameters<NativeModel['build']>[2] | ((model: NativeModel) => Promise<void>),
    signal?: AbortSignal,
  ): Promise<DiffSal> {
    checkChoice('precision', precision, precisions)
    checkInteger('threads', threads, 1, 1024)
    const id = resolveDevice(device)
    const model = new (native().Model)({ threads })
    try {
      const source = typeof from === 'function' ? await from(model).then(() => ({ lent: true }) as const) : from
      await abortable(signal, (cancel) => model.build(config, id, source, cancel, precision))
    } catch (error) {
      await model.close()
      throw error
    }
    return new DiffSal(ours, config, id, precision, threads, model)
  }

  /**
   * Writes the weights with their configuration to a safetensors file, beside `path` first and then renamed: an interrupted
   * save leaves the old file.
   *
   * @throws DiffSalError ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE, ERR_DIFFSAL_DISPOSED, ERR_DIFFSAL_INVALID_ARGUMENT (a weight that is too
   * large for `dtype`, too)
   */
  async save(path: string, options?: SaveOptions): Promise<void> {
    const { signal, dtype = 'float32' } = checkOptions<SaveOptions>('options', options, ['signal', 'dtype'])
    const model = this.#live()
    checkReplaceable(checkString('path', path))
    const stored = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const
    checkChoice('dtype', dtype, ['float32', 'float16', 'bfloat16'])
    const tensors = new Map(model.parameters().map(({ name, shape, buffer }) => [name, { dtype: buffer ? 'F32' : stored[dtype], shape } as const]))
    const header = headerBytes(tensors, withChecksum({ diffsal: JSON.stringify(this.config) }))
    await abortable(checkSignal(signal), (cancel) => model.save(writingPlan(path), header, dtype, cancel))
  }

  /**
   * Writes the network as two ONNX graphs for other runtimes, of opset 17 and for one clip, with its weights: `model.onnx` becomes `model.encode.onnx`, (frames, mel) → (video.0,
   * …, sound.0, …), which is run once a clip, and `model.denoise.onnx`, (x, t, video.0, …, sound.0, …) → s0, which is run once a step. {@link schedule} has the
   * steps between. `frames` are normalised, float32 (1, 3, T, H, W); `mel`, float32 (1, 1, T / 2 + 1, H / 2, W / 2), is what `melSlices` gives; `x` and `s0` are float32
   * (1, 1, H, W), `t` int64 (1). Both files appear, or none.
   *
   * @param path - ends in `.onnx`
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, also for a model that is not on the CPU in float32, whose weights take more than 2 GB, or that calculates with what has no
   * rule; ERR_DIFFSAL_FILE, ERR_DIFFSAL_NO_SPACE, ERR_DIFFSAL_DISPOSED, ERR_DIFFSAL_OUT_OF_MEMORY
   */
  async exportOnnx(path: string, options?: ExportOnnxOptions): Promise<OnnxFiles> {
    const model = this.#live()
    if (this.device !== 'cpu' || this.precision !== 'float32') {
      throw invalidArgumentText('model', "on the CPU in float32 (load it with { device: 'cpu' })", `one on '${this.device}' in ${this.precision}`)
    }
    return exportOnnx(model, this.config, path, options)
  }

  /**
   * Predicts the saliency map of a clip, or of each clip of a batch: encodes it once, then samples (Algorithm 2).
   *
   * @param input - a clip, or features from {@link encode}
   * @returns with the options `estimates`, `uncertainty` or `activity`, an object with the map and these; else the map, float32 (B, 1, H, W), values 0 to 1
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED, ERR_DIFFSAL_OUT_OF_MEMORY; ERR_DIFFSAL_CHECKPOINT where the weights
   * give no finite map
   */
  predict(input: ClipInput | Features, options: PredictOptions & ({ estimates: true } | { uncertainty: number } | { activity: true })): Promise<Prediction>
  /** Predicts the map alone: float32 (B, 1, H, W), values 0 to 1. */
  predict(
    input: ClipInput | Features,
    options?: PredictOptions & { estimates?: false | undefined; uncertainty?: undefined; activity?: false | undefined },
  ): Promise<Tensor<'float32'>>
  /** Predicts what options ask for that are known at run time only: the map alone, or with `estimates`, `uncertainty` or `activity` a {@link Prediction}. */
  predict(input: ClipInput | Features, options: PredictOptions): Promise<Tensor<'float32'> | Prediction>
  async predict(input: ClipInput | Features, options?: PredictOptions): Promise<Tensor<'float32'> | Prediction> {
    return predict(this.#live(), this.config, input, options)
  }

  /**
   * Predicts the saliency maps of a video with its sound, in order, as it is decoded: memory does not grow with its length. The model
   * has two batches at a time, and one more is read ahead. Every frame gets a map (every `stride`-th one); the window of frame k is
   * k − 8 … k + 7 for clips of 16, with the edge frames repeated; with `config.gazeDelay`, that of the earliest frame of the last so many seconds. Every frame that the file shows counts, and has its own time. Where these
   * are uneven, the window has the frames as they are counted, and the sound around frame k's own time, as long as 16 frames last on the average.
   *
   * A frame that cannot be decoded is the one before it again, and a warning says how many and where; those before the first that can are left
   * out. A model that hears gets silence (and a warning is logged) where the file has no sound. A model of sound alone also takes a file
   * without video, at 25 maps a second. A still picture is a clip in which nothing moves, with a warning. Leaving the loop ends the decoding
   * at once.
   *
   * What is no file (an address, bytes, a stream) is read to its end first, into a temporary file of at most `spoolLimit` bytes, which is
   * removed however the loop ends.
   *
   * @param input - a file, an address, bytes or a stream of anything that ffmpeg reads
   * @returns one {@link VideoMap} a map
   * @throws DiffSalError at the first map: ERR_DIFFSAL_INVALID_ARGUMENT; ERR_DIFFSAL_FILE and ERR_DIFFSAL_MEDIA for an input that
   * cannot be read or is no video; ERR_DIFFSAL_NO_SPACE; ERR_DIFFSAL_FFMPEG_MISSING; at any: what {@link predict} throws
   */
  predictVideo(input: VideoInput, options?: PredictVideoOptions): AsyncGenerator<VideoMap, void, undefined> {
    return predictVideo(this, input, options, this.#leaving.signal)
  }

  /**
   * Predicts many videos, each once, with this model, and tells how each ended as it does. `write` gets a video's maps and makes of them what is to be
   * kept:
   *
   * ```ts
   * const videos = model.predictVideos('videos/**\/*.mp4', { output: 'out', outputs: (place) => `${place}.txt`, stride: 25, write: writeText })
   * for await (const video of videos) if (video.status === 'failed') failed.push(video)
   * ```
   *
   * A video that was finished before, and whose outputs are as they were made, is passed over. So a start after a kill does what is left. One that
   * fails is told, and the others go on; what every video would meet ends the loop. Several processes may work into one folder: each takes a video by a lock
   * file first, and ends when all of its part are finished. Beside the first output of each video lies a `.json` of its name, which is written last.
   *
   * @param inputs - files, folders, and patterns with `*`, `**`, `?`, `[…]` and `{…,…}`; one that begins with `!` leaves out
   * @returns how it ended with each video of this part, in the order in which they end
   * @throws DiffSalError at the first video: ERR_DIFFSAL_INVALID_ARGUMENT, also where two videos would have one output; ERR_DIFFSAL_FILE for folders that cannot
   * be read or written; at any: ERR_DIFFSAL_FFMPEG_MISSING, ERR_DIFFSAL_NO_SPACE, ERR_DIFFSAL_DISPOSED
   */
  predictVideos<Result>(inputs: string | readonly string[], options: PredictVideosOptions<Result>): AsyncGenerator<ManyVideoOutcome<Result>, void, undefined> {
    return predictVideos(this, inputs, options, this.#leaving.signal)
  }

  /**
   * Predicts frames and sound as they come, of a camera say. Push them, and iterate over the stream for the maps:
   *
   * ```ts
   * const stream = model.stream({ fps: 30, sampleRate: 48_000, lookahead: 2 })
   * camera.on('frame', (frame) => stream.pushFrame(frame))
   * microphone.on('data', (samples) => stream.pushAudio(samples))
   * for await (const { time, tensor } of stream) show(time, tensor)
   * ```
   *
   * A clip has frames after its own, so a map comes later than its frame: by (lookahead + 1) / fps seconds at least, 267 ms for all seven of a clip of 16 at 30
   * frames a second, and by what the model takes. With a `config.gazeDelay` clips lie earlier: of the shipped `gaze` none is waited for at 30. With all of them the maps are those of {@link predictVideo}.
   *
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED
   */
  stream(options: StreamOptions): SaliencyStream {
    this.#live()
    return openStream(this, options, this.#leaving.signal)
  }

  /**
   * Finds the window of another aspect that follows what people look at in a video, say an upright one of a wide video. It is as large as the
   * frame allows and moves one way; its path over a shot is one optimisation, within bounds of speed and acceleration. `cropVideo` writes what is
   * in it, `cropFilter` makes a script for ffmpeg of it. Of a part (`start`, `end`) it gives the windows of that part, and these two make that part.
   *
   * @param input - a file, an address, bytes or a stream of anything that ffmpeg reads
   * @returns where the window is in each frame
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT (an aspect that leaves no window of 16 pixels), and what {@link predictVideo} throws
   */
  async reframe(input: VideoInput, options?: ReframeOptions): Promise<Reframing> {
    return reframe(this, input, options, this.#leaving.signal)
  }

  /**
   * Finds the regions of a video that people look at, as quality offsets for an encoder. `qualityFilter` makes a filter graph for ffmpeg of them, which
   * libx264 and libx265 obey.
   *
   * @param input - a file, an address, bytes or a stream of anything that ffmpeg reads
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, and what {@link predictVideo} throws
   */
  async qualityRegions(input: VideoInput, options?: QualityRegionOptions): Promise<QualityRegions> {
    return qualityRegions(this, input, options, this.#leaving.signal)
  }

  /**
   * Takes the frames of a video in which people look at one place most, far apart in time and not in a fade, as PNG or JPEG; cropped around it where
   * an `aspect` is told.
   *
   * @param input - a file, an address, bytes or a stream of anything that ffmpeg reads
   * @returns the best first
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT (an aspect that leaves no window of 16 pixels), and what {@link predictVideo} throws
   */
  async thumbnails(input: VideoInput, options?: ThumbnailOptions): Promise<Thumbnail[]> {
    return thumbnails(this, input, options, this.#leaving.signal)
  }

  /**
   * Sums up what the maps of a video say of attention: how concentrated it is over time, which regions held it longest (with a picture each), and how
   * much of it areas get that somebody drew: their share of attention and of time, and the first look at each.
   *
   * Each frame belongs to the nearest map of its own shot, so that a map stands for some seconds Δt. A region or an area has the share s of a map: the part
   * of the map's sum that lies in it, each pixel by the part of it that is inside. Its dwell is Σ s·Δt, in seconds. An area, whose share of the picture is a, is looked at
   * where s ≥ L·a / (1 + (L − 1)·a): where the odds of s are L (`look`) times those of a. Regions are what has at least half of a map's greatest value, with boxes of half of
   * the picture at most (`maps.boxes`), linked from one map to the next of the same shot where two boxes share half of the smaller one, the most alike first.
   *
   * The video is read once for the maps, and once more, small, for the pictures. Of each map some numbers are kept: memory does not grow with the pixels.
   *
   * @param input - a file, an address, bytes or a stream of anything that ffmpeg reads
   * @returns plain data; places are in pixels of the frame as it is shown, times in seconds on the video's clock
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, for areas that are not within the frame or the video's time, and an output that is the input, too; ERR_DIFFSAL_FILE, also for
   * an output that cannot be written; ERR_DIFFSAL_NO_SPACE; and what {@link predictVideo} throws
   */
  async report(input: VideoInput, options?: ReportOptions): Promise<AttentionReport> {
    return report(this, input, options, this.#leaving.signal)
  }

  /**
   * Finds out whether this model uses the sound of a video: whether its maps are other ones with a wrong sound. Each frame that is looked at is predicted with its own sound,
   * with silence, with the sound of another of the frames, and with the sound of a moment later, all from the same noise. The yardstick is its own sound from other noise.
   *
   * The rule: it hears where for one of the wrong sounds 1 − CC between the map with it and the map with the right sound, in the mean over the frames, is at least twice that of
   * the other noise and 0.001 or more, and KL is at least twice the other noise's too. A sound that is alike throughout, as of an engine, changes a map by silence alone.
   *
   * @param input - a file, an address, bytes or a stream of anything with sound that ffmpeg reads
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, for a model that does not hear too; ERR_DIFFSAL_FILE and ERR_DIFFSAL_MEDIA for a file that cannot be read, or has no sound;
   * ERR_DIFFSAL_FFMPEG_MISSING; and what {@link predict} throws
   */
  async listen(input: VideoInput, options?: ListenOptions): Promise<Listening> {
    this.#live()
    return listen(this, input, options, this.#leaving.signal)
  }

  /**
   * Predicts every sample of a dataset, in its order, and scores the maps against its ground truth by the published chain
   * (`metrics.score`). Samples are read ahead; the next are predicted while some are scored.
   *
   * @param dataset - one that `datasets.openDataset` gives, or any object with `length`, `get(i)` and `truth(video, frame)`
   * @returns means over each video's frames, then over the videos; undefined frames are dropped and counted
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT (a sample that the model cannot take is named, and a dataset without ground truth
   * refused), what the dataset throws, and what {@link predict} throws
   */
  async evaluate(dataset: SaliencyDataset, options?: EvaluateOptions): Promise<Scores> {
    this.#live()
    return evaluate(this, dataset, options)
  }

  /**
   * Encodes what a clip shows and sounds like, once for any number of {@link denoise} and {@link predict} calls. Dispose the features,
   * or leave them to the garbage collector.
   *
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED, ERR_DIFFSAL_OUT_OF_MEMORY
   */
  async encode(input: ClipInput, options?: EncodeOptions): Promise<Features> {
    const { signal, priority, seed = drawSeed() } = readOptions<EncodeOptions, typeof encodeTable>('options', options, encodeTable)
    const model = this.#live()
    const { inputs, batch } = checkInputs(this.config, input)
    const seeds = checkSeeds(seed, batch)
    const handle = await abortable(signal, (cancel) => model.encode(inputs, seeds, cancel, priority))
    return makeFeatures(handle, model)
  }

  /**
   * One pass of the Saliency-UNet (eq. 6): the estimate of the clean map S0 from the noisy map x at time t.
   *
   * @param x - float32 (B, 1, H, W)
   * @param t - diffusion times, 0 to T - 1, one for all samples or one each
   * @param features - what {@link encode} of this model gave, of the same batch
   * @returns float32 (B, 1, H, W), values 0 to 1
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED, ERR_DIFFSAL_OUT_OF_MEMORY
   */
  async denoise(x: Tensor<'float32'>, t: number | readonly number[], features: Features, options?: DenoiseOptions): Promise<Tensor<'float32'>> {
    const model = this.#live()
    const { signal, priority } = readOptions<DenoiseOptions, typeof denoiseTable>('options', options, denoiseTable)
    if (!isFeatures(features)) throw invalidArgument('features', 'what encode() gave', features)
    const handle = nativeFeatures(features, model)
    const noisy = checkMap('x', x, this.config, features.batch)
    const times = checkDiffusionTimes(t, features.batch, this.config.timesteps)
    return abortable(signal, (cancel) => model.denoise(noisy, times, handle, cancel, priority))
  }

  /**
   * The log-mel slices that this model hears, for the option `mel` of `datasets.loadBatches`: [height, width], half its pictures', and
   * how many. false where it does not hear.
   */
  get melShape(): MelShape | false {
    return melShape(this.config)
  }

  /** The noise schedule that it samples by, at its own T and in its dialect: for a sampler of one's own around {@link denoise}. */
  get schedule(): ModelSchedule {
    return scheduleOf(this.config)
  }

  /** Names and shapes of all tensors, as {@link save} writes them. @throws DiffSalError ERR_DIFFSAL_DISPOSED */
  parameters(): ParameterInfo[] {
    return this.#live()
      .parameters()
      .map(({ name, shape, buffer }) => ({ name, shape, dtype: 'float32', buffer }))
  }

  /** The values of the tensor `name`, as they are after the work that was asked for before. @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED */
  async parameter(name: string): Promise<Tensor<'float32'>> {
    const model = this.#live()
    return model.parameter(checkParameter(model, name).name)
  }

  /**
   * Gives the tensor `name` other values, after the work that was asked for before: to start from weights of your own making, or to try what one of
   * them does. What is made of it is made again. A trainer's state of it (Adam's means, the running average) stays.
   *
   * @param name - one of {@link parameters}
   * @param values - float32 of its shape, finite: whatever {@link parameter} gives of weights that are
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED, ERR_DIFFSAL_OUT_OF_MEMORY
   */
  async setParameter(name: string, values: Tensor<'float32'>): Promise<void> {
    const model = this.#live()
    const { name: known, shape } = checkParameter(model, name)
    const checked = checkTensor('values', values, ['float32'])
    checkShape('values', checked.shape, shape)
    await model.setParameter(known, checked)
  }

  /**
   * A model of its own with the same configuration and the same tensors, running statistics included, as they are after the work that was asked for
   * before. What is done to one of the two, training too, does not touch the other. Trainers are not copied.
   *
   * @param options - where and how it runs; by default as this one
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED, ERR_DIFFSAL_DEVICE, ERR_DIFFSAL_OUT_OF_MEMORY
   */
  async clone(options?: RunOptions): Promise<DiffSal> {
    const { device = this.device, precision = this.precision, threads = this.threads } = checkOptions<RunOptions>('options', options, runOptions)
    const model = this.#live()
    return DiffSal.#build(this.config, { device, precision, threads }, (copy) => model.lendCopies(copy))
  }

  /**
   * Trains this model, in place. See {@link Trainer}.
   *
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED
   */
  trainer(options?: TrainerOptions): Trainer<DiffSal> {
    const parameters = this.parameters().flatMap(({ name, buffer }) => (buffer ? [] : [name]))
    const { sharing, options: own } = checkSharing(options)
    const facts = { device: this.device, dropout: this.config.dropout, timesteps: this.config.timesteps, parameters }
    return makeTrainer(this, () => this.#live(), resolveTrainerOptions(own, facts, sharing?.hands.seed), sharing)
  }

  /** Bytes that this model holds now. @throws DiffSalError ERR_DIFFSAL_DISPOSED */
  memory(): ModelMemory {
    return this.#live().memory()
  }

  /**
   * Frees the model after the work that was asked for before; a {@link predictVideo} or {@link stream} that goes on ends with ERR_DIFFSAL_DISPOSED. Later
   * calls are refused; disposing twice does nothing.
   */
  dispose(): Promise<void> {
    this.#leaving.abort(disposed())
    this.#closing ??= this.#native.close()
    return this.#closing
  }

  /** Whether {@link dispose} was called. */
  get disposed(): boolean {
    return this.#closing !== undefined
  }

  /** {@link dispose}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  #live(): NativeModel {
    if (this.#closing) throw disposed()
    return this.#native
  }
}

/** A tensor of the model. */
function checkParameter(model: NativeModel, name: string): { readonly name: string; readonly shape: readonly number[] } {
  const parameters = model.parameters()
  const found = parameters.find((one) => one.name === checkString('name', name))
  if (found !== undefined) return found
  const near = nearest(
    name,
    parameters.map((one) => one.name),
  )
  throw invalidArgument('name', `the name of one of the model's ${parameters.length} tensors${near === undefined ? '' : ` (did you mean '${near}'?)`}`, name)
}

function disposed(): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_DISPOSED', 'This model was disposed.', { argument: 'model' })
}
