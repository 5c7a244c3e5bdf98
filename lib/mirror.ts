import type { NativeInputs } from './addon/native.ts'
import { newArray } from './dtype.ts'
import type { Tensor } from './tensor.ts'

/** The clips mirrored left to right; their sound, which is mono, stays. */
export function mirroredClips(clips: NativeInputs): NativeInputs {
  const { frames, pixels } = clips
  return { ...clips, ...(frames && { frames: mirrored(frames, 1) }), ...(pixels && { pixels: mirrored(pixels, 3) }) }
}

/** The mean of maps (…, h, w) and of those of the mirrored clips, mirrored back. */
export function meanWithMirrored(maps: Tensor<'float32'>, ofMirrored: Tensor<'float32'>): Tensor<'float32'> {
  const { data } = mirrored(ofMirrored, 1)
  for (let at = 0; at < data.length; at++) data[at] = (maps.data[at]! + data[at]!) / 2
  return { ...maps, data }
}

/** A tensor (…, w, c), or (…, w) where `channels` is 1, with its columns in the opposite order. */
function mirrored<D extends 'uint8' | 'float32'>({ dtype, shape, data }: Tensor<D>, channels: number): Tensor<D> {
  const width = shape.at(channels === 1 ? -1 : -2)!
  const turned = newArray(dtype, data.length)
  for (let row = 0; row < data.length; row += width * channels) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) turned[row + (width - 1 - x) * channels + c] = data[row + x * channels + c]!
    }
  }
  return { dtype, shape, data: turned }
}
