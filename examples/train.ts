// A training loop by hand: a small network learns where a bright square is, in clips made up on the spot.
// Run it with any runner of TypeScript: npx tsx examples/train.ts. Outside this repository, import from 'diffsal'.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiffSal, type Tensor, type TrainingBatch } from '../lib/index.ts'

const [height, width, clipLength, samples, steps] = [32, 64, 8, 4, 60]
const checkpoint = join(tmpdir(), 'diffsal-example.safetensors')

const model = await DiffSal.create(
  {
    size: [height, width],
    clipLength,
    videoEncoder: { embedDim: 16, depth: 4, downscaleAt: [1, 2, 3] },
    audioEncoder: { widths: [[8], [8], [16], [16]], heads: 2, headDim: 8, hidden: 16 },
    unetWidth: 16,
    normGroups: 8,
    kvKernel: [1, 2, 4, 8],
  },
  { seed: 1, threads: 1 },
)
const trainer = model.trainer({ lr: 1e-3, seed: 1, schedule: { kind: 'multistep', milestones: [steps / 2, (3 * steps) / 4] } })

for (let i = 0; i < steps; i++) {
  const { step, loss, gradNorm, lr } = await trainer.step(makeBatch(i))
  if (step % 10 === 0) console.log(`step ${step}: loss ${loss.toFixed(1)}, gradient ${gradNorm.toFixed(0)}, learning rate ${lr}`)
}

// All of it to a file, and on from there: the next step is, bit for bit, the one that would have come without.
await trainer.save(checkpoint)
const resumed = await DiffSal.resume(checkpoint, { threads: 1 })
console.log(`resumed after step ${resumed.steps}: loss ${(await resumed.step(makeBatch(steps))).loss.toFixed(1)}`)
await Promise.all([model.dispose(), resumed.model.dispose()])

/** Clips with a bright square somewhere, whose place is the target: of each number always the same ones. */
function makeBatch(number: number): TrainingBatch {
  const pixels = samples * clipLength * height * width
  const frames: Tensor<'uint8'> = { dtype: 'uint8', shape: [samples, clipLength, height, width, 3], data: new Uint8Array(3 * pixels) }
  const target: Tensor<'float32'> = { dtype: 'float32', shape: [samples, 1, height, width], data: new Float32Array(samples * height * width) }
  const audio = Array.from({ length: samples }, () => ({ samples: new Float32Array(16_000), sampleRate: 16_000 }))
  for (let b = 0; b < samples; b++) {
    // Multiples of the plastic number's powers are spread evenly.
    const [cy, cx] = [0.7549, 0.5698].map((step, axis) => ((step * (number * samples + b)) % 1) * [height, width][axis]!) as [number, number]
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        target.data[(b * height + y) * width + x] = Math.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 60)
        if (Math.max(Math.abs(y - cy), Math.abs(x - cx)) > 5) continue
        for (let t = 0; t < clipLength; t++) {
          const pixel = (((b * clipLength + t) * height + y) * width + x) * 3
          frames.data.fill(255, pixel, pixel + 3)
        }
      }
    }
  }
  return { frames, audio, target }
}
