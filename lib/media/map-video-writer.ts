import { MapInterpolator } from './interpolate.ts'
import type { MapWriter } from './output-file.ts'
import { rationalValue, type Rational } from './rational.ts'
import type { TimedPictures } from './timed-pictures.ts'
import type { VideoFile } from './video-file.ts'

/** Paints every frame of a video from maps of some of them, at the frames' own times after the first. */
export class MapVideoWriter implements MapWriter {
  readonly #file: VideoFile
  readonly #pictures: TimedPictures
  readonly #paint: (map: Float32Array) => Uint8Array
  readonly #rate: Rational
  readonly #lead: number
  readonly #maps = new MapInterpolator()
  #frames = 0
  #first = 0
  #last = 0

  /**
   * @param paint The picture of a map, in the pixel format of the pictures.
   * @param rate Frames a second, where a frame's time is not told.
   * @param lead By what part of the interval before it a picture comes before its frame's time: so much may the clock of what it is laid over
   * be off.
   */
  constructor(file: VideoFile, pictures: TimedPictures, paint: (map: Float32Array) => Uint8Array, rate: Rational, lead = 0) {
    this.#file = file
    this.#pictures = pictures
    this.#paint = paint
    this.#rate = rate
    this.#lead = lead
  }

  async write(frame: number, map: Float32Array, times: readonly number[] = []): Promise<void> {
    await this.#writeAll(this.#maps.push(frame, map), times)
  }

  async finish(frames: number, times: readonly number[] = []): Promise<void> {
    await this.#writeAll(this.#maps.rest(frames), times)
    await this.#file.finish(this.#first)
  }

  commit(): Promise<void> {
    return this.#file.commit()
  }

  revert(): Promise<void> {
    return this.#file.revert()
  }

  discard(): Promise<void> {
    return this.#file.discard()
  }

  async #writeAll(maps: Iterable<Float32Array>, times: readonly number[]): Promise<void> {
    let at = 0
    for (const map of maps) {
      const time = times[at++] ?? this.#frames / rationalValue(this.#rate)
      if (this.#frames++ === 0) this.#last = this.#first = time
      const shown = time - this.#first - this.#lead * (time - this.#last)
      this.#last = time
      await this.#file.write(this.#pictures.picture(this.#paint(map), shown))
    }
  }
}
