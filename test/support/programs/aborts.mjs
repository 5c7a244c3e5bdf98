// Aborts calls at every moment of theirs, and counts the rejections that nobody was given.
import { config, createModel, DiffSal, inputs, noise } from './package.mjs'

const answer = { unhandled: [], reasons: {} }
process.on('unhandledRejection', (reason) => answer.unhandled.push(String(reason)))
const model = await createModel()
const features = await model.encode(inputs)
const path = process.argv[2]
await model.save(path)

/** Aborts `call` so many milliseconds after it was made, and keeps how it ended. */
const aborted = async (name, after, call) => {
  const controller = new AbortController()
  if (after < 0) controller.abort('enough')
  const promise = call(controller.signal)
  if (after === 0) controller.abort('enough')
  if (after > 0) setTimeout(() => controller.abort('enough'), after)
  const end = await promise.then(
    () => 'fulfilled',
    (reason) => String(reason),
  )
  ;(answer.reasons[name] ??= []).push(end)
}

for (const after of [-1, 0, 1, 5, 20, 60]) {
  await Promise.all([
    aborted('predict', after, (signal) => model.predict(inputs, { steps: 1000, signal })),
    aborted('waiting', after, (signal) => model.predict(features, { steps: 1000, signal, onProgress: () => {} })),
    aborted('encode', after, (signal) => model.encode(inputs, { signal })),
    aborted('denoise', after, (signal) => model.denoise(noise, 500, features, { signal })),
    aborted('save', after, (signal) => model.save(`${path}-other`, { signal })),
    aborted('load', after, (signal) => DiffSal.load(path, { signal, threads: 1 }).then((loaded) => loaded.dispose())),
  ])
}
// The callback that throws, at the first step and at the last one, and a model that is disposed meanwhile.
for (const at of [1, 3]) {
  const throwing = ({ step }) => {
    if (step === at) throw 'thrown'
  }
  await aborted('callback', 10_000, () => model.predict(features, { steps: 3, onProgress: throwing }))
}
const controller = new AbortController()
const last = model.predict(features, { steps: 1000, signal: controller.signal }).catch((reason) => (answer.last = String(reason)))
const closing = model.dispose()
controller.abort('enough')
await Promise.all([last, closing])
await DiffSal.load('/nowhere/at/all', { config }).catch(({ code }) => (answer.missing = code))
await new Promise((resolve) => setTimeout(resolve, 50))
console.log(JSON.stringify(answer))
process.exit()
