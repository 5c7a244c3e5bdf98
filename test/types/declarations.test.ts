import { expect, test } from 'vitest'
import { bundler, complaintsAbout, nodeNext } from './user-program.ts'

const program = `
import { DiffSal, DiffSalError, datasets, metrics, type ClipInput, type Dataset, type Tensor, type TrainingSample } from 'diffsal'

await using model = await DiffSal.load('weights.safetensors', { config: { videoEncoder: { depth: undefined } }, device: undefined })
const clip: ClipInput = { frames: { dtype: 'uint8', shape: [16, 9, 16, 3], data: new Uint8Array(6912) }, audio: null }
const map: Tensor<'float32'> = await model.predict(clip, { steps: 4, signal: undefined })
for await (const { tensor } of model.predictVideo('clip.mp4', { stride: 5 })) map.data.set(tensor.data)
const data: Dataset<TrainingSample> = datasets.soundingScenes({ split: 'train' })
using features = await model.encode(clip)
await using trainer = model.trainer({ terms: { cc: -0.1 } })
for await (const event of trainer.fit(data, { epochs: 1 })) if (event.type === 'step') console.log(event.loss.toFixed(1), features.batch)
const { values } = await metrics.cc(map, map)
if (Number.isNaN(values[0])) throw new DiffSalError('ERR_DIFFSAL_INTERNAL', 'undefined')
`

const commonJs = `
import diffsal = require('diffsal')
export const load = (): Promise<diffsal.DiffSal> => diffsal.DiffSal.load()
export const shape = (map: diffsal.Tensor<'uint8'>): readonly number[] => map.shape
`

test('the declarations serve a strict ES module and a CommonJS one', () => {
  expect(complaintsAbout({ 'program.ts': program, 'program.cts': commonJs }, nodeNext)).toEqual([])
})

test('the declarations serve a bundler, with every strictness', () => {
  const strictest = { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, verbatimModuleSyntax: true, isolatedModules: true }
  expect(complaintsAbout({ 'program.ts': program }, { ...bundler, ...strictest })).toEqual([])
})

test('the package has no other entrance, and a wrong program does not compile', () => {
  const wrong = `
import { DiffSal } from 'diffsal'
import { checkTensor } from 'diffsal/dist/tensor.js'
const model = await DiffSal.load()
await model.predict({}, { step: 4 })
model.config.size = [1, 2]
`
  const complaints = complaintsAbout({ 'wrong.ts': wrong }, nodeNext)
  expect(complaints).toEqual([
    expect.stringMatching(/wrong\.ts:3: Cannot find module 'diffsal\/dist\/tensor\.js'/),
    expect.stringMatching(/wrong\.ts:5: No overload matches this call[^]*did you mean to write 'steps'/i),
    expect.stringMatching(/wrong\.ts:6: Cannot assign to 'size'/),
  ])
})
