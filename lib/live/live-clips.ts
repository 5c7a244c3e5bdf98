import { DiffSalError, invalidArgument, invalidArgumentText } from '../errors.ts'
import type { AudioExcerpt } from '../inputs.ts'
import { StallWatch } from '../media/stall-watch.ts'
import { soundRate } from '../media/sound.ts'
import type { Tensor } from '../tensor.ts'
import { FrameBuffer, type NextClip } from './frame-buffer.ts'
import { SoundBuffer } from './sound-buffer.ts'

/** The error for what is pushed after the end. */
export function streamEnded(): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_DISPOSED', 'This stream has ended.', { argument: 'stream' })
}

/** What becomes of frames that come faster than their maps are made. */
export type Drop = 'oldest' | 'block' | 'error'

/** How {@link LiveClips} cuts clips. */
export interface LivePlan {
  /** T, the frames of a clip. */
  readonly clipLength: number
  /** Seconds by which gaze comes after the picture. */
  readonly gazeDelay: number
  readonly lookahead: number
  readonly stride: number
  readonly fps: number
  /** Samples a second; undefined where no sound is waited for. */
  readonly sampleRate: number | undefined
  /** Whether clips carry frames; else sound alone counts them. */
  readonly video: boolean
  /** Whether clips carry sound. */
  readonly audio: boolean
  /** Seconds that frames may wait. */
  readonly latency: number
  readonly drop: Drop
  readonly repeats: boolean
  readonly stallLimit: number
}

/** A clip, ready to be predicted. */
export interface LiveClip {
  readonly frame: number
  readonly time: number
  /** [height, width] of the frames; undefined for sound alone. */
  readonly size: readonly [number, number] | undefined
  /** uint8 (1, T, h, w, 3). */
  readonly frames: Tensor<'uint8'> | undefined
  readonly audio: AudioExcerpt | undefined
}

/** Sound that is further than this from the picture is not of it. In seconds. */
const farthest = 10

/** The clips of frames and sound that are pushed, one after the other. What is held is bounded, however long it goes on. */
export class LiveClips {
  readonly #plan: LivePlan
  readonly #frames: FrameBuffer
  readonly #sound: SoundBuffer | undefined
  readonly #mostWaiting: number
  readonly #changes = new Set<() => void>()
  #size: readonly [number, number] | undefined
  #timed = false
  #firstSound: number | undefined
  #dropped = 0
  #ended = false
  #failure: { readonly error: unknown } | undefined

  constructor(plan: LivePlan) {
    this.#plan = plan
    this.#frames = new FrameBuffer(plan.clipLength, plan.gazeDelay, plan.lookahead, plan.stride, 1 / plan.fps)
    this.#sound = plan.sampleRate === undefined || !plan.audio ? undefined : new SoundBuffer(plan.sampleRate)
    this.#mostWaiting = Math.max(3, Math.floor((plan.latency * plan.fps) / plan.stride))
  }

  /** How many clips were passed over because the model could not keep up. */
  get dropped(): number {
    return this.#dropped
  }

  /** Bytes and samples that are held, for tests of memory. */
  get held(): { readonly frames: number; readonly samples: number } {
    return { frames: this.#frames.held, samples: this.#sound?.held ?? 0 }
  }

  /** Whether it has ended, or failed. */
  get over(): boolean {
    return this.#ended || this.#failure !== undefined
  }

  /** Takes a frame, which is copied. */
  takeFrame(pixels: Uint8Array, [height, width]: readonly [number, number], time: number | undefined): void {
    this.#open()
    this.#size ??= [height, width]
    if (this.#size[0] !== height || this.#size[1] !== width) {
      throw invalidArgumentText('frame.shape', `(${this.#size.join(', ')}, 3), as of the frames before`, `(${height}, ${width}, 3)`)
    }
    this.#add(pixels.slice(), time)
  }

  /** Resolves when the next may come; at once where nobody is to be held back. */
  async room(): Promise<void> {
    while (this.#plan.drop === 'block' && this.#frames.waitMoreThan(this.#mostWaiting)) {
      await this.#change()
      if (this.#failure) throw this.#failure.error
    }
  }

  /** Takes sound, which is copied. */
  takeSound(samples: Float32Array, time: number | undefined): void {
    this.#open()
    const { sampleRate, video } = this.#plan
    if (sampleRate === undefined) throw invalidArgument('samples', "left out where the stream has no 'sampleRate'", samples)
    const sound = this.#sound
    if (sound === undefined) return // the model is not to hear it
    const start = sound.startOf(time)
    if (video) this.#checkDistance(start / sampleRate, samples.length / sampleRate)
    sound.push(samples.slice(), start)
    if (!video)
      for (let k = this.#frames.count; k / this.#plan.fps < sound.end / sampleRate; k = this.#frames.count) this.#add(new Uint8Array(0), k / this.#plan.fps)
    this.#forget()
    this.#changed()
  }

  /** There is no more to come. */
  end(): void {
    this.#ended = true
    this.#changed()
  }

  /** Ends it for all who wait. The first error is the one that counts. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#changed()
  }

  /** The clips as they come. */
  async *clips(): AsyncGenerator<LiveClip, void, undefined> {
    const watch = new StallWatch(this.#plan.stallLimit, () => {
      const message = `The stream gave nothing for ${this.#plan.stallLimit} s. End it by end(), or allow more time by the stallLimit option.`
      this.fail(new DiffSalError('ERR_DIFFSAL_MEDIA', message, { argument: 'stream' }))
    })
    for (;;) {
      if (this.#failure) throw this.#failure.error
      const { next } = this.#frames
      if (next !== undefined && (this.#ended || this.#isReady(next))) yield this.#cut(next)
      else if (this.#ended) return
      else await watch.wait(this.#change())
    }
  }

  #add(pixels: Uint8Array, given: number | undefined): void {
    const { fps, repeats, video, drop } = this.#plan
    this.#timed ||= given !== undefined && video
    const { newest, count } = this.#frames
    const time = given ?? (this.#timed && newest !== undefined ? newest + 1 / fps : count / fps)
    this.#frames.push(pixels, time, repeats && video)
    if (drop !== 'block') this.#shed()
    this.#changed()
  }

  /** Sees to it that no more clips wait than may. */
  #shed(): void {
    while (this.#frames.waitMoreThan(this.#mostWaiting)) {
      if (this.#plan.drop === 'error') {
        const message = `The model cannot keep up: ${this.#mostWaiting} frames, ${this.#plan.latency} s, wait for their maps. Give it fewer (fps, stride), or let the oldest be dropped.`
        return this.fail(new DiffSalError('ERR_DIFFSAL_OVERRUN', message, { argument: 'stream' }))
      }
      this.#frames.pass()
      this.#dropped += 1
    }
    this.#forget()
  }

  /** Whether the next clip's frames are there, and its sound; or the sound has been waited for long enough. */
  #isReady({ time, around, after }: NextClip): boolean {
    if (!this.#frames.complete) return false
    if (this.#sound === undefined) return true
    const until = this.#soundEnd(around, after)
    const { sampleRate, latency, fps } = this.#plan
    // Sound that lies before the frame is waited for as long after the frame.
    const latest = Math.max(until / sampleRate!, time + 0.5 / fps)
    return this.#sound.end >= until || this.#frames.newest! >= latest + latency / 2 - 0.25 / fps
  }

  #cut({ around, after }: NextClip): LiveClip {
    const { clipLength, fps, sampleRate = soundRate, audio, video } = this.#plan
    const { frame, time, pixels } = this.#frames.cut()
    const from = this.#soundStart(around, sampleRate)
    const whole = Math.round((around + (clipLength - Math.floor(clipLength / 2) - 0.5) / fps) * sampleRate)
    const samples = new Float32Array(whole - from)
    if (audio && this.#sound) samples.set(this.#sound.excerpt(from, Math.min(whole, this.#soundEnd(around, after))))
    this.#forget()
    this.#changed()
    const [height, width] = this.#size ?? [0, 0]
    return {
      frame,
      time,
      size: this.#size,
      frames: video ? { dtype: 'uint8', shape: [1, clipLength, height, width, 3], data: pixels } : undefined,
      audio: audio ? { samples, sampleRate, fps } : undefined,
    }
  }

  #soundStart(around: number, rate: number): number {
    return Math.round((around - (Math.floor(this.#plan.clipLength / 2) + 0.5) / this.#plan.fps) * rate)
  }

  /** The sample after the last that a clip hears: half a frame after the last of its frames that it waits for. */
  #soundEnd(around: number, after: number): number {
    return Math.round((around + (after + 0.5) / this.#plan.fps) * this.#plan.sampleRate!)
  }

  #forget(): void {
    const around = this.#frames.next?.around ?? this.#frames.earliest
    if (this.#sound && around !== undefined) this.#sound.forget(this.#soundStart(around, this.#plan.sampleRate!))
  }

  #checkDistance(start: number, seconds: number): void {
    const picture = this.#frames.newest
    const [ahead, behind] = picture === undefined ? [start + seconds - (this.#firstSound ??= start), 0] : [start + seconds - picture, picture - start]
    if (Math.max(ahead, behind) <= farthest + seconds) return
    const where = picture === undefined ? 'no frame has come yet' : `the newest frame is of ${picture.toFixed(2)} s`
    throw invalidArgumentText(
      'time',
      `within ${farthest} s of the picture (is 'sampleRate' right, or should sound be pushed with its time?)`,
      `sound of ${start.toFixed(2)} s, while ${where},`,
    )
  }

  #open(): void {
    if (this.#failure) throw this.#failure.error
    if (this.#ended) throw streamEnded()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changes.add(resolve))
  }

  #changed(): void {
    for (const wake of this.#changes) wake()
    this.#changes.clear()
  }
}
