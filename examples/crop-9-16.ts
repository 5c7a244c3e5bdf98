// An upright video of a wide one: a window of 9:16 that follows what people look at.
// In a program of yours, import from 'diffsal'. Run it with: npx tsx examples/crop-9-16.ts clip.mp4 upright.mp4
import { spawnSync } from 'node:child_process'
import { DiffSal, maps } from '../lib/index.ts'

const [input, output] = process.argv.slice(2)
if (input === undefined || output === undefined) throw new Error('Name the video, and the file to write.')

const model = await DiffSal.load()
const places: { time: number; x: number }[] = []
let size: readonly [number, number] = [0, 0]
for await (const map of model.predictVideo(input, { stride: 5, steps: 1, seed: 1 })) {
  size = map.size
  const { x } = maps.cropWindow(map.tensor, 9 / 16, { size })
  // A camera that turns slowly: a quarter of the way at each map.
  const last = places.at(-1)?.x ?? x
  places.push({ time: map.time, x: last + (x - last) / 4 })
}
await model.dispose()

// Between two maps the window moves on by one step each 1/25 s.
const commands = places.flatMap(({ time, x }, i) => {
  const next = places[i + 1] ?? { time: time + 0.04, x }
  const count = Math.max(1, Math.round((next.time - time) * 25))
  return Array.from({ length: count }, (_, k) => `${(time + (k / count) * (next.time - time)).toFixed(3)} crop x ${Math.round(x + ((next.x - x) * k) / count)}`)
})
const [height, width] = [size[0] - (size[0] % 2), Math.round((size[0] * 9) / 32) * 2]
const filter = `sendcmd=c='${commands.join(';')}',crop=${Math.min(width, size[1])}:${height}:${Math.round(places[0]!.x)}:0`
const { status, stderr } = spawnSync(process.env.DIFFSAL_FFMPEG ?? 'ffmpeg', ['-y', '-loglevel', 'error', '-i', input, '-vf', filter, '-c:a', 'copy', output])
if (status !== 0) throw new Error(`ffmpeg: ${String(stderr)}`)
console.log(`${output}: ${height} × ${width}, the window moves from ${Math.round(places[0]!.x)} to ${Math.round(places.at(-1)!.x)}`)
