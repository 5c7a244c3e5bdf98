/**
 * How fast a clip's map is predicted, beside what else could predict it: the reference program under PyTorch, as it is and compiled, and
 * ONNX Runtime. All have the same weights, clip and noise, and take turns, so that what else the machine does falls on all alike.
 *
 *     npm run bench -- [--device cpu|cuda:0] [--precision float32|bfloat16] [--batch 1] [--runs 5] [--steps 4] [--threads 2]
 *         [--size paper|tiny] [--dialect paper|released] [--peers eager,compile,onnx] [--json results.json]
 *
 * On CUDA, `compile` is torch.compile's mode max-autotune, and the rate of multiplications is held against what one large product of
 * bfloat16 reaches. Ours is timed from a video's bytes in the host's memory to the map there, the peers from normalised frames on the
 * device; each side's first predictions are not counted.
 *
 * DIFFSAL_BENCH_PYTHON names a Python that has torch, numpy and safetensors (default python3), DIFFSAL_REFERENCE the folder of
 * diffsal_ref.py (default ../shared/reference). ONNX Runtime takes part where `npm install --no-save onnxruntime-node` was run, and Python
 * has the packages onnx and onnxscript, with which torch.onnx exports the network. Peers that are not found are named and left out.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { DiffSal, presets } from '../lib/index.ts'
import { clip } from './clip.ts'
import { difference, spread } from './figures.ts'
import { describeMachine, machineOptions, readMachine } from './machine.ts'
import { onnxPeer } from './onnx-peer.ts'
import { clipsPerSecond } from './rate.ts'
import { multiplications, sizes } from './sizes.ts'
import { TorchProcess, type Material, type Peer } from './torch-peer.ts'

const { values: options } = parseArgs({
  options: {
    ...machineOptions,
    batch: { type: 'string', default: '1' },
    runs: { type: 'string', default: '5' },
    steps: { type: 'string', default: '4' },
    dialect: { type: 'string', default: 'paper' },
    peers: { type: 'string', default: 'eager,compile,onnx' },
  },
})
const [runs, steps, batch] = [Number(options.runs), Number(options.steps), Number(options.batch)]
const { device, precision, size, threads } = readMachine(options)
const dialect = options.dialect === 'released' ? 'released' : 'paper'
const wanted = options.peers.split(',')
const run = { device, precision, threads }
const inputs = clip(sizes[size].size, batch)
const { pixels, mel, x } = inputs
// A form for predicting may prepare itself during some of the first calls.
const warmUp = 3

async function ours(weights: string): Promise<Peer> {
  const model = await DiffSal.load(weights, run)
  return {
    name: 'diffsal',
    async predict() {
      const start = performance.now()
      const map = await model.predict({ frames: pixels, mel }, { steps, noise: x })
      return { seconds: (performance.now() - start) / 1000, map: map.data }
    },
    close: () => model.dispose(),
  }
}

/** What can be had of what was asked for; what cannot is said. */
async function gather(material: Material): Promise<{ peers: Peer[]; product: number | undefined; close(): Promise<void> }> {
  const peers = [await ours(material.weights)]
  const attempt = async (name: string, make: () => Promise<void>): Promise<void> => {
    try {
      await make()
    } catch (error) {
      console.log(`without ${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  let torch: TorchProcess | undefined
  let product: number | undefined
  if (wanted.some((name) => ['eager', 'compile', 'onnx'].includes(name))) {
    await attempt('PyTorch', async () => {
      torch = await TorchProcess.start(material)
      product = await torch.matmul()
    })
  }
  if (torch !== undefined) {
    const process = torch
    if (wanted.includes('onnx') && device === 'cpu' && precision === 'float32') {
      await attempt('ONNX Runtime', async () => {
        await process.export()
        peers.push(await onnxPeer(inputs, material))
      })
    }
    for (const mode of ['eager', 'compile'] as const) if (wanted.includes(mode)) peers.push(process.peer(mode))
  }
  return { peers, product, close: async () => void (await Promise.all([...peers.map((peer) => peer.close()), torch?.close()])) }
}

interface Row {
  name: string
  median: number
  min: number
  max: number
  oursOverTheirs: number
  mapDifference: number
}

async function compare(material: Material): Promise<{ rows: Row[]; product: number | undefined }> {
  const { peers, product, close } = await gather(material)
  const rows = new Map<Peer, { seconds: number[]; map: Float32Array }>()
  try {
    for (const peer of peers) {
      // The first predictions warm up, and compile.
      try {
        for (let i = 1; i < warmUp; i++) await peer.predict()
        rows.set(peer, { seconds: [], map: (await peer.predict()).map })
      } catch (error) {
        console.log(`without ${peer.name}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    for (let run = 0; run < runs; run++) for (const [peer, { seconds }] of rows) seconds.push((await peer.predict()).seconds)
  } finally {
    await close()
  }
  const [[, own]] = [...rows] as [[Peer, { seconds: number[]; map: Float32Array }]]
  const base = spread(own.seconds).median
  const table = [...rows].map(([peer, { seconds, map }]) => ({
    name: peer.name,
    ...spread(seconds),
    oursOverTheirs: base / spread(seconds).median,
    mapDifference: difference(map, own.map),
  }))
  return { rows: table, product }
}

/** How many clips a second our side predicts, and of how many multiplications, beside what one large product reaches here. */
async function rate(weights: string, product: number | undefined): Promise<object> {
  await using model = await DiffSal.load(weights, run)
  const clips = await clipsPerSecond(model, { frames: pixels, mel }, steps, batch, Math.max(runs, 2))
  const billions = multiplications(size, dialect, steps)
  if (billions === undefined) return { mapsPerSecond: clips }
  const achieved = billions * 1e9 * clips
  return { mapsPerSecond: clips, multiplications: { teraMacs: achieved / 1e12, ...(product !== undefined && { ofOneProduct: achieved / product }) } }
}

/** Maps a second of the weights that ship, of clips one by one. */
async function tinyRate(): Promise<number> {
  await using model = await DiffSal.load(presets.scenes.weights, run)
  const { frames, mel, x: noise } = clip([model.config.size[0], model.config.size[1]])
  const seconds: number[] = []
  for (let i = 0; i < 5 * runs; i++) {
    const start = performance.now()
    await model.predict({ frames, mel }, { steps, noise })
    seconds.push((performance.now() - start) / 1000)
  }
  return 1 / spread(seconds.slice(1)).median
}

async function loading(weights: string): Promise<object> {
  const seconds: number[] = []
  for (let i = 0; i < runs; i++) {
    const start = performance.now()
    await using model = await DiffSal.load(weights, run)
    seconds.push((performance.now() - start) / 1000)
    await model.dispose()
  }
  return spread(seconds)
}

async function memory(weights: string): Promise<object> {
  const program = fileURLToPath(new URL('./memory.js', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [program, weights, String(steps), String(threads)])
  const { opened, peak } = JSON.parse(stdout) as { opened: number; peak: number }
  return { afterLibtorchMB: opened / 2 ** 20, peakMB: peak / 2 ** 20, aboveLibtorchMB: (peak - opened) / 2 ** 20 }
}

const folder = await mkdtemp(join(tmpdir(), 'diffsal-bench-'))
try {
  const material: Material = { folder, weights: join(folder, 'weights.safetensors'), size, dialect, steps, threads, batch, device, precision }
  {
    await using model = await DiffSal.create({ ...sizes[size], dialect }, { seed: 1, device: 'cpu' })
    await model.save(material.weights)
  }
  for (const [name, { data }] of Object.entries(inputs)) await writeFile(join(folder, `${name}.f32`), data)
  const machine = describeMachine(device, threads)
  console.log(`${machine}; ${batch} × 16 frames of ${sizes[size].size.join('×')}, ${dialect}, ${steps} steps, ${precision}; ${runs} runs in turn`)
  const { rows, product } = await compare(material)
  console.table(rows)
  const others = {
    ...(await rate(material.weights, product)),
    tinyMapsPerSecond: await tinyRate(),
    loadSeconds: await loading(material.weights),
    // A process's peak is of the CPU's memory.
    ...(device === 'cpu' && size === 'paper' && batch === 1 && { memory: await memory(material.weights) }),
  }
  console.log(others)
  const told = { machine, device, precision, batch, size, dialect, steps, threads, runs }
  if (options.json !== undefined) await writeFile(options.json, JSON.stringify({ ...told, prediction: rows, ...others }, null, 2))
} finally {
  await rm(folder, { recursive: true, force: true })
}
