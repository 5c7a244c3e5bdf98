import { describe, expect, it } from 'vitest'
import { countParameters } from '../../lib/index.ts'
import { runGroup, type Said } from '../support/group.ts'
import { hasGloo } from '../support/has-gloo.ts'
import { nightly } from '../support/nightly.ts'
import { trainingConfig } from '../support/training.ts'

const steps = 3
const scenario = (synchronise: boolean) => ({ create: trainingConfig, trainer: { lr: 1e-3, seed: 3, synchronise }, fit: { epochs: 1, batch: 1 }, counts: true })

/** What a process says that it has sent. */
function trafficOf(said: readonly Said[]): { messages: number; bytes: number; seconds: number; waited: number } {
  return said.find(({ type }) => type === 'traffic') as never
}

describe.skipIf(!hasGloo)('what is sent in a step', () => {
  it('the gradients in buckets, and one message with the rest; with shared statistics of BatchNorm one small one forward and one backward for each', async () => {
    const { total } = countParameters(trainingConfig)
    const [own, shared] = [await runGroup(2, { ...scenario(false), length: 2 * steps }), await runGroup(2, { ...scenario(true), length: 2 * steps })]
    for (const said of own) {
      const { messages, bytes, seconds, waited } = trafficOf(said)
      // The first gives all rank 0's weights and state. The gradients of so small a network are two buckets: the last, a small one, and the rest.
      expect(messages).toBe(3 * steps + 1)
      expect(bytes).toBeGreaterThan(4 * total * (steps + 1))
      expect(bytes).toBeLessThan(4 * total * (steps + 4))
      expect(seconds).toBeGreaterThan(0)
      expect(waited).toBeGreaterThan(0)
    }
    const more = shared.map((said, rank) => trafficOf(said).messages - trafficOf(own[rank]!).messages)
    expect(more[0]).toBe(more[1])
    expect(more[0]! % (2 * steps)).toBe(0)
    // The Saliency-UNet has seven BatchNorms, whatever its width, each with one message forward and one backward.
    expect(more[0]).toBe(14 * steps)
  }, 120_000)

  it.runIf(nightly)(
    'several buckets of a larger network, which go on while the backward pass does',
    async () => {
      // 5 M parameters are three buckets of 8 MiB at most.
      const create = { ...trainingConfig, videoEncoder: { embedDim: 64, depth: 4, downscaleAt: [1, 2, 3] }, unetWidth: 32 }
      const buckets = Math.ceil((4 * countParameters(create).total) / 2 ** 23)
      expect(buckets).toBeGreaterThan(1)
      for (const said of await runGroup(2, { ...scenario(false), create, length: 2 * steps })) {
        const { messages, seconds, waited } = trafficOf(said)
        expect(messages).toBeGreaterThanOrEqual((buckets + 1) * steps + 1)
        expect(waited).toBeLessThan(seconds)
      }
    },
    120_000,
  )

  it('nothing by a process that is alone', async () => {
    const [said] = await runGroup(1, { ...scenario(true), length: steps })
    expect(trafficOf(said!)).toMatchObject({ messages: 0, bytes: 0, seconds: 0, waited: 0 })
  }, 120_000)
})
