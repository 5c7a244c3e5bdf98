import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DiffSal, type Features, type PredictOptions, type PredictVideoOptions } from '../lib/index.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { FakeModel } from './support/fake-model.ts'
import { predictVideo } from '../lib/predict-video.ts'
import { trainingBatch, trainingConfig, trainingRun } from './support/training.ts'

const { frames, mel } = trainingBatch(1)
const clip = { frames, mel }
let model: DiffSal
let features: Features
const order: string[] = []

beforeAll(async () => {
  model = await DiffSal.create(trainingConfig, trainingRun)
  features = await model.encode(clip)
})
beforeEach(() => void order.splice(0))
afterAll(() => model?.dispose())

/** Keeps the model at work until all that is asked for in this turn of the loop waits. */
function busy(): Promise<unknown> {
  return model.predict(features, { steps: 60, seed: 1 })
}

const asked = (name: string, work: Promise<unknown>): Promise<unknown> => work.then(() => order.push(name))

describe('calls that wait for a model', () => {
  it('have their turn by priority, and of those alike in their order', async () => {
    const predicting = (name: string, priority?: PredictOptions['priority']) => asked(name, model.predict(features, { steps: 1, priority }))
    await Promise.all([
      busy(),
      ...[predicting('low 1', 'low'), predicting('normal 1'), predicting('high 1', 'high'), predicting('low 2', 'low')],
      ...[predicting('normal 2', 'normal'), predicting('high 2', 'high'), predicting('normal 3')],
    ])
    expect(order).toEqual(['high 1', 'high 2', 'normal 1', 'normal 2', 'normal 3', 'low 1', 'low 2'])
  })

  it('are encodings and single passes of the network too, and each sample of an uncertainty', async () => {
    const x = { dtype: 'float32', shape: [1, 1, 32, 64], data: new Float32Array(2048) } as const
    const disposed = (promise: Promise<Features>) => promise.then((one) => one.dispose())
    await Promise.all([
      busy(),
      asked('low', model.predict(clip, { steps: 1, uncertainty: 2, priority: 'low' })),
      asked('normal encode', disposed(model.encode(clip))),
      asked('normal denoise', model.denoise(x, 5, features)),
      asked('high encode', disposed(model.encode(clip, { priority: 'high' }))),
      asked('high denoise', model.denoise(x, 5, features, { priority: 'high' })),
      asked('parameter', model.parameter('decoder_net.conv_in.bias')),
    ])
    expect(order).toEqual(['high encode', 'high denoise', 'normal encode', 'normal denoise', 'parameter', 'low'])
  })

  it('are all done before the model is freed, low ones too', async () => {
    const other = await model.clone()
    await Promise.all([
      asked('first', other.predict(clip, { steps: 20 })),
      asked('low', other.predict(clip, { steps: 1, priority: 'low' })),
      asked('disposed', other.dispose()),
    ])
    expect(order).toEqual(['first', 'low', 'disposed'])
  })

  it('that are aborted while they wait are passed over', async () => {
    const controller = new AbortController()
    const aborted = model.predict(features, { steps: 1, priority: 'high', signal: controller.signal })
    const rest = [busy(), asked('low', model.predict(features, { steps: 1, priority: 'low' }))]
    controller.abort('no longer')
    await expect(aborted).rejects.toBe('no longer')
    await Promise.all(rest)
    expect(order).toEqual(['low'])
  })

  it('of a video have the one that it was given', async () => {
    const fake = new FakeModel()
    const priorities = async (options: PredictVideoOptions) => {
      fake.calls.splice(0)
      for await (const _ of predictVideo(fake, 'examples/scene.mp4', { stride: 40, ...options }));
      return new Set(fake.calls.map((call) => call.options.priority))
    }
    expect(await priorities({ priority: 'low' })).toEqual(new Set(['low']))
    expect(await priorities({})).toEqual(new Set(['normal']))
  })

  it('are refused a priority that is none', async () => {
    for (const priority of ['urgent', 'High', 1, null]) {
      const given = { priority } as unknown as PredictOptions
      const calls = [
        () => model.predict(clip, given),
        () => model.encode(clip, given as object),
        () => model.denoise({ dtype: 'float32', shape: [1, 1, 32, 64], data: new Float32Array(2048) }, 5, features, given as object),
      ]
      for (const call of calls) await expectDiffSalError(call, 'ERR_DIFFSAL_INVALID_ARGUMENT', /'priority' must be one of 'high', 'normal', 'low'/)
      await expectDiffSalError(() => model.predictVideo('examples/scene.mp4', given as object).next(), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'priority'")
    }
  })
})
