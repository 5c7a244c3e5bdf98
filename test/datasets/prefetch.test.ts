import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Dataset, TrainingSample } from '../../lib/datasets/dataset.ts'
import { loadBatches, type LoadBatchesOptions, type LoadedBatch } from '../../lib/datasets/prefetch.ts'
import { DiffSalError } from '../../lib/errors.ts'
import type { AudioExcerpt } from '../../lib/inputs.ts'
import { melSlices } from '../../lib/log-mel.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

/** Sample i is made of the number i. */
function sampleOf(i: number, audio: AudioExcerpt | null = null): TrainingSample {
  return {
    frames: { dtype: 'uint8', shape: [2, 1, 2, 3], data: new Uint8Array(12).fill(i) },
    audio,
    target: { dtype: 'float32', shape: [1, 1, 2], data: new Float32Array(2).fill(i) },
    video: 'v',
    frame: i,
  }
}

/** A dataset that notes what is asked of it; `get` decides what becomes of each. */
function watched(length: number, get: (i: number) => TrainingSample | null | Promise<TrainingSample | null> = sampleOf) {
  const state = { asked: [] as number[], reading: 0, most: 0 }
  const dataset: Dataset<TrainingSample> = {
    length,
    async get(i) {
      state.asked.push(i)
      state.reading += 1
      state.most = Math.max(state.most, state.reading)
      try {
        return await get(i)
      } finally {
        state.reading -= 1
      }
    },
  }
  return { dataset, state }
}

async function collect(dataset: Dataset<TrainingSample>, options: LoadBatchesOptions): Promise<LoadedBatch[]> {
  const all: LoadedBatch[] = []
  for await (const one of loadBatches(dataset, options)) all.push(one)
  return all
}

const numbers = (batches: readonly LoadedBatch[]): number[][] => batches.map(({ samples }) => samples.map(({ frame }) => frame))

test("batches, in the dataset's order, whatever is ready first", async () => {
  const { dataset } = watched(7, async (i) => {
    await sleep((i * 7) % 5)
    return sampleOf(i)
  })
  const batches = await collect(dataset, { batch: 3, seed: 1, shuffle: false, epochs: 2, workers: 4 })
  expect(numbers(batches)).toEqual([[0, 1, 2], [3, 4, 5], [6], [0, 1, 2], [3, 4, 5], [6]])
  expect(batches.map(({ epoch }) => epoch)).toEqual([0, 0, 0, 1, 1, 1])
  const { batch } = batches[1]!
  expect([batch.frames.shape, batch.target.shape, batch.audio]).toEqual([[3, 2, 1, 2, 3], [3, 1, 1, 2], null])
  expect(batch.frames.data).toEqual(Uint8Array.from({ length: 36 }, (_, i) => 3 + Math.floor(i / 12)))
  expect(batch.target.data).toEqual(Float32Array.of(3, 3, 4, 4, 5, 5))
  expect(numbers(await collect(dataset, { batch: 3, seed: 1, shuffle: false, epochs: 2, dropLast: true }))).toEqual([
    [0, 1, 2],
    [3, 4, 5],
    [0, 1, 2],
    [3, 4, 5],
  ])
})

test('shuffled, an epoch has every sample once, and the seed decides', async () => {
  const { dataset } = watched(10)
  const run = async (seed: number): Promise<number[]> => numbers(await collect(dataset, { batch: 4, seed, epochs: 1 })).flat()
  expect((await run(1)).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(await run(1)).toEqual(await run(1))
  expect(await run(1)).not.toEqual(await run(2))
})

test('from the position of any batch, the rest is the same, though samples are passed over', async () => {
  const { dataset } = watched(11, (i) => (i % 4 === 1 ? null : sampleOf(i)))
  const options = { batch: 3, seed: 5, epochs: 3 }
  const whole = await collect(dataset, options)
  expect(whole.map(({ samples }) => samples.length)).toEqual([3, 3, 2, 3, 3, 2, 3, 3, 2])
  for (const [i, { position }] of whole.entries()) {
    expect(numbers(await collect(dataset, { ...options, position }))).toEqual(numbers(whole.slice(i + 1)))
  }
})

test('no more is read at once, or ahead, than was asked for', async () => {
  const { dataset, state } = watched(100, async (i) => {
    await sleep(1)
    return sampleOf(i)
  })
  let used = 0
  for await (const { samples } of loadBatches(dataset, { batch: 2, seed: 1, epochs: 1, workers: 3, ahead: 5 })) {
    used += samples.length
    await sleep(10)
    expect(state.asked.length).toBe(Math.min(100, used + 5))
  }
  expect(state.most).toBe(3)
})

test('nothing is read before the first batch is asked for', async () => {
  const { dataset, state } = watched(4)
  const batches = loadBatches(dataset, { batch: 1, seed: 1 })
  await sleep(5)
  expect(state.asked).toEqual([])
  await batches.return()
})

test('leaving the loop stops the reading', async () => {
  const { dataset, state } = watched(1000, async (i) => {
    await sleep(2)
    return sampleOf(i)
  })
  for await (const { epoch } of loadBatches(dataset, { batch: 1, seed: 1, workers: 2, ahead: 50 })) {
    expect(epoch).toBe(0)
    break
  }
  expect(state.reading).toBe(0)
  const { length } = state.asked
  await sleep(20)
  expect(state.asked).toHaveLength(length)
  expect(length).toBeLessThan(10)
})

test("aborting rejects the pending batch with the signal's reason, and stops", async () => {
  const controller = new AbortController()
  const { dataset, state } = watched(10, async (i) => {
    if (i === 3) controller.abort(new Error('enough'))
    await sleep(5)
    return sampleOf(i)
  })
  const batches = loadBatches(dataset, { batch: 2, seed: 1, shuffle: false, workers: 1, signal: controller.signal })
  expect((await batches.next()).done).toBe(false)
  await expect(batches.next()).rejects.toThrow('enough')
  expect(state.reading).toBe(0)
  expect(state.asked).toEqual([0, 1, 2, 3])
  expect((await batches.next()).done).toBe(true)
  await expect(loadBatches(dataset, { batch: 2, seed: 1, signal: controller.signal }).next()).rejects.toThrow('enough')
})

test('a read that never ends holds up neither an abort nor leaving the loop', async () => {
  const controller = new AbortController()
  const { dataset } = watched(4, (i) => (i === 2 ? new Promise<never>(() => {}) : sampleOf(i)))
  const batches = loadBatches(dataset, { batch: 2, seed: 1, shuffle: false, signal: controller.signal })
  await batches.next()
  const pending = batches.next()
  setTimeout(() => controller.abort(new Error('enough')), 20)
  await expect(pending).rejects.toThrow('enough')
  for await (const { epoch } of loadBatches(dataset, { batch: 2, seed: 1, shuffle: false })) {
    expect(epoch).toBe(0)
    break
  }
}, 10_000)

test.each([true, false])('a sound that is not finite is named with its sample, mel %s', async (mel) => {
  const sound = (i: number) => ({ samples: new Float32Array(100).fill(i === 1 ? NaN : 0, 7), sampleRate: 8000 })
  const { dataset } = watched(2, (i) => sampleOf(i, sound(i)))
  await expectDiffSalError(
    () => collect(dataset, { batch: 2, seed: 1, epochs: 1, mel }),
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    /Sample 1 of the dataset \(frame 1 of 'v'\)/,
    'NaN at element 7',
  )
})

test('an error comes at its own batch, not before', async () => {
  const { dataset } = watched(8, (i) => {
    if (i === 4) throw new DiffSalError('ERR_DIFFSAL_MEDIA', 'frame 4 is damaged')
    return sampleOf(i)
  })
  const batches = loadBatches(dataset, { batch: 2, seed: 1, shuffle: false, ahead: 8 })
  expect((await batches.next()).value).toMatchObject({ samples: [{ frame: 0 }, { frame: 1 }] })
  await sleep(10)
  expect((await batches.next()).value).toMatchObject({ samples: [{ frame: 2 }, { frame: 3 }] })
  await expectDiffSalError(() => batches.next(), 'ERR_DIFFSAL_MEDIA', /frame 4/)
})

test('an epoch with nothing to learn from is an error, not an endless search', async () => {
  const { dataset } = watched(5, () => null)
  await expectDiffSalError(() => collect(dataset, { batch: 2, seed: 1 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /gives no batch: all its 5 samples/)
  const few = collect(watched(2).dataset, { batch: 3, seed: 1, dropLast: true })
  await expectDiffSalError(() => few, 'ERR_DIFFSAL_INVALID_ARGUMENT', /fewer samples than a batch of 3, and 'dropLast'/)
  const resumed = watched(5, (i) => (i === 4 ? null : sampleOf(i)))
  const tail = await collect(resumed.dataset, { batch: 2, seed: 1, shuffle: false, epochs: 2, position: { epoch: 0, offset: 4 } })
  expect(numbers(tail)).toEqual([
    [0, 1],
    [2, 3],
  ])
})

test('sound: an excerpt a sample, silence for those without beside others', async () => {
  const excerpt = { samples: new Float32Array(100), sampleRate: 8000 }
  const { dataset } = watched(2, (i) => sampleOf(i, i === 0 ? excerpt : null))
  const [one] = await collect(dataset, { batch: 2, seed: 1, shuffle: false, epochs: 1 })
  expect(one!.batch.audio![0]).toBe(excerpt)
  expect(one!.batch.audio![1]).toEqual({ samples: new Float32Array(25_600), sampleRate: 16_000 })
})

test('fixations are there where every sample has them', async () => {
  const fixations = { dtype: 'uint8', shape: [1, 1, 2], data: Uint8Array.of(0, 1) } as const
  const all = watched(2, (i) => ({ ...sampleOf(i), fixations }))
  const [one] = await collect(all.dataset, { batch: 2, seed: 1, epochs: 1 })
  expect(one!.batch.fixations).toEqual({ dtype: 'uint8', shape: [2, 1, 1, 2], data: Uint8Array.of(0, 1, 0, 1) })
  const some = watched(2, (i) => (i === 0 ? { ...sampleOf(i), fixations } : sampleOf(i)))
  const [other] = await collect(some.dataset, { batch: 2, seed: 1, epochs: 1 })
  expect(other!.batch.fixations).toBeUndefined()
})

test('samples of different sizes, or that are none, are named', async () => {
  const target = { dtype: 'float32', shape: [1, 2, 2], data: new Float32Array(4) } as const
  const { dataset } = watched(2, (i) => (i === 0 ? sampleOf(i) : { ...sampleOf(i), target }))
  const options = { batch: 2, seed: 1, shuffle: false, epochs: 1 }
  await expectDiffSalError(() => collect(dataset, options), 'ERR_DIFFSAL_INVALID_ARGUMENT', /samples\[1\]\.target\.shape.*\[1, 1, 2\].*\[1, 2, 2\]/)
  const flat = watched(2, (i) => ({ ...sampleOf(i), frames: { dtype: 'uint8', shape: [12], data: new Uint8Array(12) } }))
  await expectDiffSalError(() => collect(flat.dataset, options), 'ERR_DIFFSAL_INVALID_ARGUMENT', /frames\.shape.*4 dimensions/)
})

test.each([
  [{ batch: 0, seed: 1 }, /'batch'/],
  [{ batch: 1, seed: 0.5 }, /'seed'/],
  [{ batch: 1, seed: 1, workers: 0 }, /'workers'/],
  [{ batch: 1, seed: 1, ahead: 0 }, /'ahead'/],
  [{ batch: 1, seed: 1, epochs: 0 }, /'epochs'/],
  [{ batch: 1, seed: 1, batchs: 2 }, /'batch'/],
])('%o is refused', async (options, why) => {
  await expectDiffSalError(() => loadBatches(watched(3).dataset, options).next(), 'ERR_DIFFSAL_INVALID_ARGUMENT', why)
})

test('a dataset that is empty, or none, is refused', async () => {
  await expectDiffSalError(
    () => loadBatches(watched(0).dataset, { batch: 1, seed: 1 }).next(),
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    /'dataset'.*at least one sample/,
  )
  await expectDiffSalError(() => loadBatches({} as Dataset<TrainingSample>, { batch: 1, seed: 1 }).next(), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'dataset'/)
})

test('log-mel slices are made ahead, of each excerpt centred in silence or cut around its centre', async () => {
  const tone = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => 0.5 * Math.sin(i * (0.1 + i / 1e5)))
  const excerpts = [{ samples: tone(10_241), sampleRate: 16_000 }, { samples: tone(40_000), sampleRate: 16_000 }, null]
  const { dataset } = watched(3, (i) => sampleOf(i, excerpts[i]))
  const size = [16, 32] as const
  const [one] = await collect(dataset, { batch: 3, seed: 1, shuffle: false, epochs: 1, mel: { size, slots: 9 } })
  const { mel } = one!.batch
  expect([mel!.shape, one!.batch.audio]).toEqual([[3, 1, 9, 16, 32], undefined])
  const centred = new Float32Array(25_600)
  centred.set(tone(10_241), 7679)
  const expected = await Promise.all(
    [centred, tone(40_000).slice(7200, 32_800), new Float32Array(25_600)].map((samples) => melSlices(samples, { sampleRate: 16_000, size })),
  )
  expect(mel!.data).toEqual(Float32Array.of(...expected.flatMap(({ data }) => [...data])))
  const silent = watched(1)
  const [none] = await collect(silent.dataset, { batch: 1, seed: 1, epochs: 1, mel: true })
  expect([none!.batch.mel, none!.batch.audio]).toEqual([undefined, null])
})
