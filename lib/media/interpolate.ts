/**
 * Fills the frames between maps: a frame between two maps gets their mixture by its distance to each, the frames after the last map
 * get the last map.
 */
export class MapInterpolator {
  #frame = -1
  #map: Float32Array | undefined

  /** The maps of the frames after the last one given, up to `frame`, whose map this is. */
  *push(frame: number, map: Float32Array): Generator<Float32Array> {
    const before = this.#map ?? map
    const gap = frame - this.#frame
    for (let step = 1; step < gap; step++) yield mix(before, map, step / gap)
    yield map
    this.#frame = frame
    this.#map = map
  }

  /** The maps that are still missing to `frames` in all. */
  *rest(frames: number): Generator<Float32Array> {
    for (; this.#map && this.#frame < frames - 1; this.#frame++) yield this.#map
  }
}

function mix(a: Float32Array, b: Float32Array, share: number): Float32Array {
  const mixture = new Float32Array(a.length)
  for (let i = 0; i < a.length; i++) mixture[i] = a[i]! + (b[i]! - a[i]!) * share
  return mixture
}
