import { newArray } from '../dtype.ts'
import { answeredFrame, answering, delayFrames } from '../gaze-delay.ts'
import type { AudioExcerpt } from '../inputs.ts'
import type { ShotDetector } from '../shots/shot-detector.ts'
import type { Tensor } from '../tensor.ts'
import type { Span } from './opened.ts'
import { rationalValue, type Rational } from './rational.ts'
import type { Frame } from './frames.ts'
import { soundRate } from './sound.ts'

/** What {@link clipBatches} makes windows of. */
export interface ClipSource {
  /** The frames, or undefined for sound alone: then the sound's length makes the frames. */
  readonly frames?: FrameWindow | undefined
  /** The sound, or undefined for none. */
  readonly sound?: SoundWindow | undefined
  /** Frames a second, on the average. */
  readonly rate: Rational
}

/** How {@link clipBatches} cuts them. */
export interface ClipPlan {
  /** T, the frames of a window. */
  readonly clipLength: number
  /** Seconds by which gaze comes after the picture: each frame's window is that of the frame it answers to. Default 0. */
  readonly gazeDelay?: number | undefined
  /** Windows for frames 0, stride, 2 · stride, … */
  readonly stride: number
  /** Windows in a batch; the last one may have fewer. */
  readonly batch: number
  /** Whether the windows carry frames (a model of sound alone only counts them). */
  readonly video: boolean
  /** Whether the windows carry sound; silence where the source has none. */
  readonly audio: boolean
  /** Only windows of frames from `start` on and before `end`, in seconds: start's frame, the stride-th after it, …. Default: all. */
  readonly span?: Span | undefined
  /** The number of the first window's frame; then `span` says only where they end. Default: the span's first. */
  readonly first?: number | undefined
}

/** What is known of a frame where shots are looked for. */
export interface FrameMark {
  /** The number of its shot, from 0. */
  readonly shot: number
  /** Its mean brightness, 0 to 255. */
  readonly light: number
}

/** Some windows, ready to be predicted together. */
export interface ClipBatch {
  /** The frame that each window belongs to. */
  readonly frames: readonly number[]
  /** For each window, the times in seconds of all frames of the span after the window before, up to its own. */
  readonly times: readonly (readonly number[])[]
  /** Likewise their marks, where shots are looked for. */
  readonly marks?: readonly (readonly FrameMark[])[]
  /** uint8 (B, T, H, W, 3). */
  readonly clips?: Tensor<'uint8'>
  readonly audio?: AudioExcerpt[]
}

/** How the windows of a video ended. */
export interface ClipEnd {
  /** How many frames it has; with a span, up to the span's end. */
  readonly frames: number
  /** The times in seconds of those after the last window's. */
  readonly times: readonly number[]
  /** Likewise their marks. */
  readonly marks?: readonly FrameMark[]
}

const everything: Span = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }

/**
 * The windows of a video in batches. Frame k's window is k − T/2 … k + T/2 − 1, as they are counted; before the first frame and after the
 * last one, the edge frame is repeated, so every frame has its window. The sound of a window lasts T frames at the mean rate and lies around
 * frame k's own time: at a constant rate, from half a frame before the first frame to half a frame after the last one. Where there is no
 * sound, silence. With a `gazeDelay`, k is here the frame that eyes at the window's own frame answer to ({@link Answering}), within its shot.
 * Where shots are looked for, the frames of a window that are of another shot than frame k's are replaced by the nearest
 * one of its own, as before the first frame and after the last one; the sound is not cut. A span has the windows that the whole video has.
 */
export async function* clipBatches(source: ClipSource, plan: ClipPlan): AsyncGenerator<ClipBatch, ClipEnd, undefined> {
  const { frames, sound, rate } = source
  const { clipLength, gazeDelay = 0, stride, batch, span = everything } = plan
  const before = Math.floor(clipLength / 2)
  const answers = answering(gazeDelay, rationalValue(rate))
  const interval = rate.den / rate.num
  const start = plan.first ?? (frames ? await frames.skipTo(span.start) : Math.max(0, Math.ceil(span.start / interval - 1e-6)))
  const times = frames ? (k: number): number[] => frames.timesTo(k) : timesOfSound(interval, start)
  let first = start
  let past: ClipEnd | undefined
  for (;;) {
    const indices: number[] = []
    const passed: number[][] = []
    const marks: (readonly FrameMark[])[] = []
    const clips = plan.video && frames ? newArray('uint8', batch * clipLength * frames.bytes) : undefined
    const audio: AudioExcerpt[] | undefined = plan.audio ? [] : undefined
    for (let k = first; indices.length < batch; k += stride) {
      // A second frame is looked for even by the shortest window: a video of one frame must be known before its first map.
      const there = frames
        ? (await frames.readTo(Math.max(k, 1))) > k
        : await sound?.reaches(firstSampleOf(k, rate), firstSampleOf(k - clipLength - answers.frames, rate))
      if (!there) break
      const centre = frames
        ? Math.max(
            frames.shotBegin(k),
            answers.frameAt(k, (i) => frames.timeOf(i)),
          )
        : answeredFrame(k, gazeDelay, rationalValue(rate))
      await frames?.readTo(centre - before + clipLength - 1)
      const since = times(k)
      const marked = frames?.marksTo(k)
      const time = since.at(-1)!
      if (time >= span.end) {
        past = endOf(k, since, marked)
        break
      }
      passed.push(since)
      if (marked) marks.push(marked)
      if (clips && frames) {
        for (let t = 0; t < clipLength; t++) frames.copy(centre - before + t, centre, clips, (indices.length * clipLength + t) * frames.bytes)
      }
      if (audio) {
        const around = frames ? frames.timeOf(centre) : centre * interval
        const from = Math.round((around - (before + 0.5) * interval) * soundRate)
        const to = Math.round((around + (clipLength - before - 0.5) * interval) * soundRate)
        audio.push({ samples: sound ? await sound.excerpt(from, to) : newArray('float32', to - from), sampleRate: soundRate })
      }
      indices.push(k)
    }
    if (indices.length > 0) {
      const [height, width] = frames?.size ?? [0, 0]
      const count = indices.length * clipLength
      yield {
        frames: indices,
        times: passed,
        ...(frames?.marked && { marks }),
        ...(clips &&
          frames && {
            clips: {
              dtype: 'uint8' as const,
              shape: [indices.length, clipLength, height, width, 3],
              data: clips.subarray(0, count * frames.bytes),
            },
          }),
        ...(audio && { audio }),
      }
    }
    first += indices.length * stride
    if (past !== undefined) return past
    if (indices.length < batch) break
  }
  const count = frames ? await frames.readTo(Number.POSITIVE_INFINITY) : framesOfSound(sound?.count ?? 0, rate)
  return endOf(count - 1, times(count - 1), frames?.marksTo(count - 1))

  /** The end, where frame `last` is the last of those after the last window's: what is past the span does not count. */
  function endOf(last: number, rest: readonly number[], marked?: readonly FrameMark[]): ClipEnd {
    const within = rest.filter((one) => one < span.end)
    return { frames: last + 1 - rest.length + within.length, times: within, ...(marked && { marks: marked.slice(0, within.length) }) }
  }
}

/** The times of frames that are not there, for sound alone: each call gives those after the last one's, up to k. */
function timesOfSound(interval: number, first: number): (k: number) => number[] {
  let next = first
  return (k) => {
    const times: number[] = []
    for (; next <= k; next++) times.push(next * interval)
    return times
  }
}

/** The first sample at or after the time of frame k. */
function firstSampleOf(k: number, { num, den }: Rational): number {
  return Math.ceil((k * den * soundRate) / num)
}

/** How many frames have their first sample within the sound. */
function framesOfSound(samples: number, { num, den }: Rational): number {
  return samples === 0 ? 0 : Math.floor(((samples - 1) * num) / (soundRate * den)) + 1
}

/** How many frames a {@link FrameWindow} must hold for {@link clipBatches}: a window, or all from its first to the frame whose eyes answer to its middle. */
export function reachOf(clipLength: number, gazeDelay: number, rate: Rational): number {
  return Math.max(clipLength, Math.floor(clipLength / 2) + delayFrames(gazeDelay, rationalValue(rate)) + 1)
}

/** The last frames of a video, as many as a window needs: memory does not grow with the video. */
export class FrameWindow {
  /** [height, width]. */
  readonly size: readonly [number, number]
  /** Bytes of a frame. */
  readonly bytes: number
  readonly #frames: AsyncGenerator<Frame, void, undefined>
  readonly #slots: Uint8Array[] = []
  /** When the frames in the slots are shown. */
  readonly #clock: number[] = []
  /** Those of the last frames, which nobody has taken yet. */
  #times: number[] = []
  #lights: number[] = []
  readonly #shots: ShotDetector | undefined
  readonly #capacity: number
  #count = 0
  #ended = false

  /**
   * @param reach how many frames there may be from the first of a window to the last one read for it: {@link reachOf}
   * @param shots finds shots among them, which are known some frames later: these are read ahead
   */
  constructor(frames: AsyncGenerator<Frame, void, undefined>, size: readonly [number, number], reach: number, shots?: ShotDetector) {
    this.#frames = frames
    this.size = size
    this.bytes = size[0] * size[1] * 3
    this.#shots = shots
    this.#capacity = Math.max(2, reach + (shots?.delay ?? 0))
  }

  /** Whether shots are looked for. */
  get marked(): boolean {
    return this.#shots !== undefined
  }

  /** Reads on until frame `index` is there (and its shot known) or the video ends, and gives the number of frames read so far. */
  async readTo(index: number): Promise<number> {
    const last = index + (this.#shots?.delay ?? 0)
    while (!this.#ended && this.#count <= last) {
      const next = await this.#frames.next()
      if (next.done) {
        this.#ended = true
        this.#shots?.end()
      } else {
        if (this.#shots) this.#lights.push(this.#shots.add(next.value.pixels))
        this.#clock[this.#count % this.#capacity] = next.value.time
        this.#slots[this.#count++ % this.#capacity] = next.value.pixels
        this.#times.push(next.value.time)
      }
    }
    return this.#count
  }

  /** Reads on to the first frame at or after a time, whose number it gives; where there is none, that of the frame after the last. */
  async skipTo(time: number): Promise<number> {
    if (time <= 0) return 0
    for (let k = 0; ; k++) {
      if ((await this.readTo(k)) <= k || this.#times[0]! >= time) return k
      this.#times.shift()
      this.#lights.shift()
    }
  }

  /** When a frame that is held is shown. */
  timeOf(index: number): number {
    return this.#clock[index % this.#capacity]!
  }

  /** The first frame of the shot of frame `index`. */
  shotBegin(index: number): number {
    return this.#shots?.spanOf(index)[0] ?? 0
  }

  /** Takes the times of the frames that were read, up to frame `index`, as far as they were not taken before. */
  timesTo(index: number): number[] {
    return this.#times.splice(0, this.#times.length - (this.#count - 1 - index))
  }

  /** Takes what is known of the same frames as {@link timesTo} took the times of; undefined where shots are not looked for. */
  marksTo(index: number): FrameMark[] | undefined {
    const shots = this.#shots
    if (!shots) return undefined
    const lights = this.#lights.splice(0, this.#lights.length - (this.#count - 1 - index))
    return lights.map((light, i) => ({ shot: shots.shotOf(index - lights.length + 1 + i), light }))
  }

  /** Copies frame `index`, or the nearest one that exists in the shot of frame `centre`. */
  copy(index: number, centre: number, target: Uint8Array, offset: number): void {
    const [first, end] = this.#shots?.spanOf(centre) ?? [0, Number.POSITIVE_INFINITY]
    const frame = Math.min(Math.max(index, first), Math.min(end, this.#count) - 1)
    target.set(this.#slots[frame % this.#capacity]!, offset)
  }

  /** Stops the reading. */
  async close(): Promise<void> {
    this.#ended = true
    await this.#frames.return()
  }
}

/** The last of the sound, as much as a window needs. */
export class SoundWindow {
  readonly #chunks: AsyncGenerator<Float32Array, void, undefined>
  #ring: Float32Array = new Float32Array(1 << 16)
  #count = 0
  #ended = false

  constructor(chunks: AsyncGenerator<Float32Array, void, undefined>) {
    this.#chunks = chunks
  }

  /** How many samples were read so far. */
  get count(): number {
    return this.#count
  }

  /** Whether there is a sample `index`; those from `keep` on stay within reach of {@link excerpt}. */
  async reaches(index: number, keep: number): Promise<boolean> {
    await this.#readTo(index + 1, keep)
    return this.#count > index
  }

  /**
   * Samples `from` … `to` − 1; zero before the start and after the end. Calls go forward: `from` never falls.
   */
  async excerpt(from: number, to: number): Promise<Float32Array> {
    await this.#readTo(to, from)
    const samples = newArray('float32', to - from)
    const begin = Math.max(from, 0)
    const end = Math.min(to, this.#count)
    for (let at = begin; at < end; ) {
      const slot = at % this.#ring.length
      const part = this.#ring.subarray(slot, slot + Math.min(end - at, this.#ring.length - slot))
      samples.set(part, at - from)
      at += part.length
    }
    return samples
  }

  /** Stops the reading. */
  async close(): Promise<void> {
    this.#ended = true
    await this.#chunks.return()
  }

  /** Reads until there are `count` samples, keeping those from `keep` on. */
  async #readTo(count: number, keep: number): Promise<void> {
    while (!this.#ended && this.#count < count) {
      const next = await this.#chunks.next()
      if (next.done) {
        this.#ended = true
        return
      }
      this.#store(next.value, Math.max(keep, 0))
    }
  }

  #store(chunk: Float32Array, keep: number): void {
    const needed = this.#count + chunk.length - Math.min(keep, this.#count)
    if (needed > this.#ring.length) this.#grow(needed, keep)
    const ring = this.#ring
    for (let from = 0; from < chunk.length; ) {
      const slot = (this.#count + from) % ring.length
      const part = chunk.subarray(from, from + ring.length - slot)
      ring.set(part, slot)
      from += part.length
    }
    this.#count += chunk.length
  }

  /** A longer ring, for a rate of so few frames a second that a window outlasts the ring. */
  #grow(needed: number, keep: number): void {
    const old = this.#ring
    const ring = newArray('float32', 2 ** Math.ceil(Math.log2(needed)))
    for (let at = Math.max(keep, this.#count - old.length); at < this.#count; at++) ring[at % ring.length] = old[at % old.length]!
    this.#ring = ring
  }
}
