// The compiled program.ts in a worker thread.
import { Worker } from 'node:worker_threads'

new Worker(new URL('program.js', import.meta.url)).on('error', (error) => {
  throw error
})
