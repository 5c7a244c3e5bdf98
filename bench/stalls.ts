/**
 * How long the event loop stands still while several videos start at once, with a quick `predict` beside them.
 *
 *     npm run bench:stalls -- [FILE] [--videos 6] [--runs 3] [--threads 1]
 *
 * FILE is examples/speaker.mp4 by default. A timer of a millisecond tells each stall, and Linux what the main thread did in it: how long it ran, how long it
 * waited for a processor that others had, and how long it slept, as it does until a process that it starts has begun. Beside it is what
 * `monitorEventLoopDelay` of Node tells.
 */
import { openSync, readSync } from 'node:fs'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { DiffSal, type ClipInput } from '../lib/index.ts'
import { describeMachine } from './machine.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { videos: { type: 'string', default: '6' }, runs: { type: 'string', default: '3' }, threads: { type: 'string', default: '1' } },
})
const [videos, runs, threads] = [values.videos, values.runs, values.threads].map(Number) as [number, number, number]
const [path = 'examples/speaker.mp4'] = positionals

/** Milliseconds that the main thread ran, and that it could have run but had no processor. */
const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r')
const buffer = Buffer.alloc(64)
function scheduled(): [ran: number, waited: number] {
  const [ran, waited] = buffer
    .toString('latin1', 0, readSync(file, buffer, 0, 64, 0))
    .split(' ')
    .map(Number)
  return [ran! / 1e6, waited! / 1e6]
}

interface Stall {
  wall: number
  ran: number
  waited: number
}

async function run(model: DiffSal): Promise<{ greatest: Stall; most: Stall; monitored: number; quick: number }> {
  const { size, clipLength } = model.config
  const frames = { dtype: 'uint8' as const, shape: [clipLength, ...size, 3], data: new Uint8Array(clipLength * size[0] * size[1] * 3) }
  const clip: ClipInput = { frames, audio: { samples: new Float32Array((clipLength / 25) * 16_000), sampleRate: 16_000, fps: 25 } }
  await model.predict(clip, { steps: 1 })
  const none = { wall: 0, ran: 0, waited: 0 }
  let [greatest, most] = [none, none]
  let [last, before] = [performance.now(), scheduled()]
  const look = (): void => {
    const [now, after] = [performance.now(), scheduled()]
    const stall = { wall: now - last, ran: after[0] - before[0], waited: after[1] - before[1] }
    if (stall.wall > greatest.wall) greatest = stall
    if (stall.ran > most.ran) most = stall
    ;[last, before] = [now, after]
  }
  const timer = setInterval(look, 1)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const leaving = new AbortController()
  // To the first map of each: after that they are as any other.
  const begun = Array.from({ length: videos }, async () => {
    for await (const _ of model.predictVideo(path, { stride: 10, steps: 1, seed: 1, priority: 'low', signal: leaving.signal })) break
  })
  const start = performance.now()
  await model.predict(clip, { steps: 1, priority: 'high' })
  const quick = performance.now() - start
  await Promise.all(begun)
  clearInterval(timer)
  delay.disable()
  return { greatest, most, monitored: delay.max / 1e6, quick }
}

const words = ({ wall, ran, waited }: Stall): string =>
  `${wall.toFixed(0)} ms (ran ${ran.toFixed(0)}, waited for a processor ${waited.toFixed(0)}, slept ${Math.max(0, wall - ran - waited).toFixed(0)})`

const model = await DiffSal.load(undefined, { threads })
console.log(`${videos} videos at once, ${describeMachine('cpu', threads)}`)
for (let i = 0; i < runs; i++) {
  const { greatest, most, monitored, quick } = await run(model)
  console.log(
    `greatest stall ${words(greatest)}; the one that ran longest ${words(most)}; monitorEventLoopDelay ${monitored.toFixed(0)} ms; the quick predict ${quick.toFixed(0)} ms`,
  )
}
await model.dispose()
