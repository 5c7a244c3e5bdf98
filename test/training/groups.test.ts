import { describe, expect, it } from 'vitest'
import { DiffSal, type Tensor, type TrainerOptions } from '../../lib/index.ts'
import { isMeant } from '../../lib/training/groups.ts'
import { expectClose } from '../support/expect-close.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { trainingBatch, trainingConfig, trainingRun } from '../support/training.ts'

const batch = trainingBatch()

/** The weights and steps after some steps of a fresh model, and the weights before them. */
async function trained(options: TrainerOptions, count = 2) {
  await using model = await DiffSal.create(trainingConfig, trainingRun)
  const names = model.parameters().map(({ name }) => name)
  const all = async () => new Map(await Promise.all(names.map(async (name) => [name, await model.parameter(name)] as const)))
  const before = await all()
  const trainer = model.trainer({ seed: 5, lr: 2 ** -9, ...options })
  const steps = []
  for (let i = 0; i < count; i++) steps.push(await trainer.step(batch))
  return { steps, before, after: await all() }
}

function expectSame(a: ReadonlyMap<string, Tensor<'float32'>>, b: ReadonlyMap<string, Tensor<'float32'>>, which = (_name: string) => true): void {
  for (const [name, value] of a) if (which(name)) expectClose(value, b.get(name)!, 0)
}

describe('a pattern', () => {
  it.each([
    ['visual_net.', 'visual_net.a.bias', true],
    ['visual_net', 'visual_net.a.bias', true],
    ['net.', 'visual_net.a', false],
    ['*.bias', 'a.b.bias', true],
    ['*.bias', 'a.bias_table', false],
    ['a.*.c', 'a.b.c', true],
    ['a.*.c', 'a.c', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*ab*ab*', 'ab', false],
    ['*ab*ab*', 'xabyabz', true],
    ['a*b*', 'ab', true],
    ['*b*c', 'bcbc', true],
    ['*', 'anything', true],
  ])('%s of %s: %s', (pattern, name, meant) => expect(isMeant(pattern, name)).toBe(meant))
})

describe('groups of parameters', () => {
  it('that change nothing train as none, bit for bit', async () => {
    const [none, some] = [await trained({}), await trained({ groups: [{ names: ['*.bias'] }, { names: ['visual_net.'], lrScale: 1, weightDecay: 0 }] })]
    expect(some.steps).toEqual(none.steps)
    expectSame(some.after, none.after)
  })

  it('scale the learning rate, whatever the schedule makes of it', async () => {
    const schedule = { kind: 'multistep', milestones: [1], gamma: 0.5 } as const
    // One step, after which gradients would be of other weights; powers of two, so that the products are exact.
    const [half, whole] = [await trained({ groups: [{ names: ['*'], lrScale: 0.5 }], schedule }), await trained({ lr: 2 ** -10, schedule })]
    expectSame(half.after, whole.after)
    expect(half.steps.map(({ lr }) => lr)).toEqual([2 ** -9, 2 ** -10])
  })

  it('of the rate 0 stay, but count in the gradient; frozen ones do neither', async () => {
    const inGroup = (name: string) => name.startsWith('decoder_net.conv_in')
    const [zero, frozen, byOption] = [
      await trained({ groups: [{ names: ['decoder_net.conv_in'], lrScale: 0 }] }, 1),
      await trained({ groups: [{ names: ['decoder_net.conv_in'], frozen: true }] }, 1),
      await trained({ frozen: ['audio_net.', 'decoder_net.conv_in*'] }, 1),
    ]
    for (const { before, after } of [zero, frozen]) expectSame(after, before, inGroup)
    expect(frozen.steps).toEqual(byOption.steps)
    expectSame(frozen.after, byOption.after)
    expect(zero.steps[0]!.gradNorm).toBeGreaterThan(frozen.steps[0]!.gradNorm)
  })

  it('have a weight decay of their own, and the first one that means a parameter has it', async () => {
    const [plain, decaying] = [
      await trained({ lr: 0.01, optimiser: 'adamw', weightDecay: 0.5 }, 1),
      await trained(
        {
          lr: 0.01,
          optimiser: 'adamw',
          weightDecay: 0.5,
          groups: [
            { names: ['decoder_net.conv_in.weight'], weightDecay: 0 },
            { names: ['decoder_net.'], weightDecay: 0.25 },
          ],
        },
        1,
      ),
    ]
    for (const [name, decay] of [
      ['decoder_net.conv_in.weight', 0],
      ['decoder_net.conv_in.bias', 0.25],
      ['spatiotemp_net.pos_embedding', 0.5],
    ] as const) {
      const [start, now] = [plain.before.get(name)!, plain.after.get(name)!]
      const data = now.data.map((value, i) => value + 0.01 * (0.5 - decay) * start.data[i]!)
      expectClose(decaying.after.get(name)!, { ...now, data }, 1e-6)
    }
  })

  it('are refused where they are none, or mean nothing', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer({ seed: 1, weightDecay: 0.1, groups: [{ names: ['*.bias'], lrScale: 2, weightDecay: undefined }] })
    expect(trainer.options.groups).toEqual([{ names: ['*.bias'], lrScale: 2, weightDecay: 0.1, frozen: false }])
    for (const [groups, part] of [
      ['decoder_net.', "'groups'"],
      [[undefined], "'groups[0]'"],
      [[null], "'groups[0]'"],
      [Array(1), "'groups[0]'"],
      [[{}], "'groups[0].names'"],
      [[{ names: [] }], "'groups[0].names'"],
      [[{ names: 'decoder_net.' }], "'groups[0].names'"],
      [[{ names: [''] }], "'groups[0].names[0]'"],
      [[{ names: ['decoder_nett.'] }], "did you mean 'decoder_net'"],
      [[{ names: ['*.biass'] }], "'groups[0].names[0]'"],
      [[{ name: ['decoder_net.'] }], "Did you mean 'names'"],
      [[{ names: ['decoder_net.'], lrScale: -1 }], "'groups[0].lrScale'"],
      [[{ names: ['decoder_net.'], lrScale: NaN }], "'groups[0].lrScale'"],
      [[{ names: ['decoder_net.'], weightDecay: '0' }], "'groups[0].weightDecay'"],
      [[{ names: ['decoder_net.'], frozen: 1 }], "'groups[0].frozen'"],
      [[{ names: ['decoder_net.'] }, { names: ['decoder_net.conv_in'] }], "'groups[1].names' must be some that neither 'frozen' nor a group before it has"],
      [[{ names: ['audio_net.'], lrScale: 0.1 }], "'groups[0].names' must be some that neither 'frozen'"],
      [[{ names: ['*'], frozen: true }], "'groups' must be something that leaves a parameter to train"],
    ] as [unknown, string][]) {
      await expectDiffSalError(() => model.trainer({ groups } as TrainerOptions), 'ERR_DIFFSAL_INVALID_ARGUMENT', part)
    }
  })
})

describe('the learning rate of a trainer', () => {
  it('may be changed: for the steps that are asked for then, under the schedule as it goes on', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer({
      lr: 1,
      seed: 1,
      clip: 1e-6,
      schedule: { kind: 'multistep', milestones: [2], gamma: 0.5, warmup: 1 },
      groups: [{ names: ['*'], lrScale: 1e-9 }],
    })
    expect(trainer.lr).toBe(1)
    // Asked for in one go: a change is of what is asked for after it.
    const steps = [trainer.step(batch), trainer.step(batch)]
    trainer.lr = 8
    steps.push(trainer.step(batch))
    trainer.lr = 0
    steps.push(trainer.step(batch))
    expect((await Promise.all(steps)).map(({ lr }) => lr)).toEqual([0.5, 1, 4, 0])
    expect([trainer.lr, trainer.options.lr]).toEqual([0, 1])
  })

  it('trains as one that was given at first, bit for bit', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer({ lr: 0.5, seed: 5 })
    trainer.lr = 2 ** -9
    await trainer.step(batch)
    const { after } = await trained({}, 1)
    for (const name of ['decoder_net.conv_in.weight', 'visual_net.blocks.0.attn.qkv.weight']) expectClose(await model.parameter(name), after.get(name)!, 0)
  })

  it('is refused where it is none', async () => {
    const model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer({ lr: 0.1 })
    for (const rate of [-1, NaN, Infinity, 1001, '0.1', null, undefined]) {
      await expectDiffSalError(() => void (trainer.lr = rate as number), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'lr' must be a number from 0 to 1000")
    }
    expect(trainer.lr).toBe(0.1)
    await model.dispose()
    await expectDiffSalError(() => void (trainer.lr = 1), 'ERR_DIFFSAL_DISPOSED', 'model')
  })
})
