import { expect, it } from 'vitest'
import { metrics, type FixationTensor, type Tensor } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

const [h, w] = [24, 32]
const bell = (y: number, x: number): Tensor<'float32'> => ({
  dtype: 'float32',
  shape: [h, w],
  data: Float32Array.from({ length: h * w }, (_, at) => Math.exp(-((Math.floor(at / w) - y) ** 2 + ((at % w) - x) ** 2) / 50)),
})
const fixated = (...places: [number, number][]): FixationTensor => {
  const data = new Uint8Array(h * w)
  for (const [y, x] of places) data[y * w + x] = 1
  return { dtype: 'uint8', shape: [h, w], data }
}
const truth = () => ({ fixations: fixated([6, 8]), density: bell(6, 8) })
const others = () => fixated([12, 16], [6, 8], [20, 28])
const centre = (_: string, __: number, [height, width]: readonly [number, number]) => metrics.centreBias(height, width)

it('adds shuffled AUC and information gain where it is told against what', async () => {
  const plain = await metrics.score([{ video: 'a', frame: 0, tensor: bell(6, 8) }], { truth })
  expect(Object.keys(plain.mean)).toEqual(['cc', 'sim', 'nss', 'aucJudd', 'kl'])
  const right = await metrics.score([{ video: 'a', frame: 0, tensor: bell(6, 8) }], { truth }, { others, baseline: centre })
  expect(right.mean).toMatchObject(plain.mean)
  // Beats two of the three, and ties with itself.
  expect(right.mean.shuffledAuc).toBeCloseTo(2.5 / 3, 12)
  expect(right.mean.informationGain).toBeGreaterThan(1)
  const middle = await metrics.score([{ video: 'a', frame: 0, tensor: bell(12, 16) }], { truth }, { others, baseline: centre })
  expect(middle.mean.shuffledAuc).toBeCloseTo(1.5 / 3, 12)
  expect(middle.mean.informationGain).toBeLessThan(0)
  expect(right.videos.a).toEqual(right.mean)
})

it('counts frames for which they are undefined', async () => {
  const frames = [0, 1].map((frame) => ({ video: 'a', frame, tensor: bell(6, 8) }))
  const source = { truth: (_: string, frame: number) => (frame === 0 ? truth() : { density: bell(6, 8) }) }
  const scores = await metrics.score(frames, source, { others: () => undefined, baseline: centre })
  expect(scores.undefinedCount).toMatchObject({ shuffledAuc: 2, informationGain: 1, cc: 0 })
  expect(scores.mean.shuffledAuc).toBeNaN()
})

it.each(['others', 'baseline'])('refuses %s that is no function', async (name) => {
  await expectDiffSalError(() => metrics.score([], { truth }, { [name]: 5 } as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', name)
})
