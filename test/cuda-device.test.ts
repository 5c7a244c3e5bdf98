import { describe, expect, it } from 'vitest'
import { DiffSal, devices, setLogger } from '../lib/index.ts'
import { expectClose } from './support/expect-close.ts'
import { temporaryPath } from './support/temporary.ts'
import { cudaDevice } from './support/test-device.ts'
import { tinyConfig } from './support/tiny-config.ts'
import { tinyInputs } from './support/tiny-inputs.ts'
import { trainingBatch, trainingConfig, trainingRun } from './support/training.ts'

const device = cudaDevice ?? ''
const { frames, mel } = tinyInputs(2)

if (cudaDevice === undefined) console.warn('There is no CUDA device here: the tests of a model on CUDA are skipped.')

describe.skipIf(cudaDevice === undefined)('a model on CUDA', () => {
  it('gives with a seed the maps that it gives on the CPU', async () => {
    for (const config of [tinyConfig, { ...tinyConfig, video: false, dialect: 'released' as const }]) {
      await using onCpu = await DiffSal.create(config, { seed: 1, device: 'cpu' })
      await using onCuda = await DiffSal.create(config, { seed: 1, device })
      expect(onCuda.device).toBe(device)
      const input = config === tinyConfig ? { frames, mel } : { mel }
      const options = { seed: [1, 2], steps: 3, eta: 1 }
      expectClose(await onCuda.predict(input, options), await onCpu.predict(input, options), 1e-4)
    }
  })

  it('takes pictures of any size as the CPU does', async () => {
    await using onCpu = await DiffSal.create(tinyConfig, { seed: 1, device: 'cpu' })
    await using onCuda = await DiffSal.create(tinyConfig, { seed: 1, device })
    const shape = [16, 150, 190, 3]
    const data = new Uint8Array(shape.reduce((a, b) => a * b)).map((_, i) => (i * i) % 251)
    const clip = {
      frames: { dtype: 'uint8' as const, shape, data },
      audio: { samples: new Float32Array(48_000).map((_, i) => Math.sin(i)), sampleRate: 48_000 },
    }
    expectClose(await onCuda.predict(clip, { seed: 1 }), await onCpu.predict(clip, { seed: 1 }), 1e-4)
  })

  it('gives the same maps by graphs, whatever comes between: batch sizes, sound or none, kept features', async () => {
    let warnings = 0
    setLogger((level) => void (warnings += Number(level === 'warn')))
    await using model = await DiffSal.create(tinyConfig, { seed: 1, device })
    const inputs = [1, 2, 3, 4, 5].map((batch) => ({ ...tinyInputs(batch), batch }))
    const predict = async ({ frames, mel, batch }: (typeof inputs)[number], sound: boolean) =>
      model.predict({ frames, ...(sound ? { mel } : { audio: null }) }, { seed: Array.from({ length: batch }, (_, b) => b), steps: 3 })
    // The first call of a shape is not captured, the second is, the third is replayed.
    const first = await Promise.all(inputs.map((input) => predict(input, true)))
    const silent = await Promise.all(inputs.map((input) => predict(input, false)))
    const kept = await model.encode({ frames: inputs[1]!.frames, mel: inputs[1]!.mel })
    const fromKept = await model.predict(kept, { seed: [0, 1], steps: 3 })
    expectClose(fromKept, first[1]!, 1e-5)
    for (let round = 0; round < 3; round++) {
      for (const [i, input] of inputs.entries()) {
        expectClose(await predict(input, true), first[i]!, 1e-5)
        if (i % 2) expectClose(await predict(input, false), silent[i]!, 1e-5)
        expectClose(await model.predict(kept, { seed: [0, 1], steps: 3 }), fromKept, 1e-5)
      }
    }
    // So long as it knows four shapes, the last of these are replays.
    for (let i = 0; i < 5; i++) expectClose(await predict(inputs[0]!, true), first[0]!, 1e-5)
    setLogger(undefined)
    // A warning says that something could not be captured.
    expect(warnings).toBe(0)
  })

  it('predicts what waits in line while inputs are uploaded, and from large pictures', async () => {
    await using onCpu = await DiffSal.create(tinyConfig, { seed: 1, device: 'cpu' })
    await using onCuda = await DiffSal.create(tinyConfig, { seed: 1, device })
    // A clip of 38 MB: some of them are uploaded as they come, the rest in their turn.
    const shape = [16, 900, 900, 3]
    const clips = Array.from({ length: 3 }, (_, k) => ({
      frames: { dtype: 'uint8' as const, shape, data: new Uint8Array(shape.reduce((a, b) => a * b)).map((_, i) => (i * (i + k)) % 251) },
      audio: { samples: new Float32Array(30_000).map((_, i) => Math.sin(i / (k + 2))), sampleRate: 16_000 },
    }))
    const expected = []
    for (const one of clips) expected.push(await onCpu.predict(one, { seed: 1 }))
    const calls = Array.from({ length: 24 }, (_, i) => onCuda.predict(clips[i % 3]!, { seed: 1 }))
    for (const [i, call] of calls.entries()) expectClose(await call, expected[i % 3]!, 1e-4)
  })

  it('gives nearly the same maps in bfloat16', async () => {
    await using exact = await DiffSal.create(tinyConfig, { seed: 1, device })
    await using half = await DiffSal.create(tinyConfig, { seed: 1, device, precision: 'bfloat16' })
    for (let i = 0; i < 4; i++) {
      expectClose(await half.predict({ frames, mel }, { seed: [1, 2], steps: 3 }), await exact.predict({ frames, mel }, { seed: [1, 2], steps: 3 }), 0.02)
    }
  })

  it('saves what it loads, and keeps features on the device', async () => {
    const path = temporaryPath('cuda.safetensors')
    await using made = await DiffSal.create(tinyConfig, { seed: 1, device })
    await made.save(path)
    await using loaded = await DiffSal.load(path, { device })
    using features = await loaded.encode({ frames, mel })
    const golden = await made.predict({ frames, mel }, { seed: 1 })
    expectClose(await loaded.predict(features, { seed: 1 }), golden, 1e-5)
    expect((await features.tensors()).video).toHaveLength(4)
    expect(loaded.memory().features).toBeGreaterThan(0)
  })

  it('tells of the memory of the device, and gives it back', async () => {
    const model = await DiffSal.create(tinyConfig, { seed: 1, device })
    const { parameters, device: memory } = model.memory()
    if (memory === undefined) expect.fail('the addon was built without its CUDA part')
    expect(memory.allocated).toBeGreaterThanOrEqual(parameters)
    expect(memory.reserved).toBeGreaterThanOrEqual(memory.allocated)
    expect(memory.free).toBeLessThanOrEqual(memory.total)
    expect(devices().find(({ id }) => id === device)!.memory.total).toBeGreaterThan(0.9 * memory.total)
    await using other = await DiffSal.create(tinyConfig, { seed: 1, device })
    await model.dispose()
    expect(other.memory().device!.allocated).toBeLessThan(memory.allocated + parameters)
  })

  it('tells of each step when it is done, and stops when it is told to', async () => {
    await using model = await DiffSal.create(tinyConfig, { seed: 1, device })
    const controller = new AbortController()
    const steps: number[] = []
    const running = model.predict(
      { frames, mel },
      {
        steps: 1000,
        signal: controller.signal,
        onProgress: ({ step }) => {
          steps.push(step)
          if (step === 3) controller.abort(new Error('enough'))
        },
      },
    )
    await expect(running).rejects.toThrow('enough')
    expect(steps.slice(0, 3)).toEqual([1, 2, 3])
    expect(steps.length).toBeLessThan(1000)
  })

  it('descends as on the CPU, and in bfloat16 about as much', async () => {
    const losses = async (where: string, precision: 'float32' | 'bfloat16'): Promise<number[]> => {
      await using model = await DiffSal.create(trainingConfig, { ...trainingRun, device: where })
      await using trainer = model.trainer({ lr: 1e-3, seed: 1, precision })
      const list = []
      for (let i = 0; i < 6; i++) list.push((await trainer.step(trainingBatch(2, i))).loss)
      return list
    }
    const [cpu, cuda, half] = [await losses('cpu', 'float32'), await losses(device, 'float32'), await losses(device, 'bfloat16')]
    for (const [i, loss] of cpu.entries()) {
      expect(Math.abs(cuda[i]! / loss - 1)).toBeLessThan(0.02)
      expect(Math.abs(half[i]! / loss - 1)).toBeLessThan(0.15)
    }
  })

  it('goes on with a training that was saved', async () => {
    const path = temporaryPath('cuda-training.safetensors')
    await using model = await DiffSal.create(trainingConfig, { ...trainingRun, device })
    await using trainer = model.trainer({ seed: 1, ema: 0.9 })
    await trainer.step(trainingBatch(2, 0))
    await trainer.save(path)
    const { loss } = await trainer.step(trainingBatch(2, 1))
    await using resumed = await DiffSal.resume(path, { device })
    expect(Math.abs((await resumed.step(trainingBatch(2, 1))).loss / loss - 1)).toBeLessThan(1e-3)
    await resumed.model.dispose()
  })
})
