import type { PartialDiffSalConfig, Tensor } from '../../lib/index.ts'
import { testInput } from './test-values.ts'

/** A network so small that a training step takes a fraction of a second, with every part of the whole one. */
export const trainingConfig: PartialDiffSalConfig = {
  size: [32, 64],
  clipLength: 8,
  videoEncoder: { embedDim: 16, depth: 4, downscaleAt: [1, 2, 3] },
  audioEncoder: { widths: [[8], [8], [16], [16]], heads: 2, headDim: 8, hidden: 16 },
  unetWidth: 16,
  normGroups: 8,
  kvKernel: [1, 2, 4, 8],
}

/** One thread: so small a network has nothing to share, and other work on the machine does not hold it up. */
export const trainingRun = { seed: 4, threads: 1 }

/** `batch` samples for {@link trainingConfig}, each a blob in a place that frames and sound tell of; `number` draws others. */
export function trainingBatch(batch = 2, number = 0): Record<'frames' | 'mel' | 'target', Tensor<'float32'>> {
  const draw = (name: string, shape: number[]): Tensor<'float32'> => ({ dtype: 'float32', shape, data: testInput(`${name} ${number}`, shape) })
  const places = testInput(`places ${number}`, [batch], 'unit')
  const [frames, mel] = [draw('frames', [batch, 3, 8, 32, 64]), draw('mel', [batch, 1, 5, 16, 32])]
  const target: Tensor<'float32'> = { dtype: 'float32', shape: [batch, 1, 32, 64], data: new Float32Array(batch * 2048) }
  for (let i = 0; i < target.data.length; i++) {
    const [b, y, x] = [Math.floor(i / 2048), Math.floor(i / 64) % 32, i % 64]
    target.data[i] = Math.exp(-((y - 16) ** 2 + (x - 64 * places[b]!) ** 2) / 60)
  }
  for (let b = 0; b < batch; b++) {
    for (const { data } of [frames, mel]) for (let i = (b * data.length) / batch; i < ((b + 1) * data.length) / batch; i++) data[i]! += places[b]!
  }
  return { frames, mel, target }
}
