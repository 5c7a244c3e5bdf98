import type { SaliencyDataset, Tensor, TrainingSample } from '../../lib/index.ts'
import { testInput } from './test-values.ts'

/** What may be different about {@link blobs}. */
export interface BlobOptions {
  /** Whether the samples have sound. Default true. */
  sound?: boolean
  /** Before each sample is given: it may throw, wait, or give another. */
  before?: (index: number) => unknown
}

const [clipLength, height, width] = [8, 32, 64]

/** A dataset of `trainingConfig`'s size, in memory: two videos with a bright spot each sample, which is where people look. */
export function blobs(length: number, { sound = true, before }: BlobOptions = {}): SaliencyDataset {
  const place = (index: number) => Math.floor(width * testInput(`place ${index}`, [1], 'unit')[0]!)
  const density = (index: number): Tensor<'float32'> => {
    const data = new Float32Array(height * width)
    for (let i = 0; i < data.length; i++) data[i] = Math.exp(-((Math.floor(i / width) - 16) ** 2 + ((i % width) - place(index)) ** 2) / 60)
    return { dtype: 'float32', shape: [height, width], data }
  }
  const fixations = (index: number): Tensor<'uint8'> => {
    const { shape, data } = density(index)
    return { dtype: 'uint8', shape, data: Uint8Array.from(data, (value) => Number(value > 0.9)) }
  }
  const sample = (index: number): TrainingSample => {
    const { data } = density(index)
    const pixels = data.length
    const frames = new Uint8Array(clipLength * pixels * 3)
    for (let i = 0; i < frames.length; i++) frames[i] = 30 + 200 * data[Math.floor(i / 3) % pixels]!
    return {
      frames: { dtype: 'uint8', shape: [clipLength, height, width, 3], data: frames },
      audio: sound ? { samples: Float32Array.from({ length: 8000 }, (_, i) => 0.3 * Math.sin(i * 0.02 * (1 + place(index)))), sampleRate: 16_000 } : null,
      target: { dtype: 'float32', shape: [1, height, width], data },
      fixations: { ...fixations(index), shape: [1, height, width] },
      video: index % 2 === 0 ? 'even' : 'odd',
      frame: index,
    }
  }
  return {
    length,
    videos: ['even', 'odd'],
    async get(index) {
      const other = await before?.(index)
      return other === undefined ? sample(index) : (other as TrainingSample | null)
    },
    truth: (video, frame) =>
      video === (frame % 2 === 0 ? 'even' : 'odd') && frame < length ? { density: density(frame), fixations: fixations(frame) } : undefined,
  }
}
