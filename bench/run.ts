/**
 * How fast a clip's map is predicted, beside what else could predict it: the reference program under PyTorch, as it is and compiled, and
 * ONNX Runtime. All have the same weights, clip and noise, and take turns, so that what else the machine does falls on all alike.
 *
 *     npm run bench -- [--runs 5] [--steps 4] [--threads 2] [--dialect paper|released] [--peers eager,compile,onnx] [--json results.json]
 *
 * DIFFSAL_BENCH_PYTHON names a Python that has torch, numpy and safetensors (default python3), DIFFSAL_REFERENCE the folder of
 * diffsal_ref.py (default ../shared/reference). ONNX Runtime takes part where `npm install --no-save onnxruntime-node` was run, and Python
 * has the packages onnx and onnxscript, with which torch.onnx exports the network. Peers that are not found are named and left out.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { DiffSal } from '../lib/index.ts'
import { clip } from './clip.ts'
import { difference, spread } from './figures.ts'
import { onnxPeer } from './onnx-peer.ts'
import { TorchProcess, type Material, type Peer } from './torch-peer.ts'

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    steps: { type: 'string', default: '4' },
    threads: { type: 'string', default: String(availableParallelism()) },
    dialect: { type: 'string', default: 'paper' },
    peers: { type: 'string', default: 'eager,compile,onnx' },
    json: { type: 'string' },
  },
})
const [runs, steps, threads] = [Number(options.runs), Number(options.steps), Number(options.threads)]
const dialect = options.dialect === 'released' ? 'released' : 'paper'
const wanted = options.peers.split(',')
const inputs = clip([224, 384])
const { frames, mel, x } = inputs

async function ours(weights: string): Promise<Peer> {
  const model = await DiffSal.load(weights, { device: 'cpu', threads })
  return {
    name: 'diffsal',
    async predict() {
      const start = performance.now()
      const map = await model.predict({ frames, mel }, { steps, noise: x })
      return { seconds: (performance.now() - start) / 1000, map: map.data }
    },
    close: () => model.dispose(),
  }
}

/** What can be had of what was asked for; what cannot is said. */
async function gather(material: Material): Promise<{ peers: Peer[]; close(): Promise<void> }> {
  const peers = [await ours(material.weights)]
  const attempt = async (name: string, make: () => Promise<void>): Promise<void> => {
    try {
      await make()
    } catch (error) {
      console.log(`without ${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  let torch: TorchProcess | undefined
  if (wanted.some((name) => ['eager', 'compile', 'onnx'].includes(name))) {
    await attempt('PyTorch', async () => {
      const python = process.env.DIFFSAL_BENCH_PYTHON ?? 'python3'
      torch = await TorchProcess.start(python, process.env.DIFFSAL_REFERENCE ?? '../shared/reference', material)
    })
  }
  if (torch !== undefined) {
    const process = torch
    if (wanted.includes('onnx')) {
      await attempt('ONNX Runtime', async () => {
        await process.export()
        peers.push(await onnxPeer(inputs, material))
      })
    }
    for (const mode of ['eager', 'compile'] as const) if (wanted.includes(mode)) peers.push(process.peer(mode))
  }
  return { peers, close: async () => void (await Promise.all([...peers.map((peer) => peer.close()), torch?.close()])) }
}

async function compare(material: Material): Promise<object[]> {
  const { peers, close } = await gather(material)
  const rows = new Map<Peer, { seconds: number[]; map: Float32Array }>()
  try {
    for (const peer of peers) {
      // The first prediction warms up, and compiles.
      try {
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
  return [...rows].map(([peer, { seconds, map }]) => ({
    name: peer.name,
    ...spread(seconds),
    oursOverTheirs: base / spread(seconds).median,
    mapDifference: difference(map, own.map),
  }))
}

/** Maps a second of the weights that ship, of clips one by one. */
async function tinyRate(): Promise<number> {
  await using model = await DiffSal.load(undefined, { device: 'cpu', threads })
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
    await using model = await DiffSal.load(weights, { device: 'cpu', threads })
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
  const material: Material = { folder, weights: join(folder, 'weights.safetensors'), dialect, steps, threads }
  {
    await using model = await DiffSal.create({ dialect }, { seed: 1, device: 'cpu' })
    await model.save(material.weights)
  }
  for (const [name, { data }] of Object.entries(inputs)) await writeFile(join(folder, `${name}.f32`), data)
  const device = `${cpus()[0]?.model.trim() ?? 'CPU'}, ${threads} of ${availableParallelism()} threads`
  console.log(`${device}; one clip of 16 frames of 224×384, ${dialect}, ${steps} steps, float32; ${runs} runs in turn`)
  const prediction = await compare(material)
  console.table(prediction)
  const others = {
    tinyMapsPerSecond: await tinyRate(),
    loadSeconds: await loading(material.weights),
    memory: await memory(material.weights),
  }
  console.log(others)
  if (options.json !== undefined) await writeFile(options.json, JSON.stringify({ device, dialect, steps, threads, runs, prediction, ...others }, null, 2))
} finally {
  await rm(folder, { recursive: true, force: true })
}
