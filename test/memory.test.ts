import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DiffSal, type Features, type Tensor } from '../lib/index.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { settledMemory } from './support/memory.ts'
import { expectEnd, runProgram } from './support/run-program.ts'
import { temporaryPath } from './support/temporary.ts'
import { lightConfig, tinyConfig } from './support/tiny-config.ts'
import { tinyInputs } from './support/tiny-inputs.ts'

const { frames, mel } = tinyInputs()

/** The bytes of what features hold. */
async function bytesOf(features: Features): Promise<number> {
  const { video, audio } = await features.tensors()
  return [...video, ...(audio ? [audio] : [])].reduce((sum: number, { data }: Tensor<'float32'>) => sum + data.byteLength, 0)
}

/** How many models' threads this process has. */
const threads = () => readdirSync('/proc/self/task').filter((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8') === 'diffsal\n').length

/** The bytes of what a copy of this process does not have: the blocks for tensors, and some of V8's. */
function keptBytes(): number {
  const mappings = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
  const apart = mappings.filter((mapping) => /^VmFlags:.* dc/m.test(mapping))
  return apart.reduce((sum, mapping) => sum + 1024 * Number(/^Size: +(\d+) kB/m.exec(mapping)![1]), 0)
}

describe('memory', () => {
  it('of a new model is that of its parameters', async () => {
    await using model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    const numbers = model.parameters().reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
    expect(model.memory()).toEqual({ parameters: 4 * numbers, features: 0 })
    const path = temporaryPath('memory.safetensors')
    await model.save(path)
    await using loaded = await DiffSal.load(path, { threads: 1 })
    expect(loaded.memory()).toEqual(model.memory())
  })

  it('grows by the features that are encoded, and shrinks as they are disposed', async () => {
    await using model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    await using other = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    const one = await model.encode({ frames, mel })
    const size = model.memory().features
    // What the network prepares of the sound, once a clip, is held with the maps.
    expect(size).toBeGreaterThanOrEqual(await bytesOf(one))
    expect(size).toBeLessThan(1.2 * (await bytesOf(one)))
    const two = tinyInputs(2)
    using both = await model.encode({ frames: two.frames, mel: two.mel })
    expect(model.memory().features).toBe(3 * size)
    await model.predict(one, { steps: 1 })
    await model.predict({ frames, mel }, { steps: 1 })
    expect(model.memory().features).toBe(3 * size)
    one.dispose()
    one.dispose()
    expect(model.memory().features).toBe(2 * size)
    expect(model.memory().features).toBeGreaterThanOrEqual(await bytesOf(both))
    expect(other.memory().features).toBe(0)
  })

  it('that a training step frees is kept for the next one, apart from programs that are begun, and given back at the end', async () => {
    await using model = await DiffSal.create(tinyConfig, { seed: 1, threads: 1 })
    const before = keptBytes()
    const trainer = model.trainer({ lr: 1e-4 })
    const batch = tinyInputs(12)
    const target = { ...batch.noise, data: batch.noise.data.map((value) => 1 / (1 + Math.exp(-value))) }
    await trainer.step({ frames: batch.frames, mel: batch.mel, target })
    const after = keptBytes() - before
    // More than is kept without a trainer.
    expect(after).toBeGreaterThan(2 ** 28)
    await trainer.step({ frames: batch.frames, mel: batch.mel, target })
    expect(keptBytes() - before).toBeLessThan(1.1 * after)
    await trainer.dispose()
    expect(keptBytes() - before).toBeLessThan(2 ** 27)
  })

  it('of features without sound is less', async () => {
    await using model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    using features = await model.encode({ frames, audio: null })
    expect((await features.tensors()).audio).toBeNull()
    expect(model.memory().features).toBe(await bytesOf(features))
  })

  it('of features that nobody holds is given back by the garbage collector', async () => {
    await using model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    const forget = async () => void (await model.encode({ frames, mel }))
    for (let i = 0; i < 3; i++) await forget()
    for (let i = 0; i < 10 && model.memory().features > 0; i++) await settledMemory()
    expect(model.memory().features).toBe(0)
  })

  it('is not told of a model that was disposed', async () => {
    const model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    await model.dispose()
    await expectDiffSalError(() => model.memory(), 'ERR_DIFFSAL_DISPOSED', 'disposed')
  })
})

describe('features', () => {
  it('may be disposed while they are in use: the work ends first', async () => {
    await using model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    const features = await model.encode({ frames, mel })
    const golden = await model.predict(features, { steps: 3, seed: 1 })
    const running = model.predict(features, { steps: 3, seed: 1 })
    features.dispose()
    expect(model.memory().features).toBe(0)
    expect((await running).data).toEqual(golden.data)
  })

  it('give copies: what is done to them is not done to the features', async () => {
    await using model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    using features = await model.encode({ frames, mel })
    expect(features.batch).toBe(1)
    const { video, audio } = await features.tensors()
    const shapes = [
      [1, 64, 8, 2, 3],
      [1, 32, 8, 4, 6],
      [1, 16, 8, 8, 12],
      [1, 8, 8, 16, 24],
    ]
    expect(video.map(({ shape }) => shape)).toEqual(shapes)
    expect(audio!.shape).toEqual([1, 8, 9, 2, 3])
    const copies = video.map(({ data }) => data.slice())
    for (const { data } of video) data.fill(7)
    expect((await features.tensors()).video.map(({ data }) => data)).toEqual(copies)
  })

  it('outlive their model as tensors', async () => {
    const model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    using features = await model.encode({ frames, mel })
    await model.dispose()
    expect((await features.tensors()).video).toHaveLength(4)
    await expectDiffSalError(() => model.predict(features), 'ERR_DIFFSAL_DISPOSED', 'model')
  })
})

describe('the thread of a model', () => {
  it('ends when the model is disposed', async () => {
    const before = threads()
    const model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    expect(threads()).toBe(before + 1)
    await model.dispose()
    expect(threads()).toBe(before)
  })

  it('ends when the model cannot be built', async () => {
    const before = threads()
    await expectDiffSalError(() => DiffSal.load(import.meta.filename, { threads: 1 }), 'ERR_DIFFSAL_CHECKPOINT')
    const path = temporaryPath('fits.safetensors')
    await using model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    await model.save(path)
    await expectDiffSalError(() => DiffSal.load(path, { config: { audio: false }, threads: 1 }), 'ERR_DIFFSAL_CHECKPOINT')
    expect(threads()).toBe(before + 1)
  })

  it('ends when nobody holds the model any more', async () => {
    const before = threads()
    const forget = async () => void (await DiffSal.create(lightConfig, { seed: 1, threads: 1 }))
    for (let i = 0; i < 3; i++) await forget()
    for (let i = 0; i < 10 && threads() > before; i++) await settledMemory()
    expect(threads()).toBe(before)
  })
})

it('forgotten models are collected, because the garbage collector knows how large they are', async () => {
  const before = threads()
  const forget = async () => void (await DiffSal.create(tinyConfig, { seed: 1, threads: 1 }))
  for (let i = 0; i < 12; i++) await forget()
  expect(threads() - before).toBeLessThan(10)
})

describe('a machine without memory', () => {
  it('refuses a prediction, and makes the next that fits', async () => {
    const ended = await runProgram('out-of-memory.mjs')
    expectEnd(ended, 0)
    const { failures, same } = JSON.parse(ended.stdout) as { failures: { name: string; code: string; message: string }[]; same: boolean }
    for (const { name, code, message } of failures) {
      expect({ name, code }, message).toEqual({ name: 'DiffSalError', code: 'ERR_DIFFSAL_OUT_OF_MEMORY' })
      expect(message).not.toMatch(/frame #\d|\.cpp:\d|\n/)
    }
    expect(failures).toHaveLength(2)
    expect(same).toBe(true)
  })

  // V8 ends the process where it finds no memory for an array that it makes itself.
  it.each(['features', 'slices', 'schedule'])('refuses a result that there is none for, and gives it when others are let go: %s', async (what) => {
    const ended = await runProgram('results-out-of-memory.mjs', [what])
    expectEnd(ended, 0)
    const { count, failure } = JSON.parse(ended.stdout) as { count: number; failure?: { name: string; code: string; message: string } }
    expect(failure).toMatchObject({ name: 'DiffSalError', code: 'ERR_DIFFSAL_OUT_OF_MEMORY' })
    expect(failure!.message).toMatch(/^Out of memory: \d+ bytes/)
    expect(count).toBeLessThan(2000)
  })
})
