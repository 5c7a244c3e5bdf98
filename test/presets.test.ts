import { existsSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countParameters, datasets, DiffSal, metrics, presets } from '../lib/index.ts'

/** Real eye tracking, which is no part of this repository. */
const faces = '../shared/gaze/videos/mufvet'

describe('the preset of where people look', () => {
  let model: DiffSal
  beforeAll(async () => {
    model = await DiffSal.load(undefined, { threads: 1 })
  })
  afterAll(() => model?.dispose())

  it('is what loads, of its configuration, at most 12 MB and 8 M parameters', () => {
    expect(model.config).toEqual(presets.gaze.config)
    expect(statSync(presets.gaze.weights).size).toBeLessThan(12e6)
    expect(countParameters(presets.gaze.config).total).toBeLessThan(8e6)
  })

  it.skipIf(!existsSync(faces))('finds where people looked in videos it has not seen, better than a hill in the middle', async () => {
    const { mean } = await model.evaluate(await datasets.openGaze(faces, { split: 'test', size: [96, 160], clipLength: 8, stride: 100 }), { steps: 4 })
    // The best centre Gaussian has 0.26 and 1.3.
    expect(mean.cc).toBeGreaterThan(0.35)
    expect(mean.nss).toBeGreaterThan(1.8)
  })
})

/** How many scenes of the test split are looked at. */
const scenes = 48

describe('the preset of scenes', () => {
  let model: DiffSal
  beforeAll(async () => {
    model = await DiffSal.load(presets.scenes.weights, { threads: 1 })
  })
  afterAll(() => model?.dispose())

  it('ships weights of its configuration, at most 8 MB and 4 M parameters', () => {
    expect(model.config).toEqual(presets.scenes.config)
    expect(statSync(presets.scenes.weights).size).toBeLessThan(8e6)
    expect(countParameters(presets.scenes.config).total).toBeLessThan(4e6)
  })

  it('finds the sounding shape in scenes it has not seen, and only by its sound', async () => {
    const test = datasets.soundingScenes({ split: 'test', size: [64, 96], length: scenes })
    const right: number[] = []
    const wrong: number[] = []
    let before: datasets.SampleBatch['mel']
    for await (const { batch } of datasets.loadBatches(test, { batch: 8, seed: 1, shuffle: false, epochs: 1, workers: 2, mel: { size: [32, 48] } })) {
      const score = async (mel: datasets.SampleBatch['mel']) =>
        (await metrics.cc(await model.predict({ frames: batch.frames!, mel: mel! }, { steps: 4, seed: 1 }), batch.target)).values
      right.push(...(await score(batch.mel)))
      if (before) wrong.push(...(await score(before)))
      before = batch.mel
    }
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    expect(right).toHaveLength(scenes)
    // The pictures alone allow 0.55 (`scoreSceneBaselines`).
    expect(mean(right)).toBeGreaterThan(0.9)
    expect(mean(wrong)).toBeLessThan(0.5)
  })
})
