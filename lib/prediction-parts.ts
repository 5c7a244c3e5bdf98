import type { Prediction } from './predict.ts'
import type { Tensor } from './tensor.ts'

/** What was predicted of one clip of a batch. */
export function partOf({ map, estimates, uncertainty, activity }: Prediction, at: number): Omit<Prediction, 'map'> & { tensor: Tensor<'float32'> } {
  return {
    tensor: clipOf(map, at),
    ...(estimates && { estimates: clipOf(estimates, at) }),
    ...(uncertainty && { uncertainty: clipOf(uncertainty, at) }),
    ...(activity && { activity: activity.map((stage) => clipOf(stage, at)) }),
  }
}

/** Clip `at` of (…, B, C, H, W), as (…, 1, C, H, W). */
function clipOf({ dtype, shape, data }: Tensor<'float32'>, at: number): Tensor<'float32'> {
  const [batch, channels, height, width] = shape.slice(-4) as [number, number, number, number]
  if (batch === 1) return { dtype, shape, data }
  const [outer, pixels] = [shape.slice(0, -4), channels * height * width]
  const part = new Float32Array(data.length / batch)
  for (let i = 0; i < part.length / pixels; i++) part.set(data.subarray((i * batch + at) * pixels, (i * batch + at + 1) * pixels), i * pixels)
  return { dtype, shape: [...outer, 1, channels, height, width], data: part }
}
