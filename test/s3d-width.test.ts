import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { DiffSal, type PartialDiffSalConfig } from '../lib/index.ts'
import { testInput } from './support/test-values.ts'

const share = 0.4
const config = (width: number): PartialDiffSalConfig => ({
  size: [64, 96],
  clipLength: 8,
  audio: false,
  videoEncoder: { name: 's3d', width, embedDim: 32 },
  unetWidth: 32,
  normGroups: 8,
})
const shape = [1, 3, 8, 64, 96]
const clip = { frames: { dtype: 'float32' as const, shape, data: testInput('frames', shape) } }
const runningMean = 'visual_net.net.features.0.0.1.running_mean'

describe('S3D of a share of its width', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'diffsal-width-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('has that share of the published channels in every layer, in whole eights', async () => {
    await using full = await DiffSal.create(config(1), { seed: 1 })
    await using narrow = await DiffSal.create(config(share), { seed: 1 })
    const published = new Map(full.parameters().map((parameter) => [parameter.name, parameter.shape]))
    const inEncoder = narrow.parameters().filter(({ name }) => name.startsWith('visual_net.net.'))
    expect(inEncoder.length).toBeGreaterThan(200)
    for (const { name, shape } of inEncoder) {
      const channels = published.get(name)![0]!
      expect([name, shape[0]]).toEqual([name, Math.max(8, 8 * Math.round((channels * share) / 8))])
    }
  })

  it('predicts the same map after saving and loading, which keep the share', async () => {
    await using model = await DiffSal.create(config(share), { seed: 1 })
    const file = join(folder, 'narrow.safetensors')
    await model.save(file)
    await using again = await DiffSal.load(file)
    expect(again.config.videoEncoder.width).toBe(share)
    const [map, same] = await Promise.all([model, again].map((one) => one.predict(clip, { steps: 1, seed: 1 })))
    expect(same!.data).toEqual(map!.data)
    expect(map!.data.every(Number.isFinite)).toBe(true)
  })

  // A network without published weights must follow its own activations: after a step the mean has moved by a tenth of the batch's.
  it.each([
    [1, 0.001],
    [share, 0.1],
  ])('of %d follows its activations by %d a step', async (width, momentum) => {
    const step = async (steps: number) => {
      await using model = await DiffSal.create(config(width), { seed: 1 })
      await using trainer = model.trainer({ lr: 1e-12, seed: 1, frozen: [] })
      const target = { dtype: 'float32' as const, shape: [1, 1, 64, 96], data: new Float32Array(64 * 96).fill(0.5) }
      for (let i = 0; i < steps; i++) await trainer.step({ ...clip, target })
      return (await model.parameter(runningMean)).data
    }
    const [once, twice] = [await step(1), await step(2)]
    // m, then m + (1 - momentum) m.
    const ratios = Array.from(once, (mean, i) => twice[i]! / mean).filter((_, i) => Math.abs(once[i]!) > 1e-6)
    expect(ratios.length).toBeGreaterThan(0)
    for (const ratio of ratios) expect(ratio).toBeCloseTo(2 - momentum, 3)
  })

  it.each([0, -1, 0.01, 1.5, NaN, '0.4', null])('refuses the share %s', async (width) => {
    const refused = DiffSal.create(config(width as number))
    await expect(refused).rejects.toMatchObject({ code: 'ERR_DIFFSAL_INVALID_ARGUMENT', argument: 'config.videoEncoder.width' })
  })
})
