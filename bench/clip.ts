import type { Tensor } from '../lib/index.ts'

/** A clip and a noise of standard normal numbers, alike at every call. */
export function clip(size: readonly [number, number]): Record<'x' | 'frames' | 'mel', Tensor<'float32'>> {
  const [height, width] = size
  let state = 1
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state + 0.5) / 2 ** 32
  }
  const normal = (shape: number[]): Tensor<'float32'> => {
    const count = shape.reduce((product, length) => product * length, 1)
    const data = Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()))
    return { dtype: 'float32', shape, data }
  }
  return {
    x: normal([1, 1, height, width]),
    frames: normal([1, 3, 16, height, width]),
    mel: normal([1, 1, 9, height / 2, width / 2]),
  }
}
