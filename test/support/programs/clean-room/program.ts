// What a user writes in TypeScript: the map of a generated clip by the shipped weights, printed as JSON.
import { datasets, DiffSal, presets, type Tensor } from 'diffsal'

const { size, clipLength } = presets.gaze.config
const { frames, audio } = await datasets.soundingScenes({ split: 'test', size, clipLength, length: 1 }).get(0)
const model = await DiffSal.load(undefined, { device: 'cpu', threads: 1 })
const map: Tensor<'float32'> = await model.predict({ frames, audio: audio! }, { steps: 2, seed: 1 })
await model.dispose()
console.log(JSON.stringify({ shape: map.shape, data: Array.from(map.data) }))
