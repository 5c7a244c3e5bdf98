// Leaves a model, features and the thread of logMel alive, and has nothing more to do.
import { createModel, inputs, logMel } from './package.mjs'

const model = await createModel()
const features = await model.encode(inputs)
await model.predict(features, { steps: 1 })
await logMel(new Float32Array(16000), { sampleRate: 16000 })
globalThis.kept = [model, features]
console.log('idle')
