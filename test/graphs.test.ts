import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { native, type NativeFeatures, type NativeInputs, type NativeModel } from '../lib/addon/native.ts'
import { readWeights } from '../lib/checkpoint/read-weights.ts'
import type { PartialDiffSalConfig, Tensor } from '../lib/index.ts'
import { setLogger } from '../lib/log.ts'
import { resolveTrainerOptions } from '../lib/training/options.ts'
import { openStandIn } from './support/stand-in.ts'
import { testInput } from './support/test-values.ts'
import { testWeights } from './support/test-weights.ts'
import { lightConfig } from './support/tiny-config.ts'

// Graphs of a CUDA device are captured and replayed by a class that is told how. Here it is the stand-in's, which runs the work again, on the CPU, into
// the same memory. So whatever it mixes up (a clip with the next, an input with an older one, shapes, models) gives other maps than a
// model without it.

const standIn = openStandIn()

let warnings: string[] = []
beforeEach(() => {
  warnings = []
  setLogger((level, message) => void (level === 'warn' && warnings.push(message)))
})
afterEach(() => setLogger(undefined))

type Replay = 'rerun' | 'refuse' | 'exhausted'

const drawn = new Map<string, Float32Array>()

/** A normal input, drawn once: that takes longer than these models do. */
function draw(name: string, shape: number[]): Tensor<'float32'> {
  const key = `${name} ${shape}`
  if (!drawn.has(key)) drawn.set(key, testInput(name, shape))
  return { dtype: 'float32', shape, data: drawn.get(key)! }
}

/** A model, and the same with graphs. */
interface Pair {
  plain: NativeModel
  graphed: NativeModel
  inputs(batch: number, seed: number, sound: boolean): NativeInputs
  close(): Promise<void>
}

async function pair(config: PartialDiffSalConfig, replay: Replay, device: 'cpu' | 'standin:0' = 'cpu'): Promise<Pair> {
  const { config: whole, from } = await readWeights(await testWeights({ ...lightConfig, ...config }), undefined)
  const [height, width] = whole.size
  const build = async (graphs: boolean): Promise<NativeModel> => {
    const model = new (native().Model)({ threads: 1 })
    standIn.rehearseGraphs(graphs ? replay : 'none')
    await model.build(whole, device, from, undefined, 'float32')
    standIn.rehearseGraphs('none')
    return model
  }
  const [plain, graphed] = [await build(false), await build(true)]
  return {
    plain,
    graphed,
    inputs: (batch, seed, sound) => ({
      ...(whole.video && { frames: draw(`frames ${seed}`, [batch, 3, whole.clipLength, height, width]) }),
      ...(whole.audio && (sound || !whole.video) && { mel: draw(`mel ${seed}`, [batch, 1, whole.clipLength / 2 + 1, height / 2, width / 2]) }),
    }),
    close: async () => void (await Promise.all([plain.close(), graphed.close()])),
  }
}

const seedsOf = (batch: number, seed: number): number[] => Array.from({ length: batch }, (_, b) => seed + b)

async function predict(model: NativeModel, from: NativeInputs | NativeFeatures, batch: number, seed: number, steps: number, eta = 0) {
  return (
    await model.predict(
      from,
      { steps, eta, seeds: seedsOf(batch, seed), noise: undefined, estimates: true, activity: false, samples: 1, mirror: false },
      undefined,
      undefined,
    )
  ).estimates!
}

function denoise(model: NativeModel, features: NativeFeatures, batch: number, seed: number): Promise<Tensor<'float32'>> {
  const shape = [batch, 1, 64, 96]
  const t: Tensor<'int64'> = { dtype: 'int64', shape: [batch], data: BigInt64Array.from(seedsOf(batch, seed), (b) => BigInt((b * 97) % 1000)) }
  return model.denoise(draw(`x ${seed}`, shape), t, features, undefined)
}

/** Where two calls' tensors differ, and by how much at most: nothing, since both do the same arithmetic. */
function differences(got: readonly Tensor<'float32'>[], expected: readonly Tensor<'float32'>[]): string[] {
  return expected.flatMap(({ shape, data }, i) => {
    const other = got[i]!
    if (`${shape}` !== `${other.shape}`) return [`${i}: (${other.shape.join(', ')}) for (${shape.join(', ')})`]
    const worst = data.reduce((most, value, at) => Math.max(most, Math.abs(value - other.data[at]!)), 0)
    return worst === 0 ? [] : [`${i}: ${worst}`]
  })
}

/** Whole numbers below a bound, the same at every run. */
function lots(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('graphs that are replayed', () => {
  it.each<[string, PartialDiffSalConfig]>([
    ['frames and sound', {}],
    ['sound alone, with drawn maps', { video: false, dialect: 'released' }],
    ['sound that goes nowhere', { interaction: 'off' }],
  ])('give the same maps in any order of calls: %s', async (_, config) => {
    const { plain, graphed, inputs, close } = await pair(config, 'rerun')
    const random = lots(5)
    const kept: { batch: number; features: [NativeFeatures, NativeFeatures] }[] = []
    try {
      for (let i = 0; i < 40; i++) {
        const old = kept[random(kept.length)]
        const what = random(5)
        // More batch sizes than are remembered.
        const [batch, seed, sound, steps] = [1 + random(random(2) ? 2 : 6), random(8), random(3) > 0, 1 + random(3)]
        const both = async <T>(work: (model: NativeModel, which: 0 | 1) => Promise<T>): Promise<[T, T]> => [await work(plain, 0), await work(graphed, 1)]
        const compare = async (work: (model: NativeModel, which: 0 | 1) => Promise<Tensor<'float32'>[]>): Promise<void> => {
          const [expected, got] = await both(work)
          expect(differences(got, expected), `call ${i}, ${what}`).toEqual([])
        }
        if (what === 0) kept.push({ batch, features: await both((model) => model.encode(inputs(batch, seed, sound), seedsOf(batch, seed), undefined)) })
        else if (what === 1 && old) await compare(async (model, which) => [await denoise(model, old.features[which], old.batch, seed)])
        else if (what === 2 && old) await compare(async (model, which) => [await predict(model, old.features[which], old.batch, seed, steps, 0.5)])
        else if (what === 3 && old) {
          await compare(async (_, which) => {
            const { video, audio } = await old.features[which].tensors()
            return audio ? [...video, audio] : video
          })
        } else await compare(async (model) => [await predict(model, inputs(batch, seed, sound), batch, seed, steps)])
        if (kept.length > 4) for (const handle of kept.splice(random(kept.length), 1)[0]!.features) handle.dispose()
      }
    } finally {
      await close()
    }
    expect(warnings).toEqual([])
  })

  it('give the same maps to calls that wait in line, of two models at once', async () => {
    const pairs = [await pair({}, 'rerun'), await pair({ interaction: 'addition' }, 'rerun')]
    const calls = Array.from({ length: 24 }, (_, i) => ({ of: pairs[i % 2]!, batch: 1 + (i % 3), seed: i % 8, encodes: i % 4 < 2 }))
    const all = (graphs: boolean) =>
      Promise.all(
        calls.map(async ({ of, batch, seed, encodes }) => {
          const model = graphs ? of.graphed : of.plain
          if (!encodes) return predict(model, of.inputs(batch, seed, true), batch, seed, 2)
          const features = await model.encode(of.inputs(batch, seed, true), seedsOf(batch, seed), undefined)
          const map = await predict(model, features, batch, seed, 2)
          features.dispose()
          return map
        }),
      )
    expect(differences(await all(true), await all(false))).toEqual([])
    for (const { close } of pairs) await close()
  })

  it('hear what a model without them hears, the sounds of several calls being prepared while one computes', async () => {
    // The CPU has no time for it.
    const { plain, graphed, inputs, close } = await pair({}, 'rerun', 'standin:0')
    const heard = (seed: number): NativeInputs => {
      const { frames } = inputs(2, seed, true)
      const sounds = [0, 1].map((b) => {
        const data = new Float32Array(9_000).map((_, i) => Math.sin(i / (3 + seed + b)))
        return { samples: { dtype: 'float32' as const, shape: [data.length], data }, sampleRate: 16_000 }
      })
      return { frames: frames!, sounds }
    }
    const all = (model: NativeModel) => Promise.all([0, 1, 2, 3].map((seed) => predict(model, heard(seed), 2, seed, 1)))
    expect(differences(await all(graphed), await all(plain))).toEqual([])
    const broken = heard(0)
    broken.sounds![1]!.samples.data[5] = NaN
    await expect(predict(graphed, broken, 2, 0, 1)).rejects.toThrow("'audio.samples' must be finite, but NaN at element 5 came.")
    // A call that is cancelled while it waits does not hold up those after it.
    const cancel = new (native().CancelToken)()
    const options = { steps: 1, eta: 0, seeds: [0, 1], noise: undefined, estimates: false, activity: false, samples: 1, mirror: false }
    const calls = [graphed.predict(heard(0), options, cancel, undefined), graphed.predict(heard(1), options, cancel, undefined)]
    cancel.cancel()
    await Promise.allSettled(calls)
    expect(differences([await predict(graphed, heard(2), 2, 2, 1)], [await predict(plain, heard(2), 2, 2, 1)])).toEqual([])
    await close()
  })

  it('that are cancelled, while they are captured and replayed, leave nothing behind', async () => {
    const { plain, graphed, inputs, close } = await pair({}, 'rerun')
    const random = lots(9)
    let cancelled = 0
    for (let i = 0; i < 40; i++) {
      const [batch, seed] = [1 + random(3), i % 5]
      const cancel = new (native().CancelToken)()
      const running = graphed.predict(
        inputs(batch, seed, true),
        { steps: 3, eta: 0, seeds: seedsOf(batch, seed), noise: undefined, estimates: true, activity: false, samples: 1, mirror: false },
        cancel,
        undefined,
      )
      const ended = running.then(
        () => 0,
        () => 1,
      )
      // Somewhere within the time that it takes.
      await new Promise((resolve) => setTimeout(resolve, random(12)))
      cancel.cancel()
      cancelled += await ended
      if (i % 2 === 0) continue
      const maps = await Promise.all([graphed, plain].map((model) => predict(model, inputs(batch, seed, true), batch, seed, 2)))
      expect(differences([maps[0]!], [maps[1]!]), `call ${i}`).toEqual([])
    }
    expect(cancelled).toBeGreaterThan(0)
    await close()
    expect(warnings).toEqual([])
  })

  it('end when the weights change', async () => {
    const { plain, graphed, inputs, close } = await pair({}, 'rerun')
    const features = await Promise.all([plain, graphed].map((model) => model.encode(inputs(2, 0, true), [0, 1], undefined)))
    const maps = async (): Promise<Tensor<'float32'>[][]> => {
      const made = async (model: NativeModel, which: number): Promise<Tensor<'float32'>[]> => [
        await predict(model, inputs(2, 1, true), 2, 1, 3),
        await denoise(model, features[which]!, 2, 2),
        await denoise(model, features[which]!, 2, 3),
      ]
      return [await made(plain, 0), await made(graphed, 1)]
    }
    let last: Tensor<'float32'>[] | undefined
    for (let step = 0; step < 3; step++) {
      const [expected, got] = await maps()
      expect(differences(got!, expected!)).toEqual([])
      expect(last && differences(got!, last)).not.toEqual([])
      last = got
      for (const model of [plain, graphed]) {
        const names = model.parameters().flatMap(({ name, buffer }) => (buffer ? [] : [name]))
        const options = resolveTrainerOptions({ lr: 1e-2, seed: 1, frozen: [] }, { device: 'cpu', dropout: 0, timesteps: 1000, parameters: names })
        const trainer = new (native().Trainer)(model, { ...options, clip: 1 })
        const target: Tensor<'float32'> = { dtype: 'float32', shape: [2, 1, 64, 96], data: testInput('target', [2, 1, 64, 96], 'unit') }
        await trainer.step({ inputs: inputs(2, step, true), target, fixations: undefined, t: undefined, noise: undefined }, 1e-2, undefined)
        await trainer.dispose()
      }
    }
    await close()
  })

  it('count what features hold as a model without them does', async () => {
    const { plain, graphed, inputs, close } = await pair({}, 'rerun')
    for (let i = 0; i < 4; i++) {
      const [a, b] = [await plain.encode(inputs(2, i, true), [1, 2], undefined), await graphed.encode(inputs(2, i, true), [1, 2], undefined)]
      expect(graphed.memory().features).toBe(plain.memory().features)
      if (i % 2) for (const handle of [a, b]) handle.dispose()
    }
    await close()
  })
})

describe('where no graph can be had', () => {
  it.each<[Replay, string]>([
    ['refuse', 'Predicting goes on without a CUDA graph, which could not be recorded: operation not permitted when stream is capturing'],
    ['exhausted', 'Predicting goes on without CUDA graphs, whose memory is needed: this is a rehearsal'],
  ])('(%s) the maps are the same, and one warning says why', async (replay, warning) => {
    const { plain, graphed, inputs, close } = await pair({}, replay)
    const features = [await plain.encode(inputs(3, 0, true), [0, 1, 2], undefined), await graphed.encode(inputs(3, 0, true), [0, 1, 2], undefined)]
    for (let i = 0; i < 8; i++) {
      const batch = 1 + (i % 2)
      const maps = (model: NativeModel) => predict(model, inputs(batch, i, i % 3 > 0), batch, i, 3)
      const got = [await maps(graphed), await denoise(graphed, features[1]!, 3, i)]
      expect(differences(got, [await maps(plain), await denoise(plain, features[0]!, 3, i)]), `call ${i}`).toEqual([])
    }
    await close()
    expect(warnings).toEqual([warning])
  })
})
