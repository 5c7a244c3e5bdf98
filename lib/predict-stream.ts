import { anySignal } from './async/abort.ts'
import type { Duplex } from 'node:stream'
import { stoppable } from './async/stoppable.ts'
import { checkNumber } from './checks/options.ts'
import { choice, integer, number, readOptions, signal, yes, type OptionTable } from './checks/table.ts'
import { describe, invalidArgument, invalidArgumentText } from './errors.ts'
import { checkSamples } from './inputs.ts'
import { duplexOf } from './live/duplex.ts'
import { LiveClips, streamEnded, type Drop, type LiveClip } from './live/live-clips.ts'
import { log } from './log.ts'
import { defaultStallLimit } from './media/stall-watch.ts'
import { samplingTable, type Prediction } from './predict.ts'
import { partOf } from './prediction-parts.ts'
import type { Predictor, VideoMap } from './predict-video.ts'
import { drawSeed, seedOption } from './random/seed.ts'
import { checkTensor, type Tensor } from './tensor.ts'

/** How a stream of frames and sound is predicted. */
export interface StreamOptions {
  /** Frames a second, 0.01 to 10 000. Needed. */
  fps: number
  /** Samples a second of the sound, 1000 to 384 000. Default: the stream has no sound, and a model that hears gets silence. */
  sampleRate?: number | undefined
  /**
   * How many frames after its own a map waits for, 0 to ⌈T / 2⌉ - 1, 7 of clips of 16. Fewer come sooner: the last of them is repeated for those that
   * the clip lacks, and its sound is silent from there.
   * Where the model's `config.gazeDelay` puts clips earlier, fewer come after the frame anyway. Default: all.
   */
  lookahead?: number | undefined
  /** Seconds that a frame may wait beyond that: the first half for sound that is late, then for the model. 0.01 to 60. Default 1. */
  latency?: number | undefined
  /**
   * What becomes of frames that come faster than their maps are made and read. `oldest`: those that wait longest get no map, and are seen by the
   * others still. `block`: `pushFrame` does not resolve until there is room, as a stream of Node's holds back its writer. `error`: the stream ends with
   * ERR_DIFFSAL_OVERRUN. Default `oldest`.
   */
  drop?: 'oldest' | 'block' | 'error' | undefined
  /** Whether frames that are missing, by the times of those about them, are the one before them again. false for a variable rate. Default true. */
  repeat?: boolean | undefined
  /** A map for every stride-th frame: 0, stride, 2 · stride, … Default 1. */
  stride?: number | undefined
  /** Predict from the frames alone, though the model can hear. Default false. */
  videoOnly?: boolean | undefined
  /** Denoising steps, as of `predict`. Default: the model's. */
  steps?: number | undefined
  /** Randomness of the sampling, 0 to 1, as of `predict`. Default 0. */
  eta?: number | undefined
  /** Decides the noise, 0 to 2^32 - 1: the same for every frame, so that maps do not flicker. Default: drawn once for the stream. */
  seed?: number | undefined
  /** Seconds without a frame or sound, while one is waited for, after which the stream ends with ERR_DIFFSAL_MEDIA. Default 60. */
  stallLimit?: number | undefined
  /** Ends the stream; the pending map, and what is pushed later, reject with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** The map of a frame of a stream: `frame` counts what was pushed, from 0, and what was repeated; `size` is that of the frames. */
export type StreamMap = Pick<VideoMap, 'frame' | 'time' | 'size' | 'tensor'>

/** What the writing side of {@link SaliencyStream.toDuplex} takes: a frame or sound, each with its time or without. */
export type StreamChunk =
  | {
      /** uint8 (H, W, 3). */
      frame: Tensor<'uint8'>
      /** When it is shown, in seconds. Default: 1 / fps after the one before. */
      time?: number | undefined
    }
  | {
      /** Mono, from -1 to 1. */
      samples: Float32Array
      /** When the first of them is heard, in seconds. Default: after those before. */
      time?: number | undefined
    }

/**
 * Maps of frames and sound as they come. Push frames and sound, and iterate over it for the maps, at the same time.
 *
 * What it holds is bounded: the frames of a clip, and those that `latency` lets wait.
 */
export interface SaliencyStream extends AsyncIterable<StreamMap>, AsyncDisposable {
  /**
   * Takes the next frame, which is copied.
   *
   * @param frame - uint8 RGB (h, w, 3), all of one size. The model's own size takes the least memory and time
   * @param time - seconds, on the same clock as the sound's. A time that runs back is that of the frame before. Default: 1 / fps after the one before
   * @returns when the next may come: at once, but with `drop: 'block'`
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, ERR_DIFFSAL_DISPOSED after the end, and what the stream failed with
   */
  pushFrame(frame: Tensor<'uint8'>, time?: number): Promise<void>
  /**
   * Takes mono sound, which is copied: in pieces of any length.
   *
   * @param samples - -1 to 1, at the stream's `sampleRate`
   * @param time - seconds at which it begins: what comes twice is left out, and there is silence where nothing comes. Default: right after the piece before
   * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT, also for sound further than 10 s from the picture; ERR_DIFFSAL_DISPOSED after the end, and what the
   * stream failed with
   */
  pushAudio(samples: Float32Array, time?: number): Promise<void>
  /** Says that nothing more comes: the last frames get their maps, with the last one repeated, and the iteration ends. */
  end(): void
  /** How many frames got no map because the model could not keep up. */
  readonly dropped: number
  /** The maps, in order. Leaving the loop ends the stream. There is one iteration, whoever asks for it. */
  [Symbol.asyncIterator](): AsyncGenerator<StreamMap, void, undefined>
  /**
   * The stream as a Duplex of objects, for `pipeline`: it takes {@link StreamChunk}s and gives {@link StreamMap}s. Destroying it ends the stream.
   */
  toDuplex(): Duplex
}

const table = (most: number) =>
  ({
    ...samplingTable(),
    fps: { ...number(0.01, 10_000), needed: true },
    sampleRate: integer(1000, 384_000),
    lookahead: integer(0, most, { usual: most }),
    latency: number(0.01, 60, { usual: 1 }),
    drop: choice<Drop, 'oldest'>(['oldest', 'block', 'error'], { usual: 'oldest' }),
    repeat: yes({ usual: true }),
    stride: integer(1, undefined, { usual: 1 }),
    videoOnly: yes({ usual: false }),
    seed: seedOption(),
    stallLimit: number(0.001, 86_400, { usual: defaultStallLimit }),
    signal,
  }) satisfies OptionTable<StreamOptions>

/**
 * Opens a stream of a model's maps.
 *
 * @param ending - ends it as `options.signal` does: the model's own end
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT
 */
export function openStream(model: Predictor, options: StreamOptions, ending?: AbortSignal): SaliencyStream {
  const { clipLength, video, audio, size: modelSize, gazeDelay = 0 } = model.config
  const given = readOptions<StreamOptions, ReturnType<typeof table>>('options', options, table(clipLength - Math.floor(clipLength / 2) - 1))
  const { sampleRate, videoOnly, repeat: repeats, steps, eta, seed = drawSeed(), signal: stop } = given
  if (videoOnly && !video) throw invalidArgument('videoOnly', 'false for a model of sound alone', true)
  if (!video && sampleRate === undefined) throw invalidArgument('sampleRate', 'given for a model of sound alone', sampleRate)
  const hears = audio && !videoOnly
  if (hears && sampleRate === undefined)
    log('warn', 'The stream has no sound (no sampleRate): the maps are predicted with silence. Use videoOnly to leave sound out.')

  const clips = new LiveClips({ ...given, sampleRate, clipLength, gazeDelay, video, audio: hears, repeats })
  const leaving = new AbortController()
  const ended = anySignal(stop, ending, leaving.signal)
  if (ended.aborted) clips.fail(ended.reason)
  ended.addEventListener('abort', () => clips.fail(ended.reason), { once: true })

  const predict = async ({ frames, audio: excerpt, ...clip }: LiveClip): Promise<StreamMap> => {
    const input = { ...(frames && { frames }), ...(audio && { audio: excerpt ? [excerpt] : null }) }
    const predicted: Tensor<'float32'> | Prediction = await model.predict(input, { ...(steps !== undefined && { steps }), eta, seed: [seed], signal: ended })
    const { tensor } = partOf('map' in predicted ? predicted : { map: predicted }, 0)
    return { frame: clip.frame, time: clip.time, size: clip.size ?? modelSize, tensor }
  }
  const leave = (): void => leaving.abort(streamEnded())
  const maps = stoppable(async function* (left): AsyncGenerator<StreamMap, void, undefined> {
    const cut = clips.clips()
    // A clip is cut when the model is free, and not before, so that it is of now; the next map is made while its reader is busy with this one.
    const make = async (): Promise<StreamMap | undefined> => {
      const { done, value } = await cut.next()
      return done ? undefined : predict(value)
    }
    let next: Promise<StreamMap | undefined> | undefined
    try {
      for (;;) {
        const map = await (next ?? make())
        if (map === undefined) return
        next = make()
        next.catch(() => undefined)
        yield map
        ended.throwIfAborted()
      }
    } catch (error) {
      clips.fail(error)
      if (!left.aborted) throw error
    } finally {
      leave()
      await next?.catch(() => undefined)
    }
  }, leave)
  return new Live(clips, maps, video)
}

class Live implements SaliencyStream {
  readonly #clips: LiveClips
  readonly #maps: AsyncGenerator<StreamMap, void, undefined>
  readonly #sees: boolean

  constructor(clips: LiveClips, maps: AsyncGenerator<StreamMap, void, undefined>, sees: boolean) {
    this.#clips = clips
    this.#maps = maps
    this.#sees = sees
  }

  get dropped(): number {
    return this.#clips.dropped
  }

  pushFrame(frame: Tensor<'uint8'>, time?: number): Promise<void> {
    return this.#push(() => {
      if (!this.#sees) throw invalidArgumentText('frame', 'left out, because this model only hears', describe(frame))
      const { shape, data } = checkTensor('frame', frame, ['uint8'])
      const [height = 0, width = 0, channels] = shape
      if (shape.length !== 3 || channels !== 3 || data.length === 0) throw invalidArgumentText('frame.shape', '(h, w, 3)', describe([...shape]))
      this.#clips.takeFrame(data, [height, width], checkTime(time))
    })
  }

  pushAudio(samples: Float32Array, time?: number): Promise<void> {
    return this.#push(() => this.#clips.takeSound(checkSamples('samples', samples, 0).data, checkTime(time)))
  }

  /**
   * What the stream failed with is told by the iteration too: who does not await a push does not end the process by it. What was wrong with the
   * arguments is told by the push alone.
   */
  #push(take: () => void): Promise<void> {
    let pushed: Promise<void>
    try {
      take()
      pushed = this.#clips.room()
    } catch (error) {
      pushed = Promise.reject(error as Error)
      if (!this.#clips.over) return pushed
    }
    pushed.catch(() => undefined)
    return pushed
  }

  end(): void {
    this.#clips.end()
  }

  toDuplex(): Duplex {
    return duplexOf(this, this.#maps)
  }

  [Symbol.asyncIterator](): AsyncGenerator<StreamMap, void, undefined> {
    return this.#maps
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#maps.return()
  }
}

function checkTime(time: number | undefined): number | undefined {
  return time === undefined ? undefined : checkNumber('time', time, -1e12, 1e12)
}
