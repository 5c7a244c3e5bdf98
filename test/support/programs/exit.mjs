// Ends while a prediction runs and others wait, in the way that its argument names.
import { createModel, DiffSal, inputs, logMel, trainingSample } from './package.mjs'

const [how, path] = process.argv.slice(2)
const model = await createModel()
const quit = () => {
  console.log('now')
  process.exit(7)
}

if (how === 'save') {
  await model.save(path)
  model.save(path)
  setTimeout(quit, 15)
} else if (how === 'sound') {
  logMel(new Float32Array(48000 * 120), { sampleRate: 48000 })
  setTimeout(quit, 200)
} else if (how === 'train') {
  const dataset = { length: 3, get: async (index) => trainingSample(index) }
  for await (const { type, step } of model.trainer().fit(dataset, { epochs: 1000, batch: 1 })) {
    if (type === 'step' && step === 2) setTimeout(quit, 100)
  }
} else if (how === 'step') {
  const trainer = model.trainer()
  const { frames, target } = trainingSample(1)
  const batch = { frames, audio: null, target: { ...target, shape: [1, ...target.shape] } }
  await trainer.step(batch)
  for (let i = 0; i < 100; i++) trainer.step(batch)
  setTimeout(quit, 100)
} else if (how === 'encode') {
  for (let i = 0; i < 100; i++) model.encode(inputs)
  setTimeout(quit, 100)
} else if (how === 'load') {
  await model.save(path)
  for (let i = 0; i < 20; i++) DiffSal.load(path, { threads: 1 })
  setTimeout(quit, 60)
} else if (how === 'video') {
  let maps = 0
  for await (const _ of model.predictVideo(path, { steps: 1 })) if (++maps === 2) quit()
} else {
  // Two models, for two threads that may be in libtorch while it ends.
  const other = await createModel()
  for (const busy of [model, other, model, other]) busy.predict(inputs, { steps: 1000, onProgress: ({ step }) => how === 'progress' && step === 3 && quit() })
  if (how === 'timer') setTimeout(quit, 200)
  if (how === 'throw') setTimeout(() => Promise.reject(new Error('nobody caught this')), 200)
  if (how === 'signal') {
    process.on('SIGTERM', quit)
    setTimeout(() => process.kill(process.pid, 'SIGTERM'), 200)
  }
}
