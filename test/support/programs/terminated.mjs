// Ends worker threads in the middle of what they do, one after the other; prints by how many bytes the process has grown since the first few.
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

const [what, first, last] = [process.argv[2], ...process.argv.slice(3).map(Number)]
const resident = () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
let before
for (let i = 0; i < last; i++) {
  if (i === first) before = resident()
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData: what })
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await setTimeout(50)
  await worker.terminate()
}
console.log(JSON.stringify({ grown: resident() - before }))
