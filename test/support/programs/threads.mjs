// Worker threads with models of their own, beside the main thread's; prints what came of them as JSON.
import { Worker } from 'node:worker_threads'
import { createModel, inputs, noise } from './package.mjs'

const [what, rounds = '1'] = process.argv.slice(2)
const start = (job) => new Worker(new URL('./worker.mjs', import.meta.url), { workerData: job })
const message = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
const predict = async () => {
  const model = await createModel()
  const { data } = await model.predict(inputs, { steps: 2, noise })
  await model.dispose()
  return Buffer.from(data.buffer).toString('base64')
}

const answer = { ended: [] }
if (what === 'predict') {
  const alone = await message(start('predict'))
  const both = await Promise.all([message(start('predict')), message(start('predict')), predict()])
  answer.maps = [alone, ...both].map((map) => (typeof map === 'string' ? map : Buffer.from(map.buffer).toString('base64')))
} else if (what === 'many') {
  const workers = Array.from({ length: Number(rounds) }, () => start('predict'))
  const ends = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
  answer.maps = (await Promise.all(workers.map(message))).map((map) => Buffer.from(map.buffer).toString('base64'))
  answer.ended = await Promise.all(ends)
} else if (what === 'exit') {
  await message(start('sampling'))
  console.log('now')
  process.exit(7)
} else {
  for (let i = 0; i < Number(rounds); i++) {
    const worker = start(what)
    await message(worker)
    await new Promise((resolve) => setTimeout(resolve, i * 7))
    answer.ended.push(await worker.terminate())
  }
  answer.maps = [await predict()]
}
console.log(JSON.stringify(answer))
