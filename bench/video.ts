/**
 * Whether decoding keeps up with the network: maps a second of a whole video file by predictVideo, beside what the network alone makes of
 * windows of the same size and number that lie in memory, and beside the video's own pace.
 *
 *     npm run bench:video -- [FILE] [--device cpu|cuda:0] [--precision float32|bfloat16] [--batch 16] [--seconds 30] [--stride 1] [--runs 3]
 *         [--size paper|tiny] [--steps 4] [--threads 2] [--json results.json]
 *
 * FILE (default examples/speaker.mp4) is repeated until it is so many seconds long. Times are from the call to the last map, with the start
 * of the decoder. Needs ffmpeg.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs, promisify } from 'node:util'
import { DiffSal } from '../lib/index.ts'
import { findFfmpeg } from '../lib/media/ffmpeg.ts'
import { clip } from './clip.ts'
import { spread } from './figures.ts'
import { describeMachine, machineOptions, readMachine } from './machine.ts'
import { clipsPerSecond } from './rate.ts'
import { sizes } from './sizes.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...machineOptions,
    batch: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '30' },
    stride: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    steps: { type: 'string', default: '4' },
  },
})
const { device, precision, size, threads } = readMachine(options)
const [batch, stride, runs, steps] = [options.batch, options.stride, options.runs, options.steps].map(Number) as [number, number, number, number]

async function videoRun(model: DiffSal, path: string): Promise<{ maps: number; seconds: number; last: number }> {
  const start = performance.now()
  let [maps, last] = [0, 0]
  for await (const { time } of model.predictVideo(path, { batch, stride, steps, seed: 1 })) [maps, last] = [maps + 1, time]
  return { maps, seconds: (performance.now() - start) / 1000, last }
}

const folder = await mkdtemp(join(tmpdir(), 'diffsal-bench-'))
try {
  const path = join(folder, 'video.mp4')
  const repeat = ['-stream_loop', '-1', '-i', positionals[0] ?? 'examples/speaker.mp4', '-t', options.seconds, '-c', 'copy', path]
  await promisify(execFile)((await findFfmpeg()).path, ['-nostdin', '-loglevel', 'error', ...repeat])
  await using model = await DiffSal.create(sizes[size], { seed: 1, device, precision, threads })
  // Warms up, at the last batch's size too.
  const { maps } = await videoRun(model, path)
  const { pixels: frames, mel } = clip(sizes[size].size, batch)
  const input = { frames, mel }
  const batches = Math.max(Math.ceil(maps / batch), 3)
  const [rates, network, pace]: [number[], number[], number[]] = [[], [], []]
  for (let run = 0; run < runs; run++) {
    network.push(await clipsPerSecond(model, input, steps, batch, batches))
    const { maps, seconds, last } = await videoRun(model, path)
    rates.push(maps / seconds)
    pace.push(last / seconds)
  }
  const result = {
    mapsPerSecond: spread(rates),
    networkMapsPerSecond: spread(network),
    ofTheNetwork: spread(rates).median / spread(network).median,
    timesRealTime: spread(pace).median,
  }
  const machine = describeMachine(device, threads)
  console.log(
    `${machine}; ${maps} maps of ${options.seconds} s, stride ${stride}, in batches of ${batch}, ${size}, ${steps} steps, ${precision}; ${runs} runs in turn`,
  )
  console.log(result)
  const told = { machine, device, precision, batch, stride, size, steps, threads, runs, maps }
  if (options.json !== undefined) await writeFile(options.json, JSON.stringify({ ...told, ...result }, null, 2))
} finally {
  await rm(folder, { recursive: true, force: true })
}
