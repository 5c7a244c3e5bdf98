import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, metrics, type EvaluateOptions, type FramePrediction, type SaliencyDataset, type TrainingSample } from '../lib/index.ts'
import { evaluate } from '../lib/evaluate.ts'
import { blobs } from './support/blobs.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { trainingConfig, trainingRun } from './support/training.ts'

let model: DiffSal
beforeAll(async () => {
  model = await DiffSal.create(trainingConfig, trainingRun)
})
afterAll(() => model.dispose())

/** What scoring a dataset's samples one by one gives. */
async function byHand(model: DiffSal, dataset: SaliencyDataset, options: { steps?: number; seed: number }, indices: readonly number[]) {
  const predictions: FramePrediction[] = []
  for (const index of indices) {
    const { frames, audio, video, frame } = (await dataset.get(index))!
    const clip = { ...(model.config.video && { frames }), ...(model.config.audio && { audio }) }
    predictions.push({ video, frame, tensor: await model.predict(clip, options) })
  }
  return metrics.score(predictions, dataset)
}

describe('evaluate', () => {
  it('scores every sample as predicting and scoring by hand does', async () => {
    const dataset = blobs(5)
    const done: [number, number][] = []
    const scores = await model.evaluate(dataset, { steps: 2, seed: 7, onProgress: (...progress) => done.push(progress) })
    expect(scores).toEqual(await byHand(model, dataset, { steps: 2, seed: 7 }, [0, 1, 2, 3, 4]))
    expect(scores.frames).toBe(5)
    expect(Object.keys(scores.videos)).toEqual(['even', 'odd'])
    expect(done).toEqual([
      [1, 5],
      [2, 5],
      [3, 5],
      [4, 5],
      [5, 5],
    ])
    for (const value of Object.values(scores.mean)) expect(Number.isFinite(value)).toBe(true)
  })

  it('has a seed of its own, which decides', async () => {
    const dataset = blobs(3)
    const scores = await model.evaluate(dataset)
    expect(scores).toEqual(await model.evaluate(dataset, { seed: 1, steps: 4, eta: 0 }))
    expect(scores.mean).not.toEqual((await model.evaluate(dataset, { seed: 2 })).mean)
    expect(scores.mean).not.toEqual((await model.evaluate(dataset, { steps: 1 })).mean)
  })

  it('predicts in batches, and leaves out what has no truth or no sample', async () => {
    const dataset = blobs(5, { before: (i) => (i === 4 ? null : undefined) })
    const truth: SaliencyDataset['truth'] = (video, frame) => (frame === 1 ? undefined : dataset.truth(video, frame))
    const done: number[] = []
    const scores = await model.evaluate({ ...dataset, truth }, { batch: 2, seed: 3, onProgress: (samples) => done.push(samples) })
    const expected = await byHand(model, { ...dataset, truth }, { seed: 3 }, [0, 2, 3])
    expect(scores.frames).toBe(3)
    for (const name of ['cc', 'sim', 'nss', 'aucJudd', 'kl'] as const) expect(scores.mean[name]).toBeCloseTo(expected.mean[name], 4)
    expect(done).toEqual([2, 4, 5])
  })

  it('asks the model for every batch with its priority, and whether it is mirrored too', async () => {
    const told: unknown[] = []
    const listening = {
      config: model.config,
      predict: (...[input, options]: Parameters<typeof model.predict>) => (
        told.push(`${options?.priority}${options?.mirror ? ' mirrored' : ''}`),
        model.predict(input, { ...options, estimates: false, uncertainty: undefined, activity: false })
      ),
    }
    await evaluate(listening, blobs(2), { steps: 1, mirror: true, priority: 'low' })
    expect(told).toEqual(['low mirrored', 'low mirrored'])
    await evaluate(listening, blobs(1), { steps: 1 })
    expect(told.at(-1)).toBe('normal')
    await expectDiffSalError(() => model.evaluate(blobs(1), { priority: 'lowest' } as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'priority'")
    const deaf = { ...listening, config: { ...model.config, video: false } }
    await expectDiffSalError(() => evaluate(deaf, blobs(1), { mirror: true }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'mirror'")
    expect(told).toHaveLength(3)
  })

  it('with a limit takes samples that are evenly spaced', async () => {
    const dataset = blobs(10)
    expect(await model.evaluate(dataset, { limit: 3, seed: 3 })).toEqual(await byHand(model, dataset, { seed: 3 }, [0, 3, 6]))
    expect((await model.evaluate(blobs(2), { limit: 3 })).frames).toBe(2)
  })

  it.each([
    ['sees only', { audio: false }, true],
    ['hears only', { video: false }, true],
    ['could hear, of clips without sound', {}, false],
  ])('of a model that %s leaves out what it does not take', async (_, config, sound) => {
    await using other = await DiffSal.create({ ...trainingConfig, ...config }, trainingRun)
    const dataset = blobs(2, { sound })
    expect(await other.evaluate(dataset, { seed: 5 })).toEqual(await byHand(other, dataset, { seed: 5 }, [0, 1]))
  })

  it('stops when it is aborted, with its reason', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const asked: number[] = []
    const dataset = blobs(100, { before: (i) => void asked.push(i) })
    const onProgress = (done: number) => done === 2 && controller.abort(reason)
    await expect(model.evaluate(dataset, { signal: controller.signal, onProgress, workers: 1 })).rejects.toBe(reason)
    const { length } = asked
    expect(length).toBeLessThan(10)
    await model.predict(
      (await blobs(1)
        .get(0)
        .then((sample) => ({ frames: sample!.frames, audio: sample!.audio })))!,
      { steps: 1 },
    )
    expect(asked).toHaveLength(length)
    await expect(model.evaluate(dataset, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('ends with what onProgress throws, or the dataset', async () => {
    const thrown = new Error('no more')
    const fail = () => {
      throw thrown
    }
    await expect(model.evaluate(blobs(3), { onProgress: fail })).rejects.toBe(thrown)
    await expect(model.evaluate(blobs(3, { before: (i) => (i === 2 ? fail() : undefined) }))).rejects.toBe(thrown)
    await expect(model.evaluate({ ...blobs(3), truth: fail })).rejects.toBe(thrown)
  })

  it('refuses a dataset that is none, is empty or has no truth', async () => {
    const refused = (dataset: unknown, ...parts: (string | RegExp)[]) =>
      expectDiffSalError(() => model.evaluate(dataset as SaliencyDataset), 'ERR_DIFFSAL_INVALID_ARGUMENT', ...parts)
    await refused(undefined, "'dataset'")
    await refused(blobs(0), 'at least one sample')
    await refused({ length: 2, get: blobs(2).get }, 'truth')
    await refused({ ...blobs(2), truth: () => undefined }, 'no ground truth', '2 samples')
    await using deaf = await DiffSal.create({ ...trainingConfig, video: false }, trainingRun)
    await expectDiffSalError(() => deaf.evaluate(blobs(1, { sound: false })), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'sound')
  })

  it.each<[string, (sample: TrainingSample) => unknown, string]>([
    ['another clip length', (sample) => ({ ...sample, frames: { ...sample.frames, shape: [16, 32, 32, 3] } }), 'frames.shape'],
    ['a target of another size', (sample) => ({ ...sample, target: { ...sample.target, shape: [1, 64, 32] } }), 'target.shape'],
    ['no video', (sample) => ({ ...sample, video: undefined }), "'video'"],
    ['sound that is none', (sample) => ({ ...sample, audio: { samples: [1], sampleRate: 16_000 } }), 'audio.samples'],
    ['a number for a sample', () => 7, "'sample'"],
  ])('names a sample with %s', async (_, spoil, part) => {
    const whole = await blobs(3).get(2)
    const dataset = blobs(3, { before: (i) => (i === 2 ? spoil(whole!) : undefined) })
    await expectDiffSalError(() => model.evaluate(dataset), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'Sample 2', part)
  })

  it.each([
    [{ step: 3 }, "Did you mean 'steps'"],
    [{ steps: 0 }, "'steps'"],
    [{ eta: 2 }, "'eta'"],
    [{ seed: -1 }, "'seed'"],
    [{ batch: 0 }, "'batch'"],
    [{ workers: 0 }, "'workers'"],
    [{ limit: 0 }, "'limit'"],
    [{ onProgress: 1 }, "'onProgress'"],
    [{ signal: 1 }, "'signal'"],
  ])('options %j are refused', async (options, part) => {
    await expectDiffSalError(() => model.evaluate(blobs(2), options as EvaluateOptions), 'ERR_DIFFSAL_INVALID_ARGUMENT', part)
  })

  it.each<[string, SaliencyDataset]>([
    ['sample', blobs(4, { before: (i) => (i === 2 ? new Promise(() => {}) : undefined) })],
    ['ground truth', { ...blobs(4), truth: () => new Promise(() => {}) }],
  ])(
    'an abort ends it though a %s never comes',
    async (_, dataset) => {
      const controller = new AbortController()
      const reason = new Error('enough')
      setTimeout(() => controller.abort(reason), 300)
      await expect(model.evaluate(dataset, { signal: controller.signal, steps: 1 })).rejects.toBe(reason)
    },
    10_000,
  )

  it('of samples that are all none does not speak of learning', async () => {
    const error = await expectDiffSalError(() => model.evaluate(blobs(3, { before: () => null })), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'all its 3 samples')
    expect(error.message).not.toContain('learn')
  })

  it('is refused after dispose', async () => {
    const gone = await DiffSal.create(trainingConfig, trainingRun)
    await gone.dispose()
    await expectDiffSalError(() => gone.evaluate(blobs(1)), 'ERR_DIFFSAL_DISPOSED', 'model')
  })
})
