import type { ClipInput } from '../inputs.ts'
import type { Tensor } from '../tensor.ts'

/** The clips mirrored left to right; their sound, which is mono, stays. */
export function mirroredClips<Clips extends ClipInput>(clips: Clips): Clips {
  return clips.frames === undefined ? clips : { ...clips, frames: mirrored(clips.frames as Tensor<'uint8'>, 3) }
}

/** The mean of maps (…, h, w) and of those of the mirrored clips, mirrored back. */
export function meanWithMirrored(maps: Tensor<'float32'>, ofMirrored: Tensor<'float32'>): Tensor<'float32'> {
  const back = mirrored(ofMirrored, 1)
  return { ...maps, data: maps.data.map((value, at) => (value + back.data[at]!) / 2) }
}

/** A tensor (…, w, c), or (…, w) where `channels` is 1, with its columns in the opposite order. */
function mirrored<T extends Tensor<'uint8'> | Tensor<'float32'>>(tensor: T, channels: number): T {
  const { data } = tensor
  const width = tensor.shape.at(channels === 1 ? -1 : -2)!
  const turned = data.slice()
  for (let row = 0; row < data.length; row += width * channels) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) turned[row + (width - 1 - x) * channels + c] = data[row + x * channels + c]!
    }
  }
  return { ...tensor, data: turned }
}
