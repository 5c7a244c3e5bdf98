import { describe, expect, it } from 'vitest'
import { DiffSal, type Tensor, type TrainerOptions, type TrainingBatch } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { testInput } from '../support/test-values.ts'
import { trainingBatch, trainingConfig, trainingRun } from '../support/training.ts'

const noise = (count: number): Tensor<'float32'> => ({ dtype: 'float32', shape: [count, 1, 32, 64], data: testInput('noise', [count, 1, 32, 64]) })
/** A batch of which nothing is drawn, and a trainer that leaves the weights. */
const known: TrainingBatch = { ...trainingBatch(), noise: noise(2), t: [200, 700] }
const still: TrainerOptions = { lr: 0, dropout: 0, dequantisation: 0, seed: 5, keepGradients: true }

const squares = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value * value, 0)

describe('the gradients of a step', () => {
  it.each(['decoder_net.conv_in.weight', 'spatiotemp_net.pos_embedding', 'visual_net.blocks.0.attn.qkv.weight'])(
    'are how the loss changes with %s',
    async (name) => {
      await using model = await DiffSal.create(trainingConfig, trainingRun)
      const trainer = model.trainer({ ...still, loss: 'kl' })
      const loss = async () => (await trainer.step(known)).loss
      await loss()
      const { data: slope } = (await trainer.gradients({ names: [name] })).get(name)!
      const before = await model.parameter(name)
      // Along the slope itself the loss changes most, and rounding matters least.
      const length = Math.sqrt(squares(slope))
      const along = async (distance: number) => {
        await model.setParameter(name, { ...before, data: before.data.map((value, i) => value + (distance * slope[i]!) / length) })
        return loss()
      }
      const h = 2e-3
      const measured = ((await along(h)) - (await along(-h))) / (2 * h)
      expect(measured / length).toBeGreaterThan(0.95)
      expect(measured / length).toBeLessThan(1.05)
    },
  )

  it('have the norms that are told, by name and together', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer(still)
    const { gradNorm } = await trainer.step(known)
    const [gradients, norms] = await Promise.all([trainer.gradients(), trainer.gradientNorms()])
    const trained = model.parameters().filter(({ name, buffer }) => !buffer && !name.startsWith('audio_net.'))
    expect([...gradients].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))).toEqual(
      trained.map(({ name, shape }) => ({ name, dtype: 'float32', shape })),
    )
    expect([...norms.keys()]).toEqual([...gradients.keys()])
    for (const [name, { data }] of gradients)
      expect(Math.abs(norms.get(name)! - Math.sqrt(squares(data))), name).toBeLessThanOrEqual(1e-4 * norms.get(name)! + 1e-12)
    expect(Math.sqrt(squares(norms.values())) / gradNorm).toBeCloseTo(1, 5)
    expect(Math.max(...norms.values())).toBeGreaterThan(0)
  })

  it('are those of before the clip, which trains as without them', async () => {
    const run = async (options: TrainerOptions) => {
      await using model = await DiffSal.create(trainingConfig, trainingRun)
      const trainer = model.trainer({ ...still, ...options })
      const steps = [await trainer.step(known)]
      const gradients = trainer.options.keepGradients ? await trainer.gradients() : undefined
      steps.push(await trainer.step(known))
      return { steps, gradients, weight: await model.parameter('decoder_net.conv_in.weight') }
    }
    const [free, clipped, without] = [
      await run({ lr: 1e-3, clip: null }),
      await run({ lr: 1e-3, clip: 0.01 }),
      await run({ lr: 1e-3, clip: 0.01, keepGradients: false }),
    ]
    expect(clipped.steps[0]!.gradNorm).toBeGreaterThan(0.01)
    for (const [name, gradient] of free.gradients!) expectClose(clipped.gradients!.get(name)!, gradient, 0)
    expect(clipped.steps).toEqual(without.steps)
    expectClose(clipped.weight, without.weight, 0)
  })

  it('of a batch that is cut are those of its parts together', async () => {
    // Two equal samples: BatchNorm then sees the same in a half as in the whole.
    const one = { ...trainingBatch(1), noise: noise(1) }
    const twice = ({ shape, data }: Tensor<'float32'>): Tensor<'float32'> => ({
      dtype: 'float32',
      shape: [2, ...shape.slice(1)],
      data: Float32Array.from([...data, ...data]),
    })
    const pair = { frames: twice(one.frames), mel: twice(one.mel), target: twice(one.target), noise: twice(one.noise), t: 300 }
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const of = async (accumulate: number) => {
      const trainer = model.trainer({ ...still, accumulate })
      await trainer.step(pair)
      return trainer.gradients({ names: ['decoder_net.'] })
    }
    const [whole, parts] = [await of(1), await of(2)]
    for (const [name, { data }] of whole) {
      const [size, apart] = [Math.sqrt(squares(data)), Math.sqrt(squares(data.map((value, i) => value - parts.get(name)!.data[i]!)))]
      expect(apart, name).toBeLessThanOrEqual(1e-2 * size + 1e-3)
    }
  })

  it("are the last whole step's, and only what is asked for", async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer(still)
    await trainer.step(known)
    const names = ['*.conv_in.*', 'spatiotemp_net.pos']
    const gradients = await trainer.gradients({ names })
    expect([...gradients.keys()].toSorted()).toEqual(['decoder_net.conv_in.bias', 'decoder_net.conv_in.weight', 'spatiotemp_net.pos_embedding'])
    const wrong = { ...known, target: { ...known.target, data: known.target.data.map(() => NaN) } }
    await expectDiffSalError(() => trainer.step(wrong), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'target')
    expect(await trainer.gradients({ names })).toEqual(gradients)
    await trainer.step({ ...known, t: [900, 100] })
    expect(await trainer.gradients({ names })).not.toEqual(gradients)
  })

  it('are refused where there are none', async () => {
    await using model = await DiffSal.create(trainingConfig, trainingRun)
    const trainer = model.trainer(still)
    for (const ask of [() => trainer.gradients(), () => trainer.gradientNorms()]) await expectDiffSalError(ask, 'ERR_DIFFSAL_INVALID_ARGUMENT', 'taken none')
    await trainer.step(known)
    await expectDiffSalError(() => trainer.gradients({ names: ['audio_net.'] }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'names[0]'")
    await expectDiffSalError(() => trainer.gradients({ names: ['decoder_net.conv_im'] }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "did you mean 'decoder_net.conv_in'")
    const plain = model.trainer({ ...still, keepGradients: false })
    await plain.step(known)
    expect((await plain.gradientNorms()).size).toBeGreaterThan(0)
    await expectDiffSalError(() => plain.gradients(), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'keepGradients' must be true")
    await trainer.dispose()
    for (const ask of [() => trainer.gradients(), () => trainer.gradientNorms()]) await expectDiffSalError(ask, 'ERR_DIFFSAL_DISPOSED', 'trainer')
  })
})
