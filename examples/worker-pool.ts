// Many videos at once: each worker thread has a model of its own, and takes the next file as soon as it is done with one.
// In a program of yours, import from 'diffsal'. Run it with: npx tsx examples/worker-pool.ts a.mp4 b.mp4 c.mp4
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { DiffSal, maps } from '../lib/index.ts'

if (isMainThread) {
  const files = process.argv.slice(2)
  const threads = Math.min(files.length, Number(process.env.WORKERS ?? availableParallelism()))
  const work = async (): Promise<void> => {
    const worker = new Worker(fileURLToPath(import.meta.url))
    try {
      for (let file = files.shift(); file !== undefined; file = files.shift()) {
        const answer = once(worker, 'message')
        worker.postMessage(file)
        const [result] = await answer
        console.log(JSON.stringify(result))
      }
    } finally {
      await worker.terminate()
    }
  }
  await Promise.all(Array.from({ length: threads }, work))
} else {
  // The workers share the processor, and the memory of the weights' file.
  const model = await DiffSal.load(undefined, { threads: 1 })
  parentPort!.on('message', async (file: string) => {
    try {
      const focus: object[] = []
      for await (const { time, tensor } of model.predictVideo(file, { stride: 25, steps: 1, seed: 1 })) focus.push({ time, ...maps.focalPoint(tensor) })
      parentPort!.postMessage({ file, focus })
    } catch (error) {
      parentPort!.postMessage({ file, error: String(error) })
    }
  })
}
