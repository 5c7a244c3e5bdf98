/**
 * How fast training data is read, and whether a training step waits for it.
 *
 *     npm run bench:data -- [--workers 1,2,4,8] [--seconds 5] [--batch 4] [--steps 4]
 *         [--device auto] [--tiny] [--no-train]
 *
 * Makes a tree of an audio-visual set (640×360 JPEGs with a photograph's detail, 48 kHz stereo sound) in the temporary folder, reads it
 * for some seconds with each number of workers, then trains with the last one and times every step and every wait.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { loadBatches, openAudioVisual, type SaliencyDataset } from '../lib/datasets/index.ts'
import { DiffSal } from '../lib/index.ts'

const { values: options } = parseArgs({
  options: {
    workers: { type: 'string', default: '1,2,4,8' },
    seconds: { type: 'string', default: '5' },
    batch: { type: 'string', default: '4' },
    steps: { type: 'string', default: '4' },
    device: { type: 'string', default: 'auto' },
    tiny: { type: 'boolean', default: false },
    'no-train': { type: 'boolean', default: false },
  },
})
const batch = Number(options.batch)
const workers = options.workers.split(',').map(Number)

/** The six pictures and the map that all frames are copies of: encoding more would only take time. */
async function makeTree(root: string, videos: number, frames: number): Promise<void> {
  const size = { width: 640, height: 360 }
  const pictures = await Promise.all(
    Array.from({ length: 6 }, (_, k) => {
      const data = Buffer.alloc(size.width * size.height * 3)
      for (let i = 0; i < data.length; i++) {
        const [x, y] = [Math.floor(i / 3) % size.width, Math.floor(i / 3 / size.width)]
        data[i] = 128 + 60 * Math.sin(x / (7 + k)) * Math.cos(y / (11 + (i % 3))) + 50 * Math.random()
      }
      return sharp(data, { raw: { ...size, channels: 3 } })
        .jpeg({ quality: 85 })
        .toBuffer()
    }),
  )
  const grey = Uint8Array.from({ length: size.width * size.height }, (_, i) => 255 * Math.exp(-(((i % size.width) - 300) ** 2) / 5000))
  const map = await sharp(grey, { raw: { ...size, channels: 1 } })
    .toColourspace('b-w')
    .jpeg()
    .toBuffer()
  const lines: string[] = []
  for (let v = 0; v < videos; v++) {
    const name = `video${v}`
    lines.push(`${name} ${frames} 25`)
    const [shown, annotated, heard] = [`video_frames/AVAD/${name}`, `annotations/AVAD/${name}/maps`, `video_audio/AVAD/${name}`].map((part) =>
      join(root, part),
    ) as [string, string, string]
    for (const folder of [shown, annotated, heard]) await mkdir(folder, { recursive: true })
    for (let k = 0; k < frames; k++) {
      const number = String(k + 1).padStart(5, '0')
      await writeFile(join(shown, `img_${number}.jpg`), pictures[k % pictures.length]!)
      await writeFile(join(annotated, `eyeMap_${number}.jpg`), map)
    }
    await writeFile(join(heard, `${name}.wav`), stereo(frames / 25))
  }
  await mkdir(join(root, 'fold_lists'))
  await writeFile(join(root, 'fold_lists/AVAD_list_train_1_fps.txt'), lines.join('\n'))
}

/** A `.wav` of noise, 48 kHz, 16 bits. */
function stereo(seconds: number): Buffer {
  const data = Int16Array.from({ length: seconds * 96_000 }, () => 20_000 * (Math.random() - 0.5))
  const head = Buffer.alloc(44)
  head.write('RIFF')
  head.writeUInt32LE(36 + data.byteLength, 4)
  head.write('WAVEfmt ', 8)
  for (const [at, value] of [
    [16, 16],
    [24, 48_000],
    [28, 192_000],
    [40, data.byteLength],
  ] as const)
    head.writeUInt32LE(value, at)
  for (const [at, value] of [
    [20, 1],
    [22, 2],
    [32, 4],
    [34, 16],
  ] as const)
    head.writeUInt16LE(value, at)
  head.write('data', 36)
  return Buffer.concat([head, Buffer.from(data.buffer)])
}

/** Samples a second that so many workers read. */
async function readingRate(dataset: SaliencyDataset, count: number, mel: boolean): Promise<number> {
  const until = performance.now() + 1000 * Number(options.seconds)
  let samples = 0
  let start = 0
  for await (const one of loadBatches(dataset, { batch, seed: 1, workers: count, mel })) {
    // What was read before the first batch came is not counted.
    if (start === 0) start = performance.now()
    else samples += one.samples.length
    if (performance.now() > until && samples > 0) break
  }
  return (1000 * samples) / (performance.now() - start)
}

async function train(dataset: SaliencyDataset, count: number, size: readonly [number, number]): Promise<void> {
  const config = options.tiny ? { size, videoEncoder: { embedDim: 32, depth: 4, downscaleAt: [1, 2, 3] as [number, number, number] }, unetWidth: 32 } : {}
  await using model = await DiffSal.create(config, { seed: 1, device: options.device })
  const trainer = model.trainer({ seed: 1 })
  const waits: number[] = []
  const steps: number[] = []
  let asked = performance.now()
  for await (const { batch: clips } of loadBatches(dataset, {
    batch,
    seed: 1,
    workers: count,
    mel: { size: [size[0] / 2, size[1] / 2] },
  })) {
    waits.push(performance.now() - asked)
    const began = performance.now()
    await trainer.step(clips)
    steps.push(performance.now() - began)
    if (steps.length > Number(options.steps)) break
    asked = performance.now()
  }
  // The first step waits for the first batch, and warms up.
  const mean = (all: number[]): number => all.slice(1).reduce((sum, value) => sum + value, 0) / (all.length - 1) / 1000
  const [wait, step] = [mean(waits), mean(steps)]
  console.log(`training on ${options.device}, batch ${batch}: a step takes ${step.toFixed(3)} s, so it needs ${(batch / step).toFixed(2)} samples/s`)
  console.log(`it waits ${(1000 * wait).toFixed(1)} ms a step for data with ${count} workers, ` + `${((100 * wait) / (wait + step)).toFixed(2)} % of the time`)
}

const root = await mkdtemp(join(tmpdir(), 'diffsal-bench-'))
try {
  await makeTree(root, 12, 300)
  const size = options.tiny ? ([64, 96] as const) : ([224, 384] as const)
  const dataset = await openAudioVisual(root, 'AVAD', { size, faults: 'error' })
  const pool = process.env.UV_THREADPOOL_SIZE ?? '4'
  console.log(`${availableParallelism()} cores, ${pool} libuv threads; a sample: 16 frames 640×360 → ${size[1]}×${size[0]}, a map, 0.64 s of 48 kHz stereo`)
  for (const count of workers) {
    const [plain, heard] = [await readingRate(dataset, count, false), await readingRate(dataset, count, true)]
    console.log(`${count} workers: ${plain.toFixed(1)} samples/s, ${heard.toFixed(1)} with log-mel slices`)
  }
  if (!options['no-train']) await train(dataset, workers.at(-1)!, size)
} finally {
  await rm(root, { recursive: true, force: true })
}
