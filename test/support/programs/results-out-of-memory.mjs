// Holds results until there is no memory for another; prints what came of it, and of what is asked afterwards, as JSON.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { createModel, inputs, melSlices, schedule } from './package.mjs'

const model = await createModel()
const features = await model.encode({
  frames: { ...inputs.frames, shape: [20, ...inputs.frames.shape.slice(1)], data: new Float32Array(20 * inputs.frames.data.length) },
  audio: null,
})
const samples = new Float32Array(16_000)
const make = {
  features: () => features.tensors(),
  slices: () => melSlices(samples, { sampleRate: 16_000, size: [1000, 1000], slots: 9 }),
  schedule: async () => schedule.betas(100_000),
}[process.argv[2]]

const mapped = Number(/^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
const limit = mapped + 250e6
execFileSync('python3', ['-c', `import resource; resource.prlimit(${process.pid}, resource.RLIMIT_AS, (${limit}, ${limit}))`])

const held = []
let failure
while (failure === undefined && held.length < 2000)
  await make().then(
    (one) => held.push(one),
    ({ name, code, message }) => (failure = { name, code, message }),
  )
const count = held.length
held.length = 0
// What nobody holds any more is there again, as soon as V8 has collected it and has had a turn to give it back.
for (let turn = 1; ; turn++) {
  await setTimeout(10)
  const again = await make().then(
    () => true,
    (error) => (turn === 50 ? Promise.reject(error) : false),
  )
  if (again) break
}
console.log(JSON.stringify({ count, failure }))
