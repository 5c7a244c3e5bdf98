import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { native } from '../lib/addon/native.ts'
import { readWeights } from '../lib/checkpoint/read-weights.ts'
import { DiffSal, type PartialDiffSalConfig } from '../lib/index.ts'
import { expectClose } from './support/expect-close.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { openStandIn } from './support/stand-in.ts'
import { testWeights } from './support/test-weights.ts'
import { lightConfig } from './support/tiny-config.ts'
import { tinyInputs } from './support/tiny-inputs.ts'

const { frames, mel, noise } = tinyInputs()
const load = async (config: PartialDiffSalConfig = {}): Promise<DiffSal> => DiffSal.load(await testWeights({ ...lightConfig, ...config }), { threads: 1 })

let model: DiffSal
beforeAll(async () => {
  model = await load()
})
afterAll(() => model?.dispose())

describe('the activity', () => {
  it('is shares of each row, and is one of the last step', async () => {
    const { activity } = await model.predict({ frames, mel }, { steps: 3, noise, activity: true })
    for (const { shape, data } of activity!) {
      const width = shape[3]!
      for (let row = 0; row < data.length / width; row++) {
        expect(data.subarray(row * width, (row + 1) * width).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4)
      }
    }
    // Of another number of steps the last one is at another time.
    const other = await model.predict({ frames, mel }, { steps: 1, noise, activity: true })
    expect(other.activity![0]!.data).not.toEqual(activity![0]!.data)
    const again = await model.predict({ frames, mel }, { steps: 3, noise, activity: true })
    for (const [i, stage] of activity!.entries()) expectClose(again.activity![i]!, stage, 0)
  })

  it('depends on what is heard', async () => {
    const { activity } = await model.predict({ frames, mel }, { steps: 1, noise, activity: true })
    const silent = { ...mel, data: new Float32Array(mel.data.length) }
    const other = await model.predict({ frames, mel: silent }, { steps: 1, noise, activity: true })
    expect(other.activity![3]!.data).not.toEqual(activity![3]!.data)
  })

  it('has as many tensors as the model has stages', async () => {
    await using short = await load({ mamStages: 2 })
    const { activity } = await short.predict({ frames, mel }, { steps: 1, activity: true })
    expect(activity!.map(({ shape }) => shape)).toEqual([
      [1, 64, 2, 3],
      [1, 32, 4, 6],
    ])
  })

  it('of a model with graphs is that of one without', async () => {
    const standIn = openStandIn()
    const { config, from } = await readWeights(await testWeights(lightConfig), undefined)
    const run = { steps: 2, eta: 0, seeds: [3], noise: undefined, estimates: false, samples: 1, mirror: false }
    const made = []
    for (const graphs of [false, true]) {
      const each = new (native().Model)({ threads: 1 })
      standIn.rehearseGraphs(graphs ? 'rerun' : 'none')
      await each.build(config, 'cpu', from, undefined, 'float32')
      // Recorded at the second call.
      for (let i = 0; i < 3; i++) await each.predict({ frames, mel }, { ...run, activity: false }, undefined, undefined)
      made.push(await each.predict({ frames, mel }, { ...run, activity: true }, undefined, undefined))
      const after = await each.predict({ frames, mel }, { ...run, activity: false }, undefined, undefined)
      expect(after).not.toHaveProperty('activity')
      expectClose(after.map, made.at(-1)!.map, 0)
      await each.close()
    }
    standIn.rehearseGraphs('none')
    expectClose(made[1]!.map, made[0]!.map, 0)
    for (const [i, stage] of made[0]!.activity!.entries()) expectClose(made[1]!.activity![i]!, stage, 0)
  })

  it('in bfloat16 is near the one in float32', async () => {
    await using half = await DiffSal.load(await testWeights(lightConfig), { threads: 1, precision: 'bfloat16' })
    const [exact, near] = [
      await model.predict({ frames, mel }, { steps: 1, noise, activity: true }),
      await half.predict({ frames, mel }, { steps: 1, noise, activity: true }),
    ]
    for (const [i, stage] of exact.activity!.entries()) expectClose(near.activity![i]!, stage, 0.15)
  })

  it('is refused where there is none, in words', async () => {
    const refused = (of: DiffSal, input: object, options: object, words: string) =>
      expectDiffSalError(() => of.predict(input, { steps: 1, activity: true, ...options }), 'ERR_DIFFSAL_INVALID_ARGUMENT', words, 'activity')
    await refused(model, { frames, audio: null }, {}, 'clips without sound')
    using silent = await model.encode({ frames, audio: null })
    await refused(model, silent, {}, 'clips without sound')
    await refused(model, { frames, mel }, { uncertainty: 2 }, "'uncertainty'")
    await refused(model, { frames, mel }, { activity: 1 as never }, 'true or false')
    for (const interaction of ['addition', 'residual', 'off'] as const) {
      await using other = await load({ interaction })
      await refused(other, { frames, mel }, {}, `interaction is '${interaction}'`)
    }
    await using deaf = await load({ audio: false })
    await refused(deaf, { frames }, {}, 'does not hear')
  })
})

describe('predictVideo', () => {
  it("gives each frame's activity, of a batch too", async () => {
    const collect = async (batch: number) => {
      const maps = []
      for await (const map of model.predictVideo('examples/scene.mp4', { stride: 60, batch, seed: 1, steps: 1, activity: true })) maps.push(map)
      return maps
    }
    const [alone, together] = [await collect(1), await collect(2)]
    expect(alone).toHaveLength(3)
    for (const [i, { activity }] of alone.entries()) {
      expect(activity!.map(({ shape }) => shape)).toEqual([
        [1, 64, 2, 3],
        [1, 32, 4, 6],
        [1, 16, 8, 12],
        [1, 8, 16, 24],
      ])
      for (const [k, stage] of activity!.entries()) expectClose(together[i]!.activity![k]!, stage, 1e-4)
    }
    expect(alone[0]!.activity![3]!.data).not.toEqual(alone[1]!.activity![3]!.data)
  })

  it('refuses it without sound or of several samples', async () => {
    const first = (options: object) => model.predictVideo('examples/scene.mp4', { activity: true, ...options }).next()
    await expectDiffSalError(() => first({ videoOnly: true }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'videoOnly'", 'activity')
    await expectDiffSalError(() => first({ uncertainty: 2 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'uncertainty'", 'activity')
  })
})
