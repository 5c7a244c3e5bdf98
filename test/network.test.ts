import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DiffSal, type Tensor } from '../lib/index.ts'
import { expectClose } from './support/expect-close.ts'
import { expectEnd, runProgram } from './support/run-program.ts'
import { testWeights } from './support/test-weights.ts'
import { testInput } from './support/test-values.ts'
import { lightConfig } from './support/tiny-config.ts'

const draw = (name: string, shape: number[]): Tensor<'float32'> => ({ dtype: 'float32', shape, data: testInput(name, shape) })

/** What this processor can do, in Linux's words. */
const processorFlags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim().split(' '))

describe('a network predicts', () => {
  let plain: Promise<Tensor<'float32'>> | undefined

  /** The map of one clip, by the program of a process whose libtorch has the products of such a processor. */
  const mapWith = async (capability: string): Promise<Tensor<'float32'>> => {
    const ended = await runProgram('predict.mjs', [], { env: { ATEN_CPU_CAPABILITY: capability } })
    expectEnd(ended, 0)
    const data = Float32Array.from(JSON.parse(ended.stdout) as number[])
    return { dtype: 'float32', shape: [data.length], data }
  }

  // libtorch takes the word for it: a processor that lacks one of these dies of it.
  for (const [capability, needed] of Object.entries({ avx512: ['avx512f', 'avx512bw', 'avx512dq', 'avx512vl', 'fma'], avx2: ['avx2', 'fma', 'f16c'] })) {
    const missing = needed.filter((flag) => !processorFlags.has(flag))
    if (missing.length > 0) console.warn(`Skipped: the matrix products of ${capability}, for this processor has no ${missing.join(', ')}.`)
    it.skipIf(missing.length > 0)(`with the matrix products of ${capability} what it predicts with those of every processor`, async () => {
      expectClose(await mapWith(capability), await (plain ??= mapWith('default')), 1e-5)
    })
  }

  it('with the weights that a training step left, and with features from before it', async () => {
    await using model = await DiffSal.load(await testWeights(lightConfig), { threads: 1 })
    const inputs = { frames: draw('frames', [1, 3, 16, 64, 96]), mel: draw('mel', [1, 1, 9, 32, 48]) }
    const x = draw('x', [1, 1, 64, 96])
    using features = await model.encode(inputs)
    const before = await model.denoise(x, 100, features)
    const trainer = model.trainer({ lr: 1e-2, seed: 1, frozen: [] })
    await trainer.step({ ...inputs, target: { dtype: 'float32', shape: [1, 1, 64, 96], data: testInput('target', [1, 1, 64, 96], 'unit') } })
    const after = await model.denoise(x, 100, features)
    expect(after.data.some((value, i) => Math.abs(value - before.data[i]!) > 1e-4)).toBe(true)
    const path = `${await testWeights(lightConfig)}.trained`
    await model.save(path)
    await using loaded = await DiffSal.load(path, { threads: 1 })
    using encoded = await loaded.encode(inputs)
    using again = await model.encode(inputs)
    expectClose((await encoded.tensors()).audio!, (await again.tensors()).audio!, 1e-6)
    expectClose(await loaded.denoise(x, 100, encoded), await model.denoise(x, 100, again), 1e-6)
  })
})
