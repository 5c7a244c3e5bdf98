import { native } from './addon/native.ts'
import { checkInteger, checkList, checkOptions } from './checks/options.ts'
import { checkSampleRate, checkSamples } from './inputs.ts'
import type { Tensor } from './tensor.ts'

/** Seconds of one frame of the log-mel, and of the 64 frames of a slice (every 10 ms, 25 ms long). */
const frameSeconds = 0.025
const sliceSeconds = 0.025 + 63 * 0.01

/**
 * The log-mel of mono samples at any rate: float32 (frames, 64), resampled to 16 kHz first. Frames of 25 ms every 10 ms
 * under a periodic Hann window, FFT 512, 64 HTK mel bands of 125–7500 Hz, ln(magnitude + 0.01).
 *
 * @param samples - -1 to 1
 * @param options - `sampleRate`: samples a second, 1000 to 384 000
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for fewer samples than one frame, NaN or infinity
 */
export async function logMel(samples: Float32Array, options: { sampleRate: number }): Promise<Tensor<'float32'>> {
  const { sampleRate } = checkOptions('options', options, ['sampleRate'])
  const rate = checkSampleRate('sampleRate', sampleRate)
  return native().logMel(checkSamples('samples', samples, Math.ceil(frameSeconds * rate)), rate)
}

/** How sound becomes the network's slices. */
export interface MelSlicesOptions {
  /** Samples a second, 1000 to 384 000. */
  sampleRate: number
  /** [height, width] of a slice. Default [112, 192]. */
  size?: readonly [number, number] | undefined
  /** Slices. Default 9. */
  slots?: number | undefined
}

/**
 * Log-mel slices of mono samples: float32 (1, slots, height, width). A slice is 0.64 s, one begins every 0.11 s. Where the
 * sound is too short for all, each is repeated ⌊slots / n⌋ times and the first slots mod n follow.
 *
 * @param samples - -1 to 1
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for fewer samples than one slice (0.655 s), NaN or infinity
 */
export async function melSlices(samples: Float32Array, options: MelSlicesOptions): Promise<Tensor<'float32'>> {
  const { sampleRate, size = [112, 192], slots = 9 } = checkOptions('options', options, ['sampleRate', 'size', 'slots'])
  const rate = checkSampleRate('sampleRate', sampleRate)
  const [height, width] = checkList('size', size, '[height, width]', 2, 2).map((length, i) => checkInteger(`size[${i}]`, length, 1, 4096)) as [number, number]
  checkInteger('slots', slots, 1, 1024)
  return native().melSlices(checkSamples('samples', samples, Math.ceil(sliceSeconds * rate)), rate, height, width, slots)
}
