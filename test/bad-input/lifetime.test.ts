import { describe, expect, it } from 'vitest'
import { DiffSal } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { tinyConfig } from '../support/tiny-config.ts'
import { tinyInputs } from '../support/tiny-inputs.ts'

const { frames, mel, noise } = tinyInputs()

/** What `promise` is rejected with. */
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it was fulfilled'),
    (reason: unknown) => reason,
  )

describe('an aborted signal', () => {
  it('rejects with its reason before anything is computed', async () => {
    await using model = await DiffSal.create(tinyConfig, { seed: 1 })
    const reason = new Error('no longer wanted')
    const signal = AbortSignal.abort(reason)
    let steps = 0
    expect(await rejection(model.predict({ frames, mel }, { steps: 4, noise, signal, onProgress: () => steps++ }))).toBe(reason)
    expect(await rejection(model.encode({ frames, mel }, { signal }))).toBe(reason)
    expect(steps).toBe(0)
  })

  it('rejects with its reason during the sampling, which ends there', async () => {
    await using model = await DiffSal.create(tinyConfig, { seed: 1 })
    const start = performance.now()
    const before = await model.predict({ frames, mel }, { steps: 1, noise })
    const oneStep = performance.now() - start
    const controller = new AbortController()
    const reason = { any: 'value' }
    let steps = 0
    const onProgress = () => {
      steps++
      controller.abort(reason)
    }
    expect(await rejection(model.predict({ frames, mel }, { steps: 1000, noise, signal: controller.signal, onProgress }))).toBe(reason)
    // The model is free again long before a thousand steps, and as it was.
    const aborted = performance.now()
    expectClose(await model.predict({ frames, mel }, { steps: 1, noise }), before, 0)
    expect(performance.now() - aborted).toBeLessThan(Math.max(2000, 100 * oneStep))
    expect(steps).toBeLessThan(10)
  })

  it('rejects what still waits for its turn', async () => {
    await using model = await DiffSal.create(tinyConfig, { seed: 1 })
    const controller = new AbortController()
    const running = model.predict({ frames, mel }, { steps: 3, noise })
    const waiting = rejection(model.predict({ frames, mel }, { steps: 1000, noise, signal: controller.signal }))
    controller.abort()
    expect(await waiting).toBe(controller.signal.reason)
    expect((await running).shape).toEqual([1, 1, 64, 96])
  })

  it('aborted after the end changes nothing', async () => {
    await using model = await DiffSal.create(tinyConfig, { seed: 1 })
    const controller = new AbortController()
    const map = await model.predict({ frames, mel }, { steps: 1, noise, signal: controller.signal })
    controller.abort()
    expectClose(await model.predict({ frames, mel }, { steps: 1, noise }), map, 0)
  })

  it('must be a signal', async () => {
    await using model = await DiffSal.create(tinyConfig, { seed: 1 })
    await expectDiffSalError(() => model.predict({ frames, mel }, { signal: {} as AbortSignal }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'signal')
  })
})

describe('use after dispose', () => {
  it('is refused by a model, and disposing again is not', async () => {
    const model = await DiffSal.create(tinyConfig, { seed: 1 })
    const features = await model.encode({ frames, mel })
    await model.dispose()
    await model.dispose()
    const path = temporaryPath('after.safetensors')
    for (const use of [
      () => model.predict({ frames, mel }),
      () => model.encode({ frames, mel }),
      () => model.denoise(noise, 500, features),
      () => model.save(path),
      () => model.parameters(),
    ]) {
      await expectDiffSalError(use, 'ERR_DIFFSAL_DISPOSED', /disposed/)
    }
  })

  it('is refused by features, and disposing again is not', async () => {
    await using model = await DiffSal.create(tinyConfig, { seed: 1 })
    const features = await model.encode({ frames, mel })
    await features.dispose()
    await features.dispose()
    await expectDiffSalError(() => features.tensors(), 'ERR_DIFFSAL_DISPOSED', /disposed/)
    await expectDiffSalError(() => model.denoise(noise, 500, features), 'ERR_DIFFSAL_DISPOSED', /disposed/)
    await expectDiffSalError(() => model.predict(features, { noise }), 'ERR_DIFFSAL_DISPOSED', /disposed/)
  })

  it('waits for the work that runs', async () => {
    const model = await DiffSal.create(tinyConfig, { seed: 1 })
    const running = model.predict({ frames, mel }, { steps: 4, noise })
    await model.dispose()
    expect((await running).shape).toEqual([1, 1, 64, 96])
  })

  it("refuses another model's features", async () => {
    await using model = await DiffSal.create(tinyConfig, { seed: 1 })
    await using other = await DiffSal.create(tinyConfig, { seed: 2 })
    const features = await other.encode({ frames, mel })
    await expectDiffSalError(() => model.denoise(noise, 500, features), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'features')
  })
})
