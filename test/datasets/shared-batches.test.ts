import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Dataset, TrainingSample } from '../../lib/datasets/dataset.ts'
import { loadBatches, loadShare, type LoadedShare } from '../../lib/datasets/prefetch.ts'
import type { GroupHands } from '../../lib/distributed/group.ts'

const blank = sampleOf(255)

function sampleOf(i: number): TrainingSample {
  return {
    frames: { dtype: 'uint8', shape: [2, 1, 2, 3], data: new Uint8Array(12).fill(i) },
    audio: null,
    target: { dtype: 'float32', shape: [1, 1, 2], data: new Float32Array(2).fill(1) },
    video: 'v',
    frame: i,
  }
}

const datasetOf = (length: number, get: (i: number) => TrainingSample | null | Promise<TrainingSample | null>): Dataset<TrainingSample> => ({
  length,
  get: async (i) => get(i),
})

/** Two processes in one: a turn of a channel that was begun is over for whoever began it, also where it was left. */
function twoHands(): [GroupHands, GroupHands] {
  const said = new Map<string, unknown>()
  const handsOf = (rank: number) => {
    const turns = new Map<string, number>()
    const exchange = async (channel: string, value: unknown, signal: AbortSignal): Promise<unknown[]> => {
      const turn = turns.get(channel) ?? 0
      turns.set(channel, turn + 1)
      const keys = [0, 1].map((of) => `${channel}/${turn}/${of}`)
      said.set(keys[rank]!, value)
      while (!keys.every((key) => said.has(key))) {
        signal.throwIfAborted()
        await setImmediate()
      }
      return keys.map((key) => said.get(key))
    }
    return { rank, worldSize: 2, exchange } as unknown as GroupHands
  }
  return [handsOf(0), handsOf(1)]
}

test('batches that were left at different places are begun anew as if nothing had been', async () => {
  const both = twoHands()
  const options = { batch: 2, seed: 1, shuffle: false, epochs: 1, ahead: 4 }
  // Rank 1 gets no further than the first batch; rank 0 has begun to ask about the next one.
  const all = datasetOf(8, sampleOf)
  const stuck = datasetOf(8, (i) => (i < 2 ? sampleOf(i) : new Promise<never>(() => undefined)))
  const leaving = new AbortController()
  const left = both.map((hands, rank) => loadShare(rank === 0 ? all : stuck, { ...options, signal: leaving.signal }, { hands, blank }))
  for (const { value } of await Promise.all(left.map((one) => one.next()))) expect(value).toMatchObject({ share: { whole: 2 } })
  const next = Promise.allSettled(left.map((one) => one.next()))
  for (let i = 0; i < 20; i++) await setImmediate()
  leaving.abort()
  expect((await next).map(({ status }) => status)).toEqual(['rejected', 'rejected'])

  const some = datasetOf(8, (i) => (i % 3 === 0 ? null : sampleOf(i)))
  const signal = AbortSignal.timeout(5000)
  const collect = async (hands: GroupHands): Promise<LoadedShare[]> => {
    const batches: LoadedShare[] = []
    for await (const one of loadShare(some, { ...options, signal }, { hands, blank })) batches.push(one)
    return batches
  }
  const shares = await Promise.all(both.map(collect))
  const frames = (batches: readonly LoadedShare[]): number[][] => batches.map(({ samples }) => samples.map(({ frame }) => frame))
  const alone: LoadedShare[] = []
  for await (const one of loadBatches(some, options)) alone.push(one)
  const joined = frames(shares[0]!).map((own, i) => [...own, ...frames(shares[1]!)[i]!].sort((a, b) => a - b))
  expect(joined).toEqual(frames(alone))
  expect(joined).toEqual([[1, 2], [4, 5], [7]])
})
