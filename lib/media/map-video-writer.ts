import { MapInterpolator } from './interpolate.ts'
import type { MapWriter } from './map-writer.ts'
import { rationalValue, type Rational } from './rational.ts'
import type { TimedPictures } from './timed-pictures.ts'
import type { VideoFile } from './video-file.ts'

/** Paints every frame of a video from maps of some of them, at the frames' own times. */
export class MapVideoWriter implements MapWriter {
  readonly #file: VideoFile
  readonly #pictures: TimedPictures
  readonly #paint: (map: Float32Array) => Uint8Array
  readonly #rate: Rational
  readonly #laid: boolean
  readonly #maps = new MapInterpolator()
  #frames = 0
  #first = 0
  #last = 0

  /**
   * @param paint The picture of a map, in the pixel format of the pictures.
   * @param rate Frames a second, where a frame's time is not told.
   * @param laid Whether the pictures are laid over the frames, on the file's clock. Then each comes half an interval before its frame, so that
   * nothing is lost where a clock is a little off; the first at 0, from where ffmpeg counts. Else times count from the first frame.
   */
  constructor(file: VideoFile, pictures: TimedPictures, paint: (map: Float32Array) => Uint8Array, rate: Rational, laid = false) {
    this.#file = file
    this.#pictures = pictures
    this.#paint = paint
    this.#rate = rate
    this.#laid = laid
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
      const laid = this.#frames === 1 ? 0 : Math.max(0, (time + this.#last) / 2)
      this.#last = time
      await this.#file.write(this.#pictures.picture(this.#paint(map), this.#laid ? laid : time - this.#first))
    }
  }
}
