/**
 * Fills the frames between maps: a frame between two maps gets their mixture by its distance to each, the frames after the last map
 * get the last map.
 */
export class MapInterpolator {
  #frame: number | undefined
  #map: Float32Array | undefined;

  /** The maps of the frames after the last one given, up to `frame`, whose map this is. The first one given is of the first frame. */
  *push(frame: number, map: Float32Array): Generator<Float32Array> {
    const before = this.#map ?? map
    const gap = frame - (this.#frame ?? frame - 1)
    for (let step = 1; step < gap; step++) yield mix(before, map, step / gap)
    yield map
    this.#frame = frame
    this.#map = map
  }

  /** The maps that are still missing up to frame `frames` - 1. */
  *rest(frames: number): Generator<Float32Array> {
    for (let frame = this.#frame ?? 0; this.#map && frame < frames - 1; frame++) yield this.#map
  }
}

function mix(a: Float32Array, b: Float32Array, share: number): Float32Array {
  const mixture = new Float32Array(a.length)
  for (let i = 0; i < a.length; i++) mixture[i] = a[i]! + (b[i]! - a[i]!) * share
  return mixture
}
