// A chain of calls, each the only thing that keeps the process alive.
import { config, DiffSal, inputs, logMel, noise } from './package.mjs'

const path = process.argv[2]
const model = await DiffSal.create(config, { seed: 1, threads: 1 })
const features = await model.encode(inputs)
await model.denoise(noise, 500, features)
await model.save(path)
await (await DiffSal.load(path)).dispose()
await logMel(new Float32Array(16000), { sampleRate: 16000 })
model.predict(features, { steps: 20 }).then(({ shape }) => console.log(shape.join(' ')))
model.dispose().then(() => console.log('disposed'))
