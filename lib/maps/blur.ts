import type { CheckedMap } from './map-input.ts'

/** The map under a Gaussian of `sigma` pixels, cut at four deviations, with nothing outside the map; the kernel's middle is 1. */
export function blurred({ data, height, width }: CheckedMap, sigma: number): Float64Array {
  const reach = Math.ceil(4 * sigma)
  const kernel = Float64Array.from({ length: reach + 1 }, (_, d) => Math.exp(-(d * d) / (2 * sigma * sigma)))
  return along(along(Float64Array.from(data), height, width, 1, width, kernel), width, height, width, 1, kernel)
}

/** Each of `lines` lines of `length` numbers that are `step` apart, under a symmetric kernel. */
function along(values: Float64Array, lines: number, length: number, step: number, between: number, kernel: Float64Array): Float64Array {
  const result = new Float64Array(values.length)
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < length; i++) {
      const last = Math.min(length - 1, i + kernel.length - 1)
      let sum = 0
      for (let k = Math.max(0, i - kernel.length + 1); k <= last; k++) sum += kernel[Math.abs(k - i)]! * values[line * between + k * step]!
      result[line * between + i * step] = sum
    }
  }
  return result
}
