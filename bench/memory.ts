/**
 * Run by bench/run.ts in a process of its own, since a peak is a process's: prints, in bytes, what is resident once libtorch is open and the
 * most that was while a clip was predicted.
 *
 *     node memory.js WEIGHTS STEPS THREADS
 */
import { readFileSync } from 'node:fs'
import { devices, DiffSal } from '../lib/index.ts'
import { clip } from './clip.ts'

const memory = (figure: 'VmRSS' | 'VmHWM'): number =>
  1024 * Number(new RegExp(`^${figure}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1])

const [weights, steps, threads] = process.argv.slice(2)
const { frames, mel } = clip([224, 384])
devices()
const opened = memory('VmRSS')
await using model = await DiffSal.load(weights, { device: 'cpu', threads: Number(threads) })
await model.predict({ frames, mel }, { steps: Number(steps), seed: 1 })
console.log(JSON.stringify({ opened, peak: memory('VmHWM') }))
