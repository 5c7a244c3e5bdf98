// A worker thread that does what its data names, for ever; it posts 'begun' when it is at it, or its map and ends.
import { parentPort, workerData } from 'node:worker_threads'
import { config, createModel, DiffSal, inputs, logMel, melSlices, noise, trainingSample } from './package.mjs'

const begun = () => parentPort.postMessage('begun')
const samples = new Float32Array(400)

const work = {
  async predict() {
    const model = await createModel()
    parentPort.postMessage((await model.predict(inputs, { steps: 2, noise })).data)
    await model.dispose()
  },
  async sampling() {
    const model = await createModel()
    await model.predict(inputs, { steps: 1000, onProgress: begun })
  },
  async sounds() {
    begun()
    for (;;) await Promise.all(Array.from({ length: 50 }, () => logMel(samples, { sampleRate: 16000 })))
  },
  async refusals() {
    begun()
    samples.fill(NaN)
    for (;;) await logMel(samples, { sampleRate: 16000 }).catch(() => {})
  },
  async models() {
    begun()
    for (;;) await (await DiffSal.create(config, { threads: 1 })).dispose()
  },
  async training() {
    const trainer = (await createModel()).trainer()
    const { frames, target } = trainingSample(1)
    begun()
    for (;;) await trainer.step({ frames, audio: null, target: { ...target, shape: [1, ...target.shape] } })
  },
  async fitting() {
    const dataset = { length: 3, get: async (index) => trainingSample(index) }
    for await (const { type } of (await createModel()).trainer().fit(dataset, { epochs: 1000, batch: 1 })) if (type === 'step') begun()
  },
  async encoding() {
    const model = await createModel()
    begun()
    for (;;) (await model.encode(inputs)).dispose()
  },
  async slicing() {
    // 36 MB each; what runs is not stopped in the middle.
    begun()
    for (;;) await melSlices(new Float32Array(16_000), { sampleRate: 16_000, size: [1000, 1000], slots: 9 })
  },
  async loading() {
    begun()
    for (;;) await (await DiffSal.load(process.env.WEIGHTS, { threads: 1 })).dispose()
  },
  async videos() {
    const model = await createModel()
    for await (const _ of model.predictVideo(process.env.VIDEO, { steps: 1 })) begun()
  },
  async denoising() {
    const model = await createModel()
    const features = await model.encode(inputs)
    begun()
    for (;;) {
      model.denoise(noise, 1, features)
      await features.tensors()
      await model.denoise(noise, 1, features, { signal: AbortSignal.timeout(1) }).catch(() => {})
    }
  },
}
await work[workerData]()
