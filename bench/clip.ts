import { defaultConfig, type Tensor } from '../lib/index.ts'

/** `batch` clips and a noise of standard normal numbers, alike at every call. `frames` are `pixels`, normalised as the paper's network sees them. */
export function clip(size: readonly [number, number], batch = 1): { pixels: Tensor<'uint8'> } & Record<'x' | 'frames' | 'mel', Tensor<'float32'>> {
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
  const bytes = new Uint8Array(batch * 16 * height * width * 3).map(() => 256 * uniform())
  return {
    x: normal([batch, 1, height, width]),
    pixels: { dtype: 'uint8', shape: [batch, 16, height, width, 3], data: bytes },
    frames: normalised(bytes, [batch, 3, 16, height, width]),
    mel: normal([batch, 1, 9, height / 2, width / 2]),
  }
}

function normalised(bytes: Uint8Array, shape: [number, number, number, number, number]): Tensor<'float32'> {
  const [batch, channels, length, height, width] = shape
  const { mean, std } = defaultConfig.normalisation
  const area = height * width
  const data = new Float32Array(bytes.length)
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < channels; c++) {
      for (let t = 0; t < length; t++) {
        const [from, to] = [(b * length + t) * area * 3 + c, ((b * channels + c) * length + t) * area]
        for (let i = 0; i < area; i++) data[to + i] = (bytes[from + 3 * i]! - mean[c]!) / std[c]!
      }
    }
  }
  return { dtype: 'float32', shape, data }
}
