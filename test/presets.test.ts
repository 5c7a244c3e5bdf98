import { existsSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countParameters, datasets, DiffSal, maps, metrics, presets } from '../lib/index.ts'

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

  it('takes one step where nothing is said', async () => {
    const [height, width] = model.config.size
    const frames = { dtype: 'uint8' as const, shape: [8, height, width, 3], data: new Uint8Array(8 * height * width * 3).map((_, i) => i % 251) }
    const [usual, one, four] = [
      await model.predict({ frames, audio: null }, { seed: 1 }),
      await model.predict({ frames, audio: null }, { seed: 1, steps: 1 }),
      await model.predict({ frames, audio: null }, { seed: 1, steps: 4 }),
    ]
    expect(usual.data).toEqual(one.data)
    expect(usual.data).not.toEqual(four.data)
  })

  it('looks at the face in a clip of somebody who talks, in nine of ten frames', async () => {
    let [inside, count] = [0, 0]
    for await (const { tensor } of model.predictVideo('examples/speaker.mp4', { stride: 15, seed: 1 })) {
      const [peak] = maps.peaks(tensor, { count: 1, threshold: 0 })
      // The face of the speaker, in shares of the whole.
      if (peak!.x > 0.14 && peak!.x < 0.215 && peak!.y > 0.16 && peak!.y < 0.33) inside += 1
      count += 1
    }
    expect(count).toBe(10)
    expect(inside).toBeGreaterThanOrEqual(9)
  })

  it.skipIf(!existsSync(faces))(
    'finds where people looked in videos it has not seen, in as many steps as they are best with, twice as well as a hill in the middle',
    async () => {
      const { mean } = await model.evaluate(
        await datasets.openGaze(faces, { split: 'test', size: model.config.size, clipLength: 8, gazeDelay: 0.1, stride: 100 }),
      )
      // The best centre Gaussian has 0.26 and 1.3.
      expect(mean.cc).toBeGreaterThan(0.55)
      expect(mean.nss).toBeGreaterThan(3)
    },
  )
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
