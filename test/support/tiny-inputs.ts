import type { Tensor } from '../../lib/index.ts'
import { testInput } from './test-values.ts'

/** Inputs of {@link tinyConfig}'s size: `batch` clips, with the noise to start from. */
export function tinyInputs(batch = 1): Record<'frames' | 'mel' | 'noise', Tensor<'float32'>> {
  const draw = (name: string, shape: number[]): Tensor<'float32'> => ({ dtype: 'float32', shape, data: testInput(name, shape) })
  return {
    frames: draw('frames', [batch, 3, 16, 64, 96]),
    mel: draw('mel', [batch, 1, 9, 32, 48]),
    noise: draw('x', [batch, 1, 64, 96]),
  }
}

/** The same tensor with one element in the middle replaced. */
export function spoilt(tensor: Tensor<'float32'>, value: number): Tensor<'float32'> {
  const data = tensor.data.slice()
  data[data.length >> 1] = value
  return { ...tensor, data }
}
