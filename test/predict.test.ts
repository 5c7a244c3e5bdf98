import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, type Features, type PredictProgress, type Tensor } from '../lib/index.ts'
import { expectClose } from './support/expect-close.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { rewriteWeights } from './support/rewrite-weights.ts'
import { testWeights } from './support/test-weights.ts'
import { lightConfig } from './support/tiny-config.ts'
import { tinyInputs } from './support/tiny-inputs.ts'

const { frames, mel, noise } = tinyInputs()
const pixels = 64 * 96

let model: DiffSal
let features: Features

beforeAll(async () => {
  model = await DiffSal.load(await testWeights(lightConfig), { threads: 1 })
  features = await model.encode({ frames, mel })
})

afterAll(() => model?.dispose())

/** One sample of a batch. */
function sample(batch: Tensor<'float32'>, i: number): Tensor<'float32'> {
  const [count, ...shape] = batch.shape as [number, ...number[]]
  const size = batch.data.length / count
  return { dtype: 'float32', shape: [1, ...shape], data: batch.data.slice(i * size, (i + 1) * size) }
}

/** The largest difference of two maps. */
function difference(a: Tensor<'float32'>, b: Tensor<'float32'>): number {
  return a.data.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b.data[i]!)), 0)
}

describe('a map', () => {
  it('is float32 (B, 1, H, W) of 0 to 1, in an array of its own', async () => {
    const map = await model.predict(features, { steps: 2, noise })
    const again = await model.predict(features, { steps: 2, noise })
    expect(map.dtype).toBe('float32')
    expect(map.shape).toEqual([1, 1, 64, 96])
    expect(map.data).toBeInstanceOf(Float32Array)
    expect(map.data.every((value) => value >= 0 && value <= 1)).toBe(true)
    expect(again.data.buffer).not.toBe(map.data.buffer)
  })

  it('depends on what is seen, on what is heard, and on the noise', async () => {
    const predict = (input: object, from = noise) => model.predict({ frames, mel, ...input }, { steps: 2, noise: from })
    const map = await predict({})
    const other = tinyInputs(2)
    expect(difference(await predict({ frames: sample(other.frames, 1) }), map)).toBeGreaterThan(0.1)
    expect(difference(await predict({ mel: sample(other.mel, 1) }), map)).toBeGreaterThan(0.005)
    expect(difference(await predict({}, sample(other.noise, 1)), map)).toBeGreaterThan(0.05)
  })

  it('that is not finite blames the weights', async () => {
    const path = await rewriteWeights(await testWeights(lightConfig), (tensors) => {
      const name = 'decoder_net.conv_in.bias'
      const bias = tensors.get(name)!
      tensors.set(name, { ...bias, bytes: new Uint8Array(bias.bytes.length).fill(255) })
    })
    await using broken = await DiffSal.load(path, { threads: 1 })
    await expectDiffSalError(() => broken.predict({ frames, mel }, { steps: 1 }), 'ERR_DIFFSAL_CHECKPOINT', 'not finite', 'weights')
    using encoded = await broken.encode({ frames, mel })
    await expectDiffSalError(() => broken.denoise(noise, 500, encoded), 'ERR_DIFFSAL_CHECKPOINT', 'not finite', 'weights')
  })

  // Of a NaN any of these bits are one; 1e30 overflows where it is squared.
  it.each([0xffffffff, 0x7fc00001, 0x7f800001, 0x7149f2ca])('never looks like one where one weight is %i', async (bits) => {
    const names = ['visual_net.blocks.0.attn.norm_k.weight', 'visual_net.blocks.1.norm1.weight', 'spatiotemp_net.transformer.layers.0.0.norm.weight']
    const parts = ['attn.proj_k.weight', 'attn.proj_q.weight', 'attn.conv_proj_k.conv.weight', 'mlp.fc2.weight', 'align_conv.weight']
    for (const name of [...names, ...parts.map((part) => `decoder_net.invpt_decoder.mid_stages.3.blocks.0.${part}`)]) {
      const path = await rewriteWeights(await testWeights(lightConfig), (tensors) => {
        const bytes = Uint8Array.from(tensors.get(name)!.bytes)
        new DataView(bytes.buffer).setUint32(0, bits, true)
        tensors.set(name, { ...tensors.get(name)!, bytes })
      })
      await using broken = await DiffSal.load(path, { threads: 1 })
      const map = await broken.predict({ frames, mel }, { steps: 1, noise }).catch((error: { code: string }) => error.code)
      // A large weight may do nothing worse than saturate.
      if (typeof map !== 'string')
        expect([name, bits === 0x7149f2ca && difference(map, await model.predict(features, { steps: 1, noise })) > 0]).toEqual([name, true])
      else expect([name, map]).toEqual([name, 'ERR_DIFFSAL_CHECKPOINT'])
    }
  })
})

describe('the seed', () => {
  it('gives the same map, bit for bit, whatever was computed in between', async () => {
    const map = await model.predict({ frames, mel }, { steps: 2, eta: 0.5, seed: 7 })
    await model.predict({ frames, mel }, { steps: 3, eta: 0.9 })
    await DiffSal.create(lightConfig, { seed: 3, threads: 1 }).then((other) => other.dispose())
    expectClose(await model.predict({ frames, mel }, { steps: 2, eta: 0.5, seed: 7 }), map, 0)
    expectClose(await model.predict(features, { steps: 2, eta: 0.5, seed: 7 }), map, 0)
  })

  it('gives the same map of two models that were created with one seed, on all threads', async () => {
    const maps = []
    for (let i = 0; i < 2; i++) {
      await using created = await DiffSal.create(lightConfig, { seed: 5 })
      maps.push(await created.predict({ frames, mel }, { steps: 1, seed: 9 }))
    }
    expectClose(maps[0]!, maps[1]!, 0)
  })

  it('of another value gives another map, and none is drawn', async () => {
    const maps: Tensor<'float32'>[] = []
    for (const seed of [0, 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]) maps.push(await model.predict(features, { steps: 1, seed }))
    for (let i = 0; i < 2; i++) maps.push(await model.predict(features, { steps: 1 }))
    for (const [i, map] of maps.entries()) for (const other of maps.slice(0, i)) expect(difference(map, other)).toBeGreaterThan(0.01)
  })

  it('of one number is that of every sample', async () => {
    const two = tinyInputs(2)
    const same = { frames: twice(sample(two.frames, 0)), mel: twice(sample(two.mel, 0)) }
    const map = await model.predict(same, { steps: 2, eta: 1, seed: 7 })
    expectClose(sample(map, 1), sample(map, 0), 1e-6)
    const others = await model.predict(same, { steps: 2, eta: 1, seed: [7, 8] })
    expectClose(sample(others, 0), sample(map, 0), 1e-6)
    expect(difference(sample(others, 0), sample(others, 1))).toBeGreaterThan(0.01)
  })

  it('is asked for once, or once a sample', async () => {
    const refused = (seed: unknown, ...parts: string[]) =>
      expectDiffSalError(() => model.predict(features, { seed: seed as number }), 'ERR_DIFFSAL_INVALID_ARGUMENT', ...parts)
    await refused([1, 2], "'seed'", '1 of them', '2 came')
    await refused([], "'seed'", '0 came')
    await refused([1.5], "'seed[0]'")
    await refused(Array(1), "'seed[0]'", 'undefined came')
    await refused(2 ** 32, "'seed'", '4294967295')
    await refused(null, "'seed'", 'null')
  })
})

function twice(one: Tensor<'float32'>): Tensor<'float32'> {
  const data = new Float32Array(2 * one.data.length)
  data.set(one.data)
  data.set(one.data, one.data.length)
  return { ...one, shape: [2, ...one.shape.slice(1)], data }
}

describe('a batch', () => {
  const three = tinyInputs(3)
  const alone = (i: number) => ({ frames: sample(three.frames, i), mel: sample(three.mel, i) })
  const whole = { frames: three.frames, mel: three.mel }

  it('gives each clip the map that it has alone', async () => {
    const maps = await model.predict(whole, { steps: 2, eta: 1, seed: [4, 5, 6] })
    expect(maps.shape).toEqual([3, 1, 64, 96])
    for (const i of [0, 1, 2]) expectClose(sample(maps, i), await model.predict(alone(i), { steps: 2, eta: 1, seed: 4 + i }), 1e-5)
  })

  it('gives each clip the map that it has in another order, and with other clips', async () => {
    const maps = await model.predict(whole, { steps: 2, noise: three.noise })
    const [last, first] = [alone(2), alone(0)]
    const join = (a: Tensor<'float32'>, b: Tensor<'float32'>) => {
      const shape = [2, ...a.shape.slice(1)]
      return { ...a, shape, data: new Float32Array([...a.data, ...b.data]) }
    }
    const turned = await model.predict(
      { frames: join(last.frames, first.frames), mel: join(last.mel, first.mel) },
      { steps: 2, noise: join(sample(three.noise, 2), sample(three.noise, 0)) },
    )
    expectClose(sample(turned, 0), sample(maps, 2), 1e-5)
    expectClose(sample(turned, 1), sample(maps, 0), 1e-5)
  })

  it('denoises each clip at its own time', async () => {
    using encoded = await model.encode(whole)
    const t = [999, 500, 0]
    const maps = await model.denoise(three.noise, t, encoded)
    for (const i of [0, 1, 2]) {
      using one = await model.encode(alone(i))
      expectClose(sample(maps, i), await model.denoise(sample(three.noise, i), t[i]!, one), 1e-5)
    }
    expect(difference(await model.denoise(three.noise, 500, encoded), maps)).toBeGreaterThan(1e-3)
  })

  // Where the video maps are noise, that noise is part of a sample too.
  it.each(['paper', 'released'] as const)('that only hears depends on its own seed alone, in the %s dialect', async (dialect) => {
    await using blind = await DiffSal.create({ ...lightConfig, dialect, video: false }, { seed: 1, threads: 1 })
    const maps = await blind.predict({ mel: three.mel }, { steps: 1, seed: [4, 5, 6] })
    for (const i of [0, 1, 2]) {
      expectClose(sample(maps, i), await blind.predict({ mel: sample(three.mel, i) }, { steps: 1, seed: 4 + i }), 1e-5)
    }
  })
})

describe('steps', () => {
  it.each([
    ['paper', 4],
    ['released', 1],
  ] as const)('of the %s dialect are %i where none are asked for', async (dialect, steps) => {
    await using other = await DiffSal.create({ ...lightConfig, dialect }, { seed: 1, threads: 1 })
    const seen: PredictProgress[] = []
    const map = await other.predict({ frames, mel }, { seed: 1, onProgress: (progress) => seen.push(progress) })
    expect(seen.map(({ step }) => step)).toEqual(Array.from({ length: steps }, (_, i) => i + 1))
    expectClose(map, await other.predict({ frames, mel }, { seed: 1, steps }), 0)
  })

  it('of one more give another map', async () => {
    const map = await model.predict(features, { steps: 2, noise })
    expect(difference(await model.predict(features, { steps: 3, noise }), map)).toBeGreaterThan(0.01)
  })
})

describe('the noise', () => {
  it('that is given is where the sampling starts, whatever the seed', async () => {
    const map = await model.predict(features, { steps: 2, noise, seed: 1 })
    expectClose(await model.predict(features, { steps: 2, noise, seed: 2 }), map, 0)
  })

  it('that is given leaves what eta adds to the seed', async () => {
    const [first, again, other] = [
      await model.predict(features, { steps: 2, noise, eta: 1, seed: 1 }),
      await model.predict(features, { steps: 2, noise, eta: 1, seed: 1 }),
      await model.predict(features, { steps: 2, noise, eta: 1, seed: 2 }),
    ]
    expectClose(again, first, 0)
    expect(difference(other, first)).toBeGreaterThan(0.01)
  })
})

describe('eta', () => {
  it('adds noise, the more the larger, and the same for the same seed', async () => {
    const maps = new Map<number, Tensor<'float32'>>()
    for (const eta of [0, 0.01, 1]) {
      maps.set(eta, await model.predict(features, { steps: 4, seed: 3, eta }))
      expectClose(await model.predict(features, { steps: 4, seed: 3, eta }), maps.get(eta)!, 0)
    }
    expect(difference(maps.get(0.01)!, maps.get(0)!)).toBeGreaterThan(0)
    expect(difference(maps.get(0.01)!, maps.get(0)!)).toBeLessThan(0.2 * difference(maps.get(1)!, maps.get(0)!))
  })

  // In 3 steps the first one's variance is all that the noise may have, to the last digit.
  it.each([2, 3, 4, 5, 10])('of 1 gives a finite map in %i steps', async (steps) => {
    const map = await model.predict(features, { steps, noise, eta: 1, seed: 3 })
    expect(map.data.every((value) => value >= 0 && value <= 1)).toBe(true)
  })

  it('changes nothing where there is one step only', async () => {
    expectClose(await model.predict(features, { steps: 1, noise, eta: 1 }), await model.predict(features, { steps: 1, noise }), 0)
  })
})

describe('onProgress', () => {
  it('is called once a step, in order, before the promise is settled', async () => {
    const seen: PredictProgress[] = []
    let settled = false
    const map = await model
      .predict(features, {
        steps: 5,
        noise,
        onProgress: (progress) => {
          expect(settled).toBe(false)
          seen.push(progress)
        },
      })
      .finally(() => (settled = true))
    expect(seen).toEqual([1, 2, 3, 4, 5].map((step) => ({ step, steps: 5 })))
    expectClose(map, await model.predict(features, { steps: 5, noise }), 0)
  })

  it.each([1, 3])('rejects the prediction with what it throws at step %i of 3, and is not called again', async (at) => {
    const reason = new Error('enough')
    const seen: number[] = []
    const running = model.predict(features, {
      steps: 3,
      noise,
      onProgress: ({ step }) => {
        seen.push(step)
        if (step === at) throw reason
      },
    })
    await expect(running).rejects.toBe(reason)
    await model.predict(features, { steps: 1, noise })
    expect(seen).toEqual(Array.from({ length: at }, (_, i) => i + 1))
  })

  it('is not called any more once the signal was aborted, whatever has been computed meanwhile', async () => {
    const controller = new AbortController()
    const seen: number[] = []
    const running = model.predict(features, {
      steps: 200,
      noise,
      signal: controller.signal,
      onProgress: ({ step }) => {
        seen.push(step)
        if (step !== 2) return
        // The sampling goes on while this thread is busy.
        for (const start = performance.now(); performance.now() - start < 500; );
        controller.abort()
      },
    })
    await expect(running).rejects.toThrow('aborted')
    await model.predict(features, { steps: 1, noise })
    expect(seen).toEqual([1, 2])
  })

  it('belongs to its own prediction', async () => {
    const seen: string[] = []
    const predict = (name: string, steps: number) => model.predict(features, { steps, noise, onProgress: ({ step }) => seen.push(`${name}${step}`) })
    await Promise.all([predict('a', 2), predict('b', 3)])
    expect(seen).toEqual(['a1', 'a2', 'b1', 'b2', 'b3'])
  })

  it.each([null, 'log', {}])('must be a function, not %j', async (onProgress) => {
    const call = () => model.predict(features, { onProgress: onProgress as never })
    await expectDiffSalError(call, 'ERR_DIFFSAL_INVALID_ARGUMENT', "'onProgress'", 'a function')
  })
})

describe('the order of calls', () => {
  it('is that of their results', async () => {
    const ended: number[] = []
    const steps = [6, 1, 3]
    await Promise.all(steps.map((count) => model.predict(features, { steps: count, noise }).then(() => ended.push(count))))
    expect(ended).toEqual(steps)
  })

  it('does not matter to a model that nobody holds but the promise', async () => {
    const running = await DiffSal.load(await testWeights(lightConfig), { threads: 1 }).then((lost) => ({
      map: lost.predict({ frames, mel }, { steps: 3, noise }),
    }))
    expectClose(await running.map, await model.predict({ frames, mel }, { steps: 3, noise }), 0)
    expect((await running.map).data).toHaveLength(pixels)
  })
})
