import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiffSal, type Features, type VideoEncoderConfig } from '../../lib/index.ts'
import { expectClose } from '../support/expect-close.ts'
import { readGolden } from '../support/fixtures.ts'
import { testDevice } from '../support/test-device.ts'
import { testInput } from '../support/test-values.ts'
import { temporaryPath } from '../support/temporary.ts'
import { writeTestWeights } from '../support/write-test-weights.ts'

const prefix = 'visual_net.'
// Counters and tables of indices that a checkpoint holds and no network needs.
const notParameters = /num_batches_tracked|relative_position_index/

describe.each<VideoEncoderConfig['name']>(['s3d', 'swin3d_t', 'resnet3d_50'])('%s', (name) => {
  let model: DiffSal
  let features: Features

  beforeAll(async () => {
    // The golden encoder stands alone: its test values are those of the names without the prefix.
    const named = (parameter: string) => (parameter.startsWith(prefix) ? parameter.slice(prefix.length) : parameter)
    const weights = temporaryPath(`${name}.safetensors`)
    await writeTestWeights(weights, { size: [64, 96], audio: false, videoEncoder: { name } }, named)
    model = await DiffSal.load(weights, { device: testDevice })
    const shape = [1, 3, 16, 64, 96]
    features = await model.encode({ frames: { dtype: 'float32', shape, data: testInput('frames', shape) } })
  })

  afterAll(() => model?.dispose())

  it('has the names and shapes of its checkpoints', async () => {
    const text = await readFile(new URL(`../fixtures/encoder-${name}.names.txt`, import.meta.url), 'utf8')
    const golden = text
      .trim()
      .split('\n')
      .filter((line) => !notParameters.test(line))
    const own = model.parameters().filter((parameter) => parameter.name.startsWith(prefix))
    expect(own.map((parameter) => `${parameter.name.slice(prefix.length)} [${parameter.shape.join(', ')}]`).sort()).toEqual(golden.sort())
  })

  it.each([0, 1, 2, 3])('has the golden video map %i, coarse to fine', async (i) => {
    expectClose((await features.tensors()).video[i]!, (await readGolden(`encoder-${name}`))(`video.${i}`), 1e-3)
  })

  it('predicts', async () => {
    const map = await model.predict(features, { steps: 1, seed: 1 })
    expect(map.shape).toEqual([1, 1, 64, 96])
    expect(Math.max(...map.data) - Math.min(...map.data)).toBeGreaterThan(0.01)
  })
})
