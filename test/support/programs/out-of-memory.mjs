// Predicts from pictures for which there is no memory, and from a batch that there is none to work on. Prints what came of it as JSON.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createModel, inputs, noise } from './package.mjs'

const model = await createModel()
const before = await model.predict(inputs, { steps: 1, noise })
const side = 2500
const pictures = { frames: { dtype: 'uint8', shape: [16, side, side, 3], data: new Uint8Array(48 * side * side) }, mel: inputs.mel }
const repeated = ({ dtype, shape, data }, times) => ({ dtype, shape: [times, ...shape.slice(1)], data: new Float32Array(times * data.length) })
const batch = { frames: repeated(inputs.frames, 80), mel: repeated(inputs.mel, 80) }
const clips = [pictures, batch]

// 150 MB more than the process has mapped now: 300 MB of bytes do not fit; a batch of 80 clips, 106 MB, does, but not what the network makes of it.
const mapped = Number(/^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
const limit = mapped + 150e6
execFileSync('python3', ['-c', `import resource; resource.prlimit(${process.pid}, resource.RLIMIT_AS, (${limit}, ${limit}))`])

const answer = { failures: [] }
for (const clip of clips) {
  await model.predict(clip, { steps: 1 }).then(
    () => answer.failures.push('none'),
    ({ name, code, message }) => answer.failures.push({ name, code, message }),
  )
}
const after = await model.predict(inputs, { steps: 1, noise })
answer.same = Buffer.compare(Buffer.from(before.data.buffer), Buffer.from(after.data.buffer)) === 0
console.log(JSON.stringify(answer))
