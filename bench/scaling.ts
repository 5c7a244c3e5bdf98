/**
 * Clips a second of a training by one process and by two, a thread each, each with the same batch: what a second process brings, and what the messages
 * between the two cost. The kinds take turns.
 *
 *     npm run bench:scaling -- [--size paper|tiny] [--batch 4] [--steps 10] [--rounds 3] [--threads 1] [--json results.json]
 *
 * Messages are hidden while they are on their way and the process computes; not hidden is the time in which its computing stands still for one. Both hold
 * the waiting for the slower process. What a step is longer than one process's holds more: two processes that share the machine's memory compute more slowly.
 */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DiffSal, distributed, type Dataset, type TrainingSample } from '../lib/index.ts'
import { handsOf } from '../lib/distributed/group.ts'
import { clip } from './clip.ts'
import { median, spread } from './figures.ts'
import { describeMachine } from './machine.ts'
import { sizes, type Size } from './sizes.ts'

/** Whose statistics BatchNorm has: the whole batch's, or each process's own. */
type Statistics = 'shared' | 'own'

/** What one process measured. */
interface Measured {
  /** Of each step. */
  readonly seconds: readonly number[]
  /** Of a step, on the average. */
  readonly messages: number
  readonly bytes: number
  /** Seconds in which a message or more were on their way. */
  readonly communication: number
  /** Seconds in which the computing stood still for one. */
  readonly notHidden: number
}

/** How a process is told what to do. */
interface Job {
  readonly size: Size
  readonly batch: number
  readonly steps: number
  readonly threads: number
  readonly statistics: Statistics
}

/** Steps before those that are measured: kernels are loaded, memory is had. */
const warmUp = 3

const job = process.env.DIFFSAL_BENCH_JOB
if (job === undefined) await compare()
else process.stdout.write(JSON.stringify(await measure(JSON.parse(job) as Job)))

async function compare(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      ...{ size: { type: 'string', default: 'tiny' }, batch: { type: 'string', default: '4' }, steps: { type: 'string', default: '10' } },
      ...{ rounds: { type: 'string', default: '3' }, threads: { type: 'string', default: '1' }, json: { type: 'string' } },
    },
  })
  const [batch, steps, rounds, threads] = [options.batch, options.steps, options.rounds, options.threads].map(Number) as [number, number, number, number]
  const size: Size = options.size === 'paper' ? 'paper' : 'tiny'
  const kinds = [
    { name: 'one process', processes: 1, statistics: 'shared' },
    { name: 'two processes', processes: 2, statistics: 'shared' },
    { name: "two processes, BatchNorm's statistics each its own", processes: 2, statistics: 'own' },
  ] as const
  const measured = kinds.map((): Measured[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, { processes, statistics }] of kinds.entries()) measured[i]!.push(await start(processes, { size, batch, steps, threads, statistics }))
  }
  const alone = median(measured[0]!.map(({ seconds }) => median(seconds)))
  const rows = kinds.map(({ name, processes }, i) => {
    const runs = measured[i]!
    const step = spread(runs.map(({ seconds }) => median(seconds)))
    const of = (pick: (run: Measured) => number): number => median(runs.map(pick))
    const [communication, notHidden] = [of((run) => run.communication), of((run) => run.notHidden)]
    const clipsASecond = (processes * batch) / step.median
    return {
      ...{ name, processes, secondsAStep: step, clipsASecond, efficiency: clipsASecond / processes / (batch / alone) },
      ...{ messages: of((run) => run.messages), bytes: of((run) => run.bytes), communication, hidden: Math.max(0, communication - notHidden) },
      ...{ notHidden, shareNotHidden: notHidden / step.median, longerThanAlone: step.median - alone },
    }
  })
  const machine = describeMachine('cpu', threads)
  console.log(
    `${machine} a process; ${size}, a batch of ${batch} each; ${rounds} rounds of ${steps} steps, in turn. Of a step: seconds (median, least, most), messages, their bytes and seconds, and which of them were hidden; what share of a step was not.`,
  )
  console.table(
    rows.map(({ secondsAStep: { median: middle, min, max }, ...row }) => ({ ...row, seconds: `${middle.toFixed(3)} (${min.toFixed(3)}, ${max.toFixed(3)})` })),
  )
  if (options.json !== undefined) await writeFile(options.json, JSON.stringify({ machine, size, batch, steps, rounds, threads, rows }, null, 2))
}

/** Runs this program as so many processes of a group; gives what the first one measured. */
async function start(processes: number, task: Job): Promise<Measured> {
  const port = await freePort()
  const place = (rank: number) => ({ RANK: `${rank}`, WORLD_SIZE: `${processes}`, MASTER_ADDR: '127.0.0.1', MASTER_PORT: `${port}` })
  const outputs = await Promise.all(
    Array.from({ length: processes }, (_, rank) => {
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
        env: { ...process.env, ...place(rank), DIFFSAL_BENCH_JOB: JSON.stringify(task) },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      return new Promise<string>((resolve, reject) => {
        let text = ''
        child.stdout.setEncoding('utf8').on('data', (data: string) => (text += data))
        child.on('error', reject)
        child.on('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`a process of the group ended with ${code}`))))
      })
    }),
  )
  return JSON.parse(outputs[0]!) as Measured
}

async function measure({ size, batch, steps, threads, statistics }: Job): Promise<Measured> {
  await using group = await distributed.join()
  await using model = await DiffSal.create(sizes[size], { seed: 1, threads })
  await using trainer = model.trainer({ group, lr: 1e-4, seed: 1, synchronise: statistics === 'shared' })
  const { native } = handsOf(group)
  const fit = async (count: number): Promise<number[]> => {
    const seconds: number[] = []
    for await (const event of trainer.fit(repeated(sizes[size].size, batch * group.worldSize * count), { epochs: 1, batch, workers: 1 })) {
      if (event.type === 'step') seconds.push(event.seconds - event.waited)
    }
    return seconds
  }
  await fit(warmUp)
  const before = native.traffic()
  const seconds = await fit(steps)
  const after = native.traffic()
  const each = (name: keyof typeof after): number => (after[name] - before[name]) / steps
  return { seconds, messages: each('messages'), bytes: each('bytes'), communication: each('seconds'), notHidden: each('waited') }
}

/** One clip so often: reading costs nothing. */
function repeated(size: readonly [number, number], length: number): Dataset<TrainingSample> {
  const { pixels, x } = clip(size)
  const sample: TrainingSample = {
    frames: { ...pixels, shape: pixels.shape.slice(1) },
    audio: { samples: Float32Array.from({ length: 10_240 }, (_, i) => 0.3 * Math.sin(i / 20)), sampleRate: 16_000 },
    target: { dtype: 'float32', shape: [1, ...size], data: x.data.map((value) => 1 / (1 + Math.exp(-value))) },
    video: 'one',
    frame: 8,
  }
  return { length, get: async () => sample }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
