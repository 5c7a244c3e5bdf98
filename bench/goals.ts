/**
 * Run by scripts/gpu-check: what the benches of a GPU have measured, beside what is aimed at.
 *
 *     node goals.js FOLDER        of bf16-1.json, bf16-16.json, float32-1.json, float32-16.json, video.json, training.json, where they are
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Result {
  prediction?: { name: string; median: number; oursOverTheirs: number; mapDifference: number }[]
  rows?: { name: string; oursOverTheirs: number }[]
  mapsPerSecond?: number
  multiplications?: { ofOneProduct?: number }
  ofTheNetwork?: number
  timesRealTime?: number
}

function read(name: string): Result | undefined {
  const path = join(process.argv[2] ?? '.', `${name}.json`)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Result) : undefined
}

const beside = (rows: { name: string; oursOverTheirs: number }[] | undefined, peer: string): number | undefined =>
  rows?.find(({ name }) => name.endsWith(peer))?.oursOverTheirs

function tell(goal: string, value: number | undefined, met: (value: number) => boolean): void {
  console.log(`${goal.padEnd(72)} ${value === undefined ? 'not measured' : `${value.toFixed(3)} ${met(value) ? 'met' : 'MISSED'}`}`)
}

const video = read('video')
tell('one clip, bfloat16: at most 0.67 of torch.compile max-autotune', beside(read('bf16-1')?.prediction, 'compile'), (value) => value <= 0.67)
tell('batch 16, bfloat16: at least 0.5 of the rate of one large product', read('bf16-16')?.multiplications?.ofOneProduct, (value) => value >= 0.5)
tell('video: at least 0.9 of the network by itself', video?.ofTheNetwork, (value) => value >= 0.9)
tell('video: at least 10 times real time', video?.timesRealTime, (value) => value >= 10)
tell('training step, bfloat16: at most 0.75 of eager autocast', beside(read('training')?.rows, 'eager'), (value) => value <= 0.75)
for (const name of ['bf16-1', 'bf16-16', 'float32-1', 'float32-16']) {
  for (const { name: side, median, mapDifference } of read(name)?.prediction ?? []) {
    console.log(`${name.padEnd(10)} ${side}: ${(1000 * median).toFixed(2)} ms, map within ${mapDifference.toExponential(1)}`)
  }
}
