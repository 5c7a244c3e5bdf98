import { checkInteger, checkList, checkOptions } from '../checks/options.ts'
import { newArray } from '../dtype.ts'
import type { AudioExcerpt } from '../inputs.ts'
import { melSlices } from '../log-mel.ts'
import type { Tensor } from '../tensor.ts'

/** The network's slices: (1, slots, height, width). */
export interface MelShape {
  /** [height, width] of a slice: half the frames'. Default [112, 192]. */
  size?: readonly [number, number] | undefined
  /** How many: half the clip's frames and one more. Default 9. */
  slots?: number | undefined
}

/** {@link MelShape} with nothing left open, read once. */
export function checkMelShape(argument: string, shape: MelShape): Required<Readonly<{ size: readonly [number, number]; slots: number }>> {
  const { size = [112, 192], slots = 9 } = checkOptions(argument, shape, ['size', 'slots'])
  const [height, width] = checkList(`${argument}.size`, size, '[height, width]', 2, 2).map((side, i) =>
    checkInteger(`${argument}.size[${i}]`, side, 1, 4096),
  ) as [number, number]
  return { size: [height, width], slots: checkInteger(`${argument}.slots`, slots, 1, 1024) }
}

/** Seconds that `slots` slices take: 1.6 for nine, a slice's step of 0.11 for each more. */
const secondsOf = (slots: number): number => 1.6 + (slots - 9) * 0.11

/**
 * The log-mel slices of a clip's sound, as the network makes them of it: centred in silence, or cut around its centre. Runs on a
 * thread of the addon's own. (The network resamples first and centres then; at another rate than 16 kHz that may differ by less than a
 * sample.)
 */
export async function clipMel({ samples, sampleRate }: AudioExcerpt, { size = [112, 192], slots = 9 }: MelShape): Promise<Tensor<'float32'>> {
  // Rounded up, but not for the error of the product.
  const length = Math.ceil(secondsOf(slots) * sampleRate - 1e-6)
  const centred = newArray('float32', length)
  const before = Math.floor((length - samples.length) / 2)
  if (before >= 0) centred.set(samples, before)
  else centred.set(samples.subarray(-before, -before + length))
  return melSlices(centred, { sampleRate, size, slots })
}
