import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, type RunOptions, type Tensor } from '../lib/index.ts'
import { expectClose } from './support/expect-close.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { temporaryPath } from './support/temporary.ts'
import { trainingBatch, trainingConfig, trainingRun } from './support/training.ts'

const batch = trainingBatch()
const { frames, mel } = trainingBatch(1)
const map = (model: DiffSal) => model.predict({ frames, mel }, { steps: 2, seed: 3 })
const weight = 'decoder_net.conv_in.weight'

async function expectSameTensors(a: DiffSal, b: DiffSal): Promise<void> {
  expect(b.parameters()).toEqual(a.parameters())
  for (const { name } of a.parameters()) expectClose(await b.parameter(name), await a.parameter(name), 0)
}

describe('a clone', () => {
  it('has every tensor, frozen ones and running statistics too, and the same maps', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const initial = await model.parameter('decoder_net.invpt_decoder.mt_proj.1.running_mean')
    // Asked for in one go: it is of what was asked for before.
    const step = model.trainer({ lr: 1e-3, seed: 1 }).step(batch)
    await using copy = await model.clone()
    await step
    expect({ ...copy.config }).toEqual({ ...model.config })
    expect([copy.device, copy.precision, copy.threads, copy.disposed]).toEqual([model.device, model.precision, model.threads, false])
    await expectSameTensors(model, copy)
    expect(await copy.parameter('decoder_net.invpt_decoder.mt_proj.1.running_mean')).not.toEqual(initial)
    expect(await map(copy)).toEqual(await map(model))
  })

  it('is independent: training and changing one leaves the other, and it outlives it', async () => {
    const model = await DiffSal.create(trainingConfig, trainingRun)
    const before = await map(model)
    const copy = await model.clone()
    await model.trainer({ lr: 1e-2, seed: 1 }).step(batch)
    expect(await map(copy)).toEqual(before)
    const trained = await map(model)
    expect(trained).not.toEqual(before)
    await copy.setParameter(weight, {
      ...(await copy.parameter(weight)),
      data: new Float32Array(
        copy
          .parameters()
          .find(({ name }) => name === weight)!
          .shape.reduce((a, b) => a * b),
      ),
    })
    expect(await map(model)).toEqual(trained)
    const again = await model.clone()
    await model.dispose()
    expect(await map(again)).toEqual(trained)
    const third = await again.clone()
    const losses = await Promise.all([again, third].map((one) => one.trainer({ seed: 2 }).step(batch)))
    expect(losses[1]).toEqual(losses[0])
    await Promise.all([copy, again, third].map((one) => one.dispose()))
  })

  it('of a file needs the file no more than the first, and may run another way', async () => {
    const path = temporaryPath('weights.safetensors')
    await using made = await DiffSal.create(trainingConfig, trainingRun)
    await made.save(path)
    const loaded = await DiffSal.load(path, { threads: 1, device: 'cpu' })
    await using copy = await loaded.clone({ precision: 'bfloat16', threads: 2, device: undefined })
    expect([copy.precision, copy.threads, copy.device]).toEqual(['bfloat16', 2, 'cpu'])
    await loaded.dispose()
    await expectSameTensors(made, copy)
    const saved = temporaryPath('again.safetensors')
    await copy.save(saved)
    expect((await readFile(saved)).equals(await readFile(path))).toBe(true)
  })

  it('is refused for options that are none, and of a model that is gone', async () => {
    const model = await DiffSal.create(trainingConfig, trainingRun)
    for (const [options, part] of [
      [{ threads: 0 }, "'threads'"],
      [{ precision: 'float16' }, "'precision'"],
      [{ device: 'tpu' }, 'tpu'],
      [{ seed: 1 }, 'unknown option'],
      [null, "'options'"],
    ] as [RunOptions, string][]) {
      await expectDiffSalError(() => model.clone(options), options && 'device' in options ? 'ERR_DIFFSAL_DEVICE' : 'ERR_DIFFSAL_INVALID_ARGUMENT', part)
    }
    await model.dispose()
    await expectDiffSalError(() => model.clone(), 'ERR_DIFFSAL_DISPOSED', 'model')
  })
})

describe('setParameter', () => {
  let path: string
  beforeAll(async () => {
    path = temporaryPath('set.safetensors')
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    await model.save(path)
  })
  let model: DiffSal
  afterAll(() => model?.dispose())

  it('changes the maps, and back to the same bits, of a model that is made and of a file, which stays', async () => {
    const bytes = await readFile(path)
    for (const open of [() => DiffSal.create(trainingConfig, trainingRun), () => DiffSal.load(path, { threads: 1 })]) {
      model = await open()
      const first = await map(model)
      for (const name of [weight, 'visual_net.blocks.0.attn.qkv.weight', 'decoder_net.invpt_decoder.mt_proj.1.running_var', 'audio_net.features.0.weight']) {
        const before = await model.parameter(name)
        const changed: Tensor<'float32'> = { ...before, data: before.data.map((value) => 1.5 * value + 0.01) }
        // Asked for in one go: the map between the two is of the changed values.
        const [, between, ,] = await Promise.all([model.setParameter(name, changed), map(model), model.setParameter(name, before)])
        expect(between, name).not.toEqual(first)
        expect(await map(model), name).toEqual(first)
        // What is not looked at between is not made of the changed values either.
        await model.setParameter(name, changed)
        await model.setParameter(name, before)
        expect(await map(model), name).toEqual(first)
      }
      await model.dispose()
    }
    expect((await readFile(path)).equals(bytes)).toBe(true)
  })

  it('takes a copy, which is what is saved and what a trainer goes on from', async () => {
    model = await DiffSal.load(path, { threads: 1 })
    const trainer = model.trainer({ lr: 0, seed: 1 })
    const { loss } = await trainer.step(batch)
    const bias = await model.parameter('decoder_net.conv_in.bias')
    const given = { ...bias, data: bias.data.map(() => 0.25) }
    const set = model.setParameter('decoder_net.conv_in.bias', given)
    given.data.fill(7)
    await set
    expect((await model.parameter('decoder_net.conv_in.bias')).data.every((value) => value === 0.25)).toBe(true)
    expect((await model.trainer({ lr: 0, seed: 1 }).step(batch)).loss).not.toBe(loss)
    const saved = temporaryPath('set-again.safetensors')
    await model.save(saved)
    await using loaded = await DiffSal.load(saved, { threads: 1 })
    await expectSameTensors(model, loaded)
    await model.dispose()
  })

  it('takes back whatever it gave: also what no input may be as great as', async () => {
    model = await DiffSal.create(trainingConfig, trainingRun)
    const variance = 'decoder_net.invpt_decoder.mt_proj.1.running_var'
    const given = await model.parameter(variance)
    const great = { ...given, data: given.data.map((_, i) => (i % 2 === 0 ? 3e38 : 2e13)) }
    await model.setParameter(variance, great)
    expect(await model.parameter(variance)).toEqual(great)
    await model.setParameter(variance, await model.parameter(variance))
    expect((await map(model)).data.every(Number.isFinite)).toBe(true)
    await model.dispose()
  })

  it('refuses other names, shapes and values, and leaves what was there', async () => {
    model = await DiffSal.create(trainingConfig, trainingRun)
    const before = await model.parameter(weight)
    for (const [name, values, part] of [
      ['decoder_net.conv_in.weights', before, `did you mean '${weight}'`],
      ['', before, "'name'"],
      [3, before, "'name'"],
      [weight, undefined, "'values'"],
      [weight, { ...before, dtype: 'float64', data: Float64Array.from(before.data) }, "'values.dtype'"],
      [weight, { ...before, shape: [before.data.length] }, "'values.shape'"],
      [weight, { ...before, shape: before.shape.toReversed() }, "'values.shape'"],
      [weight, { ...before, data: before.data.subarray(1) }, "'values.data'"],
      [weight, { ...before, data: before.data.map((value, i) => (i === 5 ? NaN : value)) }, /'values' must be finite.*NaN at element 5|NaN/],
      [weight, { ...before, data: before.data.map(() => Infinity) }, 'values'],
    ] as [string, Tensor<'float32'>, string | RegExp][]) {
      await expectDiffSalError(() => model.setParameter(name, values), 'ERR_DIFFSAL_INVALID_ARGUMENT', part)
    }
    expect(await model.parameter(weight)).toEqual(before)
    await model.dispose()
    await expectDiffSalError(() => model.setParameter(weight, before), 'ERR_DIFFSAL_DISPOSED', 'model')
  })
})
