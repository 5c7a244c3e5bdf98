/**
 * Seconds of a training step, beside the reference program's under PyTorch: the same network, batch and optimiser (fused Adam), dropout 0.1,
 * in bfloat16 by autocast on both sides. The two take turns.
 *
 *     npm run bench:training -- [--device cpu|cuda:0] [--precision float32|bfloat16] [--batch 4] [--runs 5] [--size paper|tiny] [--threads 2]
 *         [--json results.json]
 *
 * Python and the reference are found as `npm run bench` finds them.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { DiffSal, type Tensor } from '../lib/index.ts'
import { clip } from './clip.ts'
import { spread } from './figures.ts'
import { describeMachine, machineOptions, readMachine } from './machine.ts'
import { sizes } from './sizes.ts'
import { TorchProcess, type Material } from './torch-peer.ts'

const { values: options } = parseArgs({
  options: {
    ...machineOptions,
    batch: { type: 'string', default: '4' },
    runs: { type: 'string', default: '5' },
  },
})
const { device, precision, size, threads } = readMachine(options)
const [batch, runs] = [Number(options.batch), Number(options.runs)]
const inputs = clip(sizes[size].size, batch)
// As many as a schedule takes to settle: kernels are loaded, memory is had.
const warmUp = 3

const folder = await mkdtemp(join(tmpdir(), 'diffsal-bench-'))
try {
  await using model = await DiffSal.create(sizes[size], { seed: 1, device, threads })
  const weights = join(folder, 'weights.safetensors')
  await model.save(weights)
  for (const [name, { data }] of Object.entries(inputs)) await writeFile(join(folder, `${name}.f32`), data)
  const { frames, mel, x } = inputs
  const target: Tensor<'float32'> = { ...x, data: x.data.map((value) => 1 / (1 + Math.exp(-value))) }
  await using trainer = model.trainer({ lr: 1e-4, seed: 1, precision })
  const ours = async (): Promise<number> => {
    const start = performance.now()
    await trainer.step({ frames, mel, target })
    return (performance.now() - start) / 1000
  }
  const material: Material = { folder, weights, size, dialect: 'paper', steps: 4, threads, batch, device, precision }
  const torch = await TorchProcess.start(material).catch((error: Error) => void console.log(`without PyTorch: ${error.message}`))
  try {
    const sides = new Map([['diffsal', ours], ...(torch ? [[`PyTorch ${torch.version} eager`, () => torch.train()] as const] : [])])
    const seconds = new Map([...sides.keys()].map((name) => [name, [] as number[]]))
    for (let run = -warmUp; run < runs; run++) {
      for (const [name, step] of sides) {
        const taken = await step()
        if (run >= 0) seconds.get(name)!.push(taken)
      }
    }
    const base = spread(seconds.get('diffsal')!).median
    const rows = [...seconds].map(([name, values]) => ({ name, ...spread(values), oursOverTheirs: base / spread(values).median }))
    const machine = describeMachine(device, threads)
    console.log(`${machine}; a training step of ${batch}, ${size}, ${precision}; ${runs} runs in turn`)
    console.table(rows)
    if (options.json !== undefined) await writeFile(options.json, JSON.stringify({ machine, device, precision, batch, size, threads, runs, rows }, null, 2))
  } finally {
    await torch?.close()
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
