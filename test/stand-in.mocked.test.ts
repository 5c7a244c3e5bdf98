import { afterEach, describe, expect, it, vi } from 'vitest'
import { DiffSal, type DiffSalConfig, type PartialDiffSalConfig } from '../lib/index.ts'
import { blobs } from './support/blobs.ts'
import { expectClose } from './support/expect-close.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { runProgram } from './support/run-program.ts'
import { openStandIn, standInDevices, standInPath } from './support/stand-in.ts'
import { temporaryPath } from './support/temporary.ts'
import { lightConfig } from './support/tiny-config.ts'
import { spoilt, tinyInputs } from './support/tiny-inputs.ts'
import { trainingBatch, trainingConfig, trainingRun } from './support/training.ts'

vi.mock('../lib/devices.ts', async (original) => ({ ...(await original<object>()), resolveDevice: (device: unknown) => device }))

const standIn = openStandIn()
// Not the device that a thread begins with.
const device = standInDevices[1]
const { frames, mel } = tinyInputs(2)
const run = { seed: 1, threads: 1 }
const create = (config: PartialDiffSalConfig, where: string = device): Promise<DiffSal> => DiffSal.create(config, { ...run, device: where as 'cpu' })

// Everything here must be without one, and nothing but what a test says may wait.
afterEach(() => expect(standIn.takeMistakes()).toEqual([]))

describe('the stand-in', () => {
  it.each([
    ['host and device', /on the same device/],
    ['two devices', /on the same device/],
    ['read before it is there', /nothing is there yet/],
    ['a stream that does not wait', /may still write/],
  ])('refuses %s', (mistake, message) => expect(() => standIn.provoke(mistake)).toThrow(message))

  it('notes waits, and memory that is freed too early', () => {
    standIn.takeWaits()
    standIn.provoke('item')
    standIn.provoke('a copy that waits')
    expect(standIn.takeWaits()).toEqual(['item()', 'a copy of Float[4] to the host'])
    standIn.provoke('freed too early')
    expect(standIn.takeMistakes()).toEqual([expect.stringMatching(/^16 bytes .* were freed while stream/)])
  })

  it('ends a process that reads its memory', async () => {
    const { signal, stderr } = await runProgram('read-device-memory.mjs', [standInPath])
    expect(stderr).toContain('The host followed a pointer of the stand-in device.')
    expect(signal).toBe('SIGSEGV')
  })
})

describe('a model on the stand-in', () => {
  it.each<[string, PartialDiffSalConfig]>([
    ['sound and pictures', lightConfig],
    ['sound alone, as released', { ...lightConfig, video: false, dialect: 'released' }],
    ['pictures alone', { ...lightConfig, audio: false }],
  ])('predicts from %s as on the CPU, and waits where it says so alone', async (_, config) => {
    await using onCpu = await create(config, 'cpu')
    await using model = await create(config)
    const { video, audio } = model.config as DiffSalConfig
    const input = { ...(video && { frames }), ...(audio && { mel }) }
    const options = { seed: [1, 2], steps: 3, eta: 1 }
    const expected = await onCpu.predict(input, { ...options, estimates: true })
    // Tables that depend on the shape alone are made at its first call.
    await model.predict(input, options)
    standIn.takeWaits()
    const steps: number[] = []
    const { map, estimates } = await model.predict(input, { ...options, estimates: true, onProgress: ({ step }) => steps.push(step) })
    expect(standIn.takeWaits()).toEqual([])
    expectClose(map, expected.map, 1e-4)
    expectClose(estimates!, expected.estimates!, 1e-3)
    expect(steps).toEqual(Array.from({ length: expected.estimates!.shape[0]! }, (_, i) => i + 1))
  })

  it('takes pictures and sounds of any size, and tells of what is heard where', async () => {
    await using onCpu = await create(lightConfig, 'cpu')
    await using model = await create(lightConfig)
    const shape = [16, 75, 95, 3]
    const pictures = { dtype: 'uint8' as const, shape, data: new Uint8Array(16 * 75 * 95 * 3).map((_, i) => (i * i) % 251) }
    const clip = { frames: pictures, audio: { samples: new Float32Array(48_000).map((_, i) => Math.sin(i)), sampleRate: 48_000 } }
    const expected = await onCpu.predict(clip, { seed: 1, activity: true })
    await model.predict(clip, { seed: 1 })
    standIn.takeWaits()
    const { map, activity } = await model.predict(clip, { seed: 1, activity: true })
    expect(standIn.takeWaits()).toEqual([])
    expectClose(map, expected.map, 1e-4)
    for (const [i, stage] of activity!.entries()) expectClose(stage, expected.activity![i]!, 1e-3)
  })

  it('predicts what waits in line while inputs are uploaded, from several models at once', async () => {
    const clips = [1, 2, 3].map((k) => ({ frames: { ...frames, data: frames.data.map((x) => x / k) }, mel }))
    const models = await Promise.all([create(lightConfig), create(lightConfig), create(lightConfig, standInDevices[0])])
    const expected = await Promise.all(clips.map((clip) => models[0]!.predict(clip, { seed: [1, 2], steps: 1 })))
    const maps = await Promise.all(
      Array.from(
        { length: 12 },
        async (_, i) => [await models[i % models.length]!.predict(clips[(i % 4) % 3]!, { seed: [1, 2], steps: 1 }), (i % 4) % 3] as const,
      ),
    )
    for (const [map, i] of maps) expectClose(map, expected[i]!, 1e-6)
    await Promise.all(models.map((model) => model.dispose()))
  })

  it('keeps features, hands out parameters and copies, saves and loads', async () => {
    const path = temporaryPath('stand-in.safetensors')
    await using made = await create(lightConfig)
    const golden = await made.predict({ frames, mel }, { seed: [1, 2] })
    await made.save(path)
    await using loaded = await DiffSal.load(path, { device: device as 'cpu', threads: 1 })
    using features = await loaded.encode({ frames, mel })
    expectClose(await loaded.predict(features, { seed: [1, 2] }), golden, 1e-6)
    expect((await features.tensors()).video).toHaveLength(4)
    await using copy = await loaded.clone()
    expectClose(await copy.predict({ frames, mel }, { seed: [1, 2] }), golden, 1e-6)
  })

  it('refuses bad values, stops when told to, and goes on', async () => {
    await using model = await create(lightConfig)
    const golden = await model.predict({ frames, mel }, { seed: 1 })
    await expectDiffSalError(() => model.predict({ frames: spoilt(frames, NaN), mel }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'frames', 'NaN')
    const controller = new AbortController()
    const stopped = model.predict({ frames, mel }, { steps: 1000, signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) })
    await expect(stopped).rejects.toThrow('enough')
    expectClose(await model.predict({ frames, mel }, { seed: 1 }), golden, 0)
  })

  it('evaluates as on the CPU', async () => {
    await using onCpu = await create(trainingConfig, 'cpu')
    await using model = await create(trainingConfig)
    const [expected, scores] = [await onCpu.evaluate(blobs(3), { steps: 2 }), await model.evaluate(blobs(3), { steps: 2, batch: 2 })]
    for (const name of ['cc', 'sim', 'nss'] as const) expect(scores.mean[name]).toBeCloseTo(expected.mean[name], 3)
  })
})

describe('a trainer on the stand-in', () => {
  it.each([{}, { accumulate: 2, ema: 0.9, optimiser: 'adamw', loss: 'kl' }])('descends as on the CPU, with %o', async (options) => {
    const losses = async (where: string): Promise<number[]> => {
      await using model = await DiffSal.create(trainingConfig, { ...trainingRun, device: where as 'cpu' })
      await using trainer = model.trainer({ lr: 1e-3, seed: 1, ...(options as object) })
      const list = []
      for (let i = 0; i < 3; i++) {
        standIn.takeWaits()
        list.push((await trainer.step(trainingBatch(2, i))).loss)
        // The first step takes small tables to the device. The losses and the norm are read once, where the step says.
        if (i > 0) expect(standIn.takeWaits()).toEqual([])
      }
      return list
    }
    const [cpu, here] = [await losses('cpu'), await losses(device)]
    for (const [i, loss] of cpu.entries()) expect(Math.abs(here[i]! / loss - 1)).toBeLessThan(1e-3)
  })

  it('goes on with a training that was saved, on the other device and on the CPU', async () => {
    const path = temporaryPath('stand-in-training.safetensors')
    await using model = await create(trainingConfig)
    await using trainer = model.trainer({ seed: 1, ema: 0.9 })
    await trainer.step(trainingBatch(2, 0))
    await trainer.save(path)
    const { loss } = await trainer.step(trainingBatch(2, 1))
    for (const where of [standInDevices[0], 'cpu']) {
      await using resumed = await DiffSal.resume(path, { device: where as 'cpu', threads: 1 })
      expect(Math.abs((await resumed.step(trainingBatch(2, 1))).loss / loss - 1)).toBeLessThan(1e-3)
      await resumed.model.dispose()
    }
  })

  it('fits, and scores the running average while a step may be under way', async () => {
    const scores = async (where: string): Promise<number[]> => {
      await using model = await DiffSal.create(trainingConfig, { ...trainingRun, device: where as 'cpu' })
      await using trainer = model.trainer({ lr: 1e-3, seed: 1, ema: 0.5 })
      const list = []
      for await (const event of trainer.fit(blobs(4), { epochs: 2, batch: 2, validate: { dataset: blobs(2), every: 1 } })) {
        if (event.type === 'validation') list.push(event.scores.mean.cc)
      }
      return list
    }
    const [cpu, here] = [await scores('cpu'), await scores(device)]
    expect(here).toHaveLength(2)
    for (const [i, cc] of cpu.entries()) expect(here[i]).toBeCloseTo(cc, 2)
  })

  it('leaves everything as it was where a step fails', async () => {
    await using model = await create(trainingConfig)
    await using trainer = model.trainer({ seed: 1 })
    const batch = trainingBatch(2, 0)
    await expectDiffSalError(() => trainer.step({ ...batch, target: spoilt(batch.target, 2) }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'target')
    const { loss } = await trainer.step(batch)
    await using other = await create(trainingConfig)
    await using fresh = other.trainer({ seed: 1 })
    expect((await fresh.step(batch)).loss).toBe(loss)
  })
})
