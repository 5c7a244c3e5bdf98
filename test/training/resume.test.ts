import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { DiffSal, type TrainerOptions } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { changeTraining, fillTensor } from '../support/training-file.ts'
import { trainingBatch, trainingConfig, trainingRun } from '../support/training.ts'

const batches = [0, 1, 2, 3, 4, 5].map((number) => trainingBatch(2, number))

describe('a resumed training', () => {
  it.each<[string, TrainerOptions, number]>([
    ['Adam', {}, 1],
    ['AdamW with an average and a cosine', { optimiser: 'adamw', weightDecay: 0.1, ema: 0.9, schedule: { kind: 'cosine', total: 8, warmup: 2 } }, 1],
    ['two threads', { loss: 'kl', terms: { cc: -0.1 } }, 2],
    [
      'groups',
      {
        optimiser: 'adamw',
        weightDecay: 0.1,
        keepGradients: true,
        groups: [
          { names: ['*.bias', '*.norm*'], weightDecay: 0 },
          { names: ['visual_net.'], lrScale: 0.1 },
          { names: ['spatiotemp_net.'], frozen: true },
        ],
      },
      1,
    ],
  ])('has the steps and the weights of an unbroken one, bit for bit: %s', async (name, options, threads) => {
    const path = temporaryPath(`${name}.safetensors`)
    await using model = await DiffSal.create(trainingConfig, { seed: 4, threads })
    const trainer = model.trainer({ lr: 1e-3, seed: 7, ...options })
    for (const batch of batches.slice(0, 2)) await trainer.step(batch)
    // A rate of the caller's own, which the schedule goes on from.
    trainer.lr = 7e-4
    await trainer.step(batches[2]!)
    // Asked for in one go: what is saved is the state after the third step.
    const saved = trainer.save(path, { extra: { position: 3 } })
    const expected = await Promise.all(batches.slice(3).map((batch) => trainer.step(batch)))
    await saved

    const resumed = await DiffSal.resume(path, { threads })
    expect([resumed.steps, resumed.lr]).toEqual([3, 7e-4])
    expect(resumed.extra).toEqual({ position: 3 })
    expect(resumed.options).toEqual(trainer.options)
    expect(resumed.model.config).toEqual(model.config)
    const steps = []
    for (const batch of batches.slice(3)) steps.push(await resumed.step(batch))
    expect(steps).toEqual(expected)
    expect(await resumed.gradientNorms()).toEqual(await trainer.gradientNorms())
    for (const { name: parameter } of model.parameters()) expectClose(await resumed.model.parameter(parameter), await model.parameter(parameter), 0)
    if (options.ema !== undefined) {
      const [a, b] = [temporaryPath('a.safetensors'), temporaryPath('b.safetensors')]
      await Promise.all([trainer.saveAverage(a), resumed.saveAverage(b)])
      expect((await readFile(a)).equals(await readFile(b))).toBe(true)
    }
    await resumed.model.dispose()
  })
})

describe('a training checkpoint', () => {
  it('of a model that only sees, with nothing frozen, is resumed', async () => {
    const path = temporaryPath('seeing.safetensors')
    await using model = await DiffSal.create({ ...trainingConfig, audio: false }, trainingRun)
    const trainer = model.trainer()
    expect(trainer.options.frozen).toEqual([])
    await trainer.save(path)
    const resumed = await DiffSal.resume(path, { threads: 1 })
    expect(resumed.options).toEqual(trainer.options)
    await resumed.model.dispose()
  })

  it('loads as weights', async () => {
    const path = temporaryPath('weights.safetensors')
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer()
    await trainer.step(batches[0]!)
    await trainer.save(path)
    await using loaded = await DiffSal.load(path)
    for (const { name } of model.parameters()) expectClose(await loaded.parameter(name), await model.parameter(name), 0)
    expect(loaded.parameters()).toEqual(model.parameters())
  })

  it('is refused where it is none, damaged or of other options', async () => {
    const path = temporaryPath('state.safetensors')
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const weights = temporaryPath('plain.safetensors')
    await model.save(weights)
    await expectDiffSalError(() => DiffSal.resume(weights), 'ERR_DIFFSAL_CHECKPOINT', 'no training state')
    await expectDiffSalError(() => DiffSal.resume(temporaryPath('nothing')), 'ERR_DIFFSAL_FILE', 'nothing')
    const trainer = model.trainer()
    await trainer.save(path)
    const bytes = await readFile(path)
    const swapped = async (from: string, to: string) => {
      const at = bytes.indexOf(from)
      expect(at).toBeGreaterThan(0)
      const copy = Buffer.from(bytes)
      copy.write(to, at)
      // Under another name the checksum is none: what is looked at here is the rest.
      copy.write('diffsal_crc3_', copy.indexOf('diffsal_crc32'))
      const other = temporaryPath('damaged.safetensors')
      await writeFile(other, copy)
      return other
    }
    for (const [from, to, part] of [
      ['training/mean/decoder_net.conv_in.weight', 'training/mean/decoder_net.conv_in.weighs', 'conv_in.weight'],
      ['\\"version\\":1', '\\"version\\":2', 'version'],
      ['\\"optimiser\\":\\"adam\\"', '\\"optimiser\\":\\"adum\\"', 'optimiser'],
    ] as const) {
      await expectDiffSalError(async () => DiffSal.resume(await swapped(from, to)), 'ERR_DIFFSAL_CHECKPOINT', part)
    }
    const short = temporaryPath('short.safetensors')
    await writeFile(short, bytes.subarray(0, bytes.length - 100))
    await expectDiffSalError(() => DiffSal.resume(short), 'ERR_DIFFSAL_CHECKPOINT')
    for (const name of ['seed', 'lr']) {
      await writeFile(short, bytes)
      await changeTraining(short, ({ options, ...rest }) => ({ ...rest, options: { ...(options as object), [name]: undefined } }))
      await expectDiffSalError(() => DiffSal.resume(short), 'ERR_DIFFSAL_CHECKPOINT', `options.${name}`)
    }
    await writeFile(short, bytes)
    await fillTensor(short, 'training/generator', 255)
    await expectDiffSalError(() => DiffSal.resume(short), 'ERR_DIFFSAL_CHECKPOINT', 'random numbers')
  })

  it('holds an extra that JSON holds, and no other', async () => {
    const path = temporaryPath('extra.safetensors')
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer()
    const extra = { fit: { data: 1 }, list: [null, true, 'é', -1.5, {}], ['__proto__']: 1 }
    await trainer.save(path, { extra })
    const resumed = await DiffSal.resume(path, { threads: 1 })
    expect(resumed.extra).toEqual(extra)
    await resumed.model.dispose()
    const bytes = await readFile(path)
    const circle: Record<string, unknown> = {}
    circle.self = [circle]
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    for (const [bad, name] of [
      ...[
        [circle, 'extra.self[0]'],
        [deep, 'extra'],
        [new Map([[1, 2]]), 'extra'],
        [{ a: [1, NaN] }, 'extra.a[1]'],
        [{ a: undefined }, 'extra.a'],
      ],
      ...[
        [[1, , 3], 'extra[1]'],
        [1n, 'extra'],
        [{ at: new Date(0) }, 'extra.at'],
        [() => 1, 'extra'],
        ['x'.repeat(2 ** 24), 'extra'],
      ],
    ] as [unknown, string][]) {
      const error = await expectDiffSalError(() => trainer.save(path, { extra: bad }), 'ERR_DIFFSAL_INVALID_ARGUMENT', `'${name}' must be`)
      expect(error.argument).toBe(name)
    }
    expect((await readFile(path)).equals(bytes)).toBe(true)
  })
})
