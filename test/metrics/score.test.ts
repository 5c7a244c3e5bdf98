import { expect, it } from 'vitest'
import { metrics, type FramePrediction, type GroundTruth, type Tensor } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { testInput } from '../support/test-values.ts'

const [h, w] = [28, 48]
const predicted = (name: string): Tensor<'float32'> => ({ dtype: 'float32', shape: [1, 1, h, w], data: testInput(name, [h, w], 'unit') })

/** The published chain at an unchanged size, written out: a Gaussian of σ 2 on 13×13 pixels with mirrored edges. */
function smoothed(map: Float32Array): Float64Array {
  const max = Math.max(...map)
  const scaled = Float64Array.from(map, (value) => value / max)
  const [low, high] = [Math.min(...scaled), Math.max(...scaled)]
  const kernel = Array.from({ length: 13 }, (_, i) => Math.exp(-((i - 6) ** 2) / 8))
  const total = kernel.reduce((a, b) => a + b)
  const mirror = (i: number, n: number) => (i < 0 ? -1 - i : i >= n ? 2 * n - 1 - i : i)
  return scaled.map((_, at) => {
    const [y, x] = [Math.floor(at / w), at % w]
    let sum = 0
    for (let dy = -6; dy <= 6; dy++) {
      for (let dx = -6; dx <= 6; dx++) {
        const value = (scaled[mirror(y + dy, h) * w + mirror(x + dx, w)]! - low) / (high - low)
        sum += (value * kernel[dy + 6]! * kernel[dx + 6]!) / total ** 2
      }
    }
    return sum
  })
}

const truthOf = (video: string, frame: number, size: [number, number] = [h, w]): GroundTruth => ({
  density: { dtype: 'float32', shape: size, data: testInput(`density ${video} ${frame}`, size, 'unit') },
  fixations: { dtype: 'uint8', shape: size, data: Uint8Array.from(testInput(`fix ${video} ${frame}`, size, 'unit'), (u) => Number(u > 0.95)) },
})

it('means over frames, then over videos, of the published chain', async () => {
  const frames: FramePrediction[] = [
    ['a', 0],
    ['a', 1],
    ['a', 2],
    ['b', 0],
  ].map(([video, frame]) => ({
    video: video as string,
    frame: frame as number,
    tensor: predicted(`map ${video} ${frame}`),
  }))
  const scores = await metrics.score(frames, { truth: (video, frame) => truthOf(video, frame) })
  const each: Record<string, number[]> = { a: [], b: [] }
  for (const { video, frame, tensor } of frames) {
    const saliency = { dtype: 'float64' as const, shape: [h, w], data: smoothed(tensor.data as Float32Array) }
    each[video]!.push((await metrics.cc(saliency, truthOf(video, frame).density!)).mean)
  }
  const mean = (list: number[]) => list.reduce((a, b) => a + b) / list.length
  expect(scores.frames).toBe(4)
  expect(scores.videos.a!.cc).toBeCloseTo(mean(each.a!), 10)
  expect(scores.videos.b!.cc).toBeCloseTo(each.b![0]!, 10)
  expect(scores.mean.cc).toBeCloseTo((mean(each.a!) + each.b![0]!) / 2, 10)
})

it('drops what is undefined, and says how much', async () => {
  const flat: Tensor<'float32'> = { dtype: 'float32', shape: [h, w], data: new Float32Array(h * w).fill(0.5) }
  const predictions = [
    { video: 'a', frame: 0, tensor: predicted('m') },
    { video: 'a', frame: 1, tensor: flat },
    { video: 'a', frame: 2, tensor: predicted('n') },
    { video: 'c', frame: 9, tensor: predicted('o') },
  ]
  const dataset = {
    truth(video: string, frame: number) {
      if (video === 'c') return undefined
      const { density, fixations } = truthOf(video, frame)
      return Promise.resolve(frame === 2 ? { density: density! } : { density: density!, fixations: fixations! })
    },
  }
  const scores = await metrics.score(predictions, dataset)
  expect(scores.frames).toBe(3)
  expect(scores.undefinedCount).toEqual({ cc: 1, sim: 1, kl: 1, nss: 2, aucJudd: 2 })
  expect(Object.keys(scores.videos)).toEqual(['a'])
  for (const value of Object.values(scores.mean)) expect(value).not.toBeNaN()
})

it('resizes to the ground truth', async () => {
  const size: [number, number] = [90, 160]
  const scores = await metrics.score([{ video: 'v', frame: 0, tensor: predicted('big') }], { truth: (video, frame) => truthOf(video, frame, size) })
  expect(scores.mean.aucJudd).toBeGreaterThan(0.3)
  expect(scores.mean.aucJudd).toBeLessThan(0.7)
  expect(scores.undefinedCount.cc).toBe(0)
})

it.each([5, null, 'none', true])('refuses the truth %j by its video and frame', async (truth) => {
  const frames = [{ video: 'v', frame: 3, tensor: predicted('any') }]
  await expectDiffSalError(() => metrics.score(frames, { truth: () => truth as never }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "truth('v', 3)", String(truth))
})

it('refuses what is no dataset', async () => {
  await expectDiffSalError(() => metrics.score([], {} as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'dataset')
})
