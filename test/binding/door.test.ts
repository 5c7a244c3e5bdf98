import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { native, type NativeCancelToken, type NativeFeatures } from '../../lib/addon/native.ts'
import { DiffSal, metrics, schedule, trainingLoss, type Features, type Tensor } from '../../lib/index.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { resizable } from '../support/hostile.ts'
import { lightConfig } from '../support/tiny-config.ts'
import { tinyInputs } from '../support/tiny-inputs.ts'

const { frames, mel, noise } = tinyInputs()
const folder = join(import.meta.dirname, '../../native/binding')

describe('the door of the addon', () => {
  it('is the only place where functions and methods are registered, and where call arguments are read', () => {
    for (const name of readdirSync(folder)) {
      const text = readFileSync(join(folder, name), 'utf8')
      const registered = [...text.matchAll(/(?:Function::New|InstanceMethod|InstanceAccessor|StaticMethod)<&?([\w:]+)/g)].map((match) => match[1]!)
      for (const what of registered) expect(what, name).toMatch(/^entry$|::through$/)
      if (!name.startsWith('call.')) expect(text, name).not.toMatch(/\binfo\[/)
    }
  })

  it('refuses accessors and proxies that nobody has checked, before it reads anything', async () => {
    const lying = {
      dtype: 'float32',
      get shape() {
        return [1, 4]
      },
      data: new Float32Array(4),
    } as Tensor<'float32'>
    const sound: Tensor<'float32'> = { dtype: 'float32', shape: [1, 4], data: new Float32Array(4) }
    await expectDiffSalError(() => native().metric('cc', lying, sound, undefined), 'ERR_DIFFSAL_INTERNAL', 'an accessor')
    await expectDiffSalError(
      () => native().trainingLoss(new Proxy(sound, {}), sound, undefined, { loss: 'mse', terms: { cc: 0, sim: 0, nss: 0 } }),
      'ERR_DIFFSAL_INTERNAL',
      'a proxy',
    )
  })

  it('ends in a DiffSalError where an argument is of another kind than any check lets through', async () => {
    const addon = native()
    const sound: Tensor<'float32'> = { dtype: 'float32', shape: [1, 4], data: new Float32Array(4) }
    const wrong: readonly [name: string, call: () => unknown][] = [
      ['no metric of this name', () => addon.metric('none', sound, sound, undefined)],
      ['no tensor', () => addon.logMel(undefined as never, 16_000)],
      ['data of another type', () => addon.logMel({ ...sound, data: new Uint16Array(4) as never }, 16_000)],
      ['a shape of no numbers', () => addon.logMel({ ...sound, shape: ['4'] as never }, 16_000)],
      ['a shape too large to count', () => addon.logMel({ ...sound, shape: [2 ** 40, 2 ** 40, 0] }, 16_000)],
      ['maps of different sizes', () => addon.metric('cc', sound, { ...sound, shape: [1, 2], data: new Float32Array(2) }, undefined)],
      ['no configuration', () => addon.parametersOf({} as never)],
      ['another object as a handle', () => addon.scene({} as never, {} as never, {} as never)],
      ['another class as a handle', () => new addon.Trainer(new addon.CancelToken() as never, {} as never)],
      ['a symbol', () => addon.betas(Symbol('T') as never)],
    ]
    for (const [name, call] of wrong) {
      const error = await expectDiffSalError(call, 'ERR_DIFFSAL_INTERNAL').catch((other: unknown) => other as Error)
      expect(error, `${name}: ${error.message}`).toMatchObject({ name: 'DiffSalError' })
    }
  })

  it('names the tensor whose data no longer fills its shape', async () => {
    const data = new Float32Array(400)
    const samples: Tensor<'float32'> = { dtype: 'float32', shape: [400], data }
    structuredClone(data.buffer, { transfer: [data.buffer] })
    await expectDiffSalError(() => native().logMel(samples, 16_000), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'samples.data'", '400 elements', '0 elements')
  })
})

describe('a tensor', () => {
  /** A map of `shape` whose accessor detaches or shrinks its buffer at a read. */
  function treacherous(shape: number[], time: number, how: 'detach' | 'shrink'): Tensor<'float32'> {
    const count = shape.reduce((a, b) => a * b)
    const buffer = resizable(4 * count)
    let reads = 0
    const strike = () => (how === 'detach' ? void structuredClone(buffer, { transfer: [buffer] }) : buffer.resize(4))
    return {
      dtype: 'float32',
      data: new Float32Array(buffer),
      get shape() {
        return (++reads === time && strike(), shape)
      },
    }
  }
  const map = (): Tensor<'float32'> => ({ dtype: 'float32', shape: [1, 1, 64, 96], data: new Float32Array(6144).fill(0.5) })
  const good = map()
  const shape = [...good.shape]

  let model: DiffSal
  let features: Features
  beforeAll(async () => {
    model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    features = await model.encode({ frames, mel })
  })
  afterAll(() => model.dispose())

  it.each(['detach', 'shrink'] as const)('whose shape is read while its buffer is gone (%s) is refused, and read once otherwise', async (how) => {
    const calls: readonly ((x: Tensor<'float32'>) => unknown)[] = [
      (x) => trainingLoss(x, good),
      (x) => metrics.cc(x, good),
      (x) => schedule.ddimStep(x, good, 5, 1),
      (x) => model.denoise(x, 5, features),
      (x) => model.predict(features, { steps: 1, noise: x }),
    ]
    for (const call of calls) {
      await expectDiffSalError(() => call(treacherous(shape, 1, how)), 'ERR_DIFFSAL_INVALID_ARGUMENT', '6144 elements')
      await call(treacherous(shape, 2, how))
    }
  })

  it('is refused where the accessor of a later argument takes its memory away', async () => {
    const x = map()
    const options = {
      get signal() {
        return void structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] })
      },
    }
    await expectDiffSalError(() => model.denoise(x, 5, features, options), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'x.data'", '0 elements')
    const t = {
      get 0() {
        return (structuredClone(y.data.buffer, { transfer: [y.data.buffer as ArrayBuffer] }), 5)
      },
    }
    const y = map()
    await expectDiffSalError(
      () => model.denoise(y, Object.defineProperty([5], 0, Object.getOwnPropertyDescriptor(t, 0)!), features),
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      "'x.data'",
      '0 elements',
    )
  })

  it('is as large as the model that takes it, whatever is written over the model or its features', async () => {
    expect(() => Object.assign(model, { config: { ...model.config, size: [32, 32] } })).toThrow(TypeError)
    expect(() => Object.defineProperty(features, 'batch', { value: 2 })).toThrow(TypeError)
    expect((await model.denoise(noise, 5, features)).shape).toEqual(shape)
  })

  it('is read from shared memory while another thread may write there', async () => {
    const shared = new Float32Array(new SharedArrayBuffer(4 * 6144))
    shared.set(noise.data)
    const expected = await model.denoise(noise, 5, features)
    expect((await model.denoise({ ...noise, data: shared }, 5, features)).data).toEqual(expected.data)
  })
})

describe('dispose() inside an accessor', () => {
  const picture = { dtype: 'float32' as const, data: frames.data }

  it.each<[string, (model: DiffSal, features: Features) => unknown]>([
    [
      'encode',
      (model) =>
        model.encode({
          frames: {
            ...picture,
            get shape() {
              return (void model.dispose(), frames.shape)
            },
          },
          mel,
        }),
    ],
    [
      'predict',
      (model) =>
        model.predict(
          {
            mel,
            get frames() {
              return (void model.dispose(), frames)
            },
          },
          { steps: 1 },
        ),
    ],
    [
      'predict of features',
      (model, features) =>
        model.predict(features, {
          get steps() {
            return (void model.dispose(), 1)
          },
        }),
    ],
    [
      'denoise',
      (model, features) =>
        model.denoise(noise, 5, features, {
          get signal() {
            return void model.dispose()
          },
        }),
    ],
    [
      'save',
      (model) =>
        model.save('nowhere.safetensors', {
          get dtype() {
            return (void model.dispose(), 'float32' as const)
          },
        }),
    ],
    [
      'trainer',
      (model) =>
        model.trainer({
          get lr() {
            return (void model.dispose(), 1)
          },
        }),
    ],
    [
      'step',
      (model) =>
        model.trainer().step({
          frames,
          mel,
          target: { ...noise, data: noise.data.map(Math.abs) },
          get t() {
            return (void model.dispose(), 5)
          },
        }),
    ],
    [
      'a trainer’s save',
      (model) =>
        model.trainer().save('nowhere.safetensors', {
          get extra() {
            return void model.dispose()
          },
        }),
    ],
  ])('refuses the call: %s', async (_, call) => {
    await using model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    const features = await model.encode({ frames, mel })
    await expectDiffSalError(() => call(model, features), 'ERR_DIFFSAL_DISPOSED', 'disposed')
  })

  it('refuses each method of a closed handle, also of one whose job has not ended', async () => {
    const addon = native()
    const config = (await DiffSal.create(lightConfig, { seed: 1, threads: 1 })).config
    const handle = new addon.Model({ threads: 1 })
    await handle.build(config, 'cpu', { seed: 1 }, undefined, 'float32')
    const features: NativeFeatures = await handle.encode({ frames, mel }, [1], undefined)
    const t: Tensor<'int64'> = { dtype: 'int64', shape: [1], data: new BigInt64Array(1) }
    const none: NativeCancelToken | undefined = undefined
    const closing = handle.close()
    for (const call of [
      () => handle.parameters(),
      () => handle.memory(),
      () => handle.parameter('decoder_net.conv_in.bias'),
      () => handle.save({ path: 'nowhere', place: '/nowhere', temporary: '/nowhere.tmp' }, new Uint8Array(8), 'float32', none),
      () => handle.encode({ frames, mel }, [1], none),
      () => handle.denoise(noise, t, features, none),
      () =>
        handle.predict(
          features,
          { steps: 1, eta: 0, seeds: [1], noise: undefined, estimates: false, activity: false, samples: 1, mirror: false },
          none,
          undefined,
        ),
      () => handle.close(),
    ]) {
      await expectDiffSalError(call, 'ERR_DIFFSAL_DISPOSED', 'disposed')
    }
    await closing
  })
})

describe('lists and numbers that nobody means', () => {
  const holes = Array(2 ** 32 - 1) as never
  const bare = (...items: unknown[]) => Object.setPrototypeOf(items, null) as never

  it.each<[string, () => unknown]>([
    ['holes as a shape', () => metrics.cc({ dtype: 'float32', shape: holes, data: new Float32Array(4) }, noise)],
    ['holes as a size', () => DiffSal.create({ size: holes })],
    ['holes as widths', () => DiffSal.create({ audioEncoder: { widths: [holes, [1], [1], [1]] } })],
    ['holes as pretrained', () => DiffSal.create({}, { pretrained: holes })],
    ['a hole in pretrained', () => DiffSal.create({}, { pretrained: [, 1] as never })],
    ['null as predictions', () => metrics.score(null as never, { truth: () => undefined })],
    ['null among predictions', () => metrics.score([null] as never, { truth: () => undefined })],
    ['a side of 2^53 - 1', () => metrics.centreBias(2 ** 53 - 1, 1)],
    ['too many pixels', () => metrics.centreBias(65_536, 65_536)],
    ['a shape without a prototype', () => metrics.cc({ dtype: 'float32', shape: bare(2, 2), data: new Float32Array(4) }, noise)],
    ['a size without a prototype', () => DiffSal.create({ size: bare(64, 96) })],
    ['null as the configuration', () => DiffSal.create(null as never)],
    ['null as a part of it', () => DiffSal.create({ videoEncoder: null as never })],
  ])('are refused at once: %s', async (_, call) => {
    await expectDiffSalError(call, 'ERR_DIFFSAL_INVALID_ARGUMENT')
  })
})
