import { answering, type Answering } from '../gaze-delay.ts'

/** A frame as it was pushed. */
interface Pushed {
  readonly pixels: Uint8Array
  readonly time: number
}

/** When a clip is. */
export interface NextClip {
  /** When the frame is shown that it belongs to. */
  readonly time: number
  /** When the frame is shown that it lies around. */
  readonly around: number
  /** How many of its frames come after that one, as far as is looked ahead. */
  readonly after: number
}

/** What a clip's frames are, and the moment of the frame that it belongs to. */
export interface BufferedClip {
  readonly frame: number
  readonly time: number
  /** T frames, one after the other. */
  readonly pixels: Uint8Array
}

/** A gap of more intervals than this is one of missing frames; of more seconds than that, the camera had stopped. */
const [shortestGap, longestGap] = [1.5, 2]

/**
 * The last frames of a stream: as many as the clips need that are not cut yet, so memory does not grow. Clips are cut for frames 0, stride,
 * 2 · stride, … in turn; the oldest that wait can be passed over.
 */
export class FrameBuffer {
  readonly #length: number
  readonly #before: number
  readonly #answers: Answering
  readonly #lookahead: number
  readonly #stride: number
  readonly #interval: number
  readonly #frames: Pushed[] = []
  /** The number of the first that is held. */
  #first = 0
  #next = 0

  /**
   * @param length T, frames of a clip
   * @param gazeDelay seconds by which gaze comes after the picture: a frame's clip is that of the frame it answers to
   * @param lookahead how many frames after its own a clip waits for; the last of them is repeated for the others
   * @param interval seconds between frames
   */
  constructor(length: number, gazeDelay: number, lookahead: number, stride: number, interval: number) {
    this.#length = length
    this.#before = Math.floor(length / 2)
    this.#answers = answering(gazeDelay, 1 / interval)
    this.#lookahead = lookahead
    this.#stride = stride
    this.#interval = interval
  }

  /** How many frames there were. */
  get count(): number {
    return this.#first + this.#frames.length
  }

  /** How many are held. */
  get held(): number {
    return this.#frames.length
  }

  /** The time of the newest; undefined where there is none yet. */
  get newest(): number | undefined {
    return this.#frames.at(-1)?.time
  }

  /** Of the frame whose clip is next; undefined where it has not come yet. */
  get next(): NextClip | undefined {
    if (this.#next >= this.count) return undefined
    const answered = this.#answered(this.#next)
    return {
      time: this.#timeOf(this.#next),
      around: this.#timeOf(answered),
      after: Math.min(this.#lastOf(this.#next) - answered, this.#length - this.#before - 1),
    }
  }

  /** Whether the frames that the next clip waits for are there. */
  get complete(): boolean {
    return this.#hasAllOf(this.#next)
  }

  /** The earliest time that the clip of a frame to come may lie around; undefined where there is no frame yet. */
  get earliest(): number | undefined {
    return this.newest === undefined ? undefined : this.newest - this.#answers.seconds
  }

  /** Whether more than so many clips could be cut, as far as frames are concerned. */
  waitMoreThan(clips: number): boolean {
    return this.#hasAllOf(this.#next + clips * this.#stride)
  }

  /**
   * Takes a frame. Times never run back.
   *
   * @param repeats whether frames that are missing before it are the one before them again
   */
  push(pixels: Uint8Array, given: number, repeats: boolean): void {
    const last = this.#frames.at(-1)
    const time = Math.max(given, last?.time ?? given)
    if (last && repeats) {
      const gap = time - last.time
      const missing = gap > shortestGap * this.#interval && gap <= longestGap ? Math.round(gap / this.#interval) - 1 : 0
      for (let i = 1; i <= missing; i++) this.#frames.push({ pixels: last.pixels, time: last.time + (gap * i) / (missing + 1) })
    }
    this.#frames.push({ pixels, time })
    this.#tidy()
  }

  /** Cuts the next clip. */
  cut(): BufferedClip {
    const frame = this.#next
    const {
      time,
      pixels: { length: bytes },
    } = this.#frames[frame - this.#first]!
    const answered = this.#answered(frame)
    const last = Math.min(this.#lastOf(frame), this.count - 1)
    const pixels = new Uint8Array(this.#length * bytes)
    for (let t = 0; t < this.#length; t++) {
      const number = Math.min(Math.max(answered - this.#before + t, 0), last)
      pixels.set(this.#frames[number - this.#first]!.pixels, t * bytes)
    }
    this.pass()
    return { frame, time, pixels }
  }

  /** Passes the next clip over. */
  pass(): void {
    this.#next += this.#stride
    this.#tidy()
  }

  #hasAllOf(frame: number): boolean {
    return frame < this.count && this.#lastOf(frame) < this.count
  }

  #timeOf(frame: number): number {
    return this.#frames[frame - this.#first]!.time
  }

  #answered(frame: number): number {
    return this.#answers.frameAt(frame, (i) => this.#timeOf(i))
  }

  /** The last frame that the clip of a frame waits for: its own at least. */
  #lastOf(frame: number): number {
    return Math.max(frame, Math.min(frame + this.#lookahead, this.#answered(frame) - this.#before + this.#length - 1))
  }

  #tidy(): void {
    // At least the newest, which may have to be repeated.
    const old = Math.min(this.#next - this.#answers.frames - this.#before - this.#first, this.#frames.length - 1)
    if (old <= 0) return
    this.#frames.splice(0, old)
    this.#first += old
  }
}
