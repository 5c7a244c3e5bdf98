import { MapInterpolator } from './interpolate.ts'
import type { MapWriter } from './output-file.ts'
import type { VideoFile } from './video-file.ts'

/** Paints every frame of a video from maps of some of them. */
export class MapVideoWriter implements MapWriter {
  readonly #file: VideoFile
  readonly #paint: (map: Float32Array) => Uint8Array
  readonly #maps = new MapInterpolator()

  /** @param paint The picture of a map, in the pixel format that the file was opened for. */
  constructor(file: VideoFile, paint: (map: Float32Array) => Uint8Array) {
    this.#file = file
    this.#paint = paint
  }

  async write(frame: number, map: Float32Array): Promise<void> {
    for (const one of this.#maps.push(frame, map)) await this.#file.write(this.#paint(one))
  }

  async finish(frames: number): Promise<void> {
    for (const one of this.#maps.rest(frames)) await this.#file.write(this.#paint(one))
    await this.#file.finish()
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
}

/** Input options for raw pictures at standard input. */
export function rawPictures(pixelFormat: string, [height, width]: readonly [number, number], rate: string): string[] {
  return ['-f', 'rawvideo', '-pixel_format', pixelFormat, '-video_size', `${width}x${height}`, '-framerate', rate, '-i', 'pipe:0']
}
