import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { packageRoot } from '../../lib/files/package-root.ts'
import { blobs } from './blobs.ts'
import { copyPackage } from './package-copy.ts'
import { temporaryPath } from './temporary.ts'
import { trainingConfig, trainingRun } from './training.ts'

const folder = temporaryPath('package')
const checkpoints = join(folder, 'checkpoints')
const [samples, steps] = [7, 12]

/**
 * Fits to the end, from the newest checkpoint where there is one. Prints a line of JSON for each event. The data are read by name, and
 * after a while, as from a disk.
 */
const program = `
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { DiffSal } from './dist/index.js'
const { config, run, options, samples, truths } = JSON.parse(readFileSync('data.json', 'utf8'), (key, value) =>
  typeof value?.base64 === 'string' ? new globalThis[value.type](Uint8Array.from(Buffer.from(value.base64, 'base64')).buffer) : value)
const dataset = {
  length: samples.length,
  async get(index) {
    await setTimeout((index * 7) % 5)
    return samples[index]
  },
  truth: (video, frame) => truths[frame],
}
const started = existsSync('checkpoints') && readdirSync('checkpoints').some((name) => /^step-.*safetensors$/.test(name))
const trainer = started ? await DiffSal.resume('checkpoints', { threads: 1 }) : (await DiffSal.create(config, run)).trainer(options)
console.log('ready')
const plan = { epochs: 3, batch: 2, every: 1, keep: 2, checkpointDir: 'checkpoints', validate: { dataset, steps: 1, limit: 2 } }
for await (const event of trainer.fit(dataset, plan)) console.log(JSON.stringify(event))
console.log('end')
`

beforeAll(async () => {
  copyPackage(folder)
  symlinkSync(join(packageRoot(), 'build'), join(folder, 'build'))
  writeFileSync(join(folder, 'train.mjs'), program)
  const dataset = blobs(samples)
  const all = await Promise.all(Array.from({ length: samples }, (_, index) => dataset.get(index)))
  const truths = await Promise.all(all.map((sample) => dataset.truth(sample!.video, sample!.frame)))
  const options = { lr: 1e-3, seed: 9, ema: 0.9, schedule: { kind: 'cosine', total: steps } }
  const text = JSON.stringify({ config: trainingConfig, run: trainingRun, options, samples: all, truths }, (_, value: unknown) =>
    ArrayBuffer.isView(value) ? { type: value.constructor.name, base64: Buffer.from(value.buffer).toString('base64') } : value,
  )
  writeFileSync(join(folder, 'data.json'), text)
})

/** What of an event does not depend on the clock. Numbers are as they were printed: all their digits. */
function timeless(line: string): object {
  const { seconds: _, waited: __, rate: ___, remaining: ____, ...event } = JSON.parse(line) as Record<string, unknown>
  return event
}

/** Runs the program, and kills it so many milliseconds after it is ready. Its events, and whether it came to the end. */
async function train(killAfter?: number): Promise<{ events: object[]; ended: boolean }> {
  const child = spawn(process.execPath, ['train.mjs'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    if (output === '' && killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter)
    output += chunk.toString()
  })
  await new Promise((resolve) => child.on('close', resolve))
  const lines = output.split('\n').slice(0, -1)
  return { events: lines.filter((line) => line.startsWith('{')).map(timeless), ended: lines.includes('end') }
}

const files = () => (existsSync(checkpoints) ? readdirSync(checkpoints).toSorted() : [])
const contents = () => files().map((name) => readFileSync(join(checkpoints, name)))
const last = [`step-000000${steps - 1}.safetensors`, `step-000000${steps}.safetensors`]

/** Tests that a fit which is killed so many times, at any point, goes on as if it had not been. */
export const checkKills = (most: number) =>
  it(`a fit killed ${most} times, at any point, goes on as if it had not been`, async () => {
    const begin = performance.now()
    const { events: expected, ended } = await train()
    expect([expected.filter((event) => 'loss' in event && 'lr' in event).length, ended]).toEqual([steps, true])
    const whole = performance.now() - begin
    expect(files()).toEqual(['best.safetensors', ...last])
    const finished = contents()
    rmSync(checkpoints, { recursive: true })

    /** The runs of one training so far, together: the events that the next may repeat begin at its first one. */
    let told = 0
    const check = (events: object[]) => {
      const [first] = events
      if (first === undefined) return
      const from = expected.findIndex((event) => JSON.stringify(event) === JSON.stringify(first))
      expect(expected.slice(from, from + events.length)).toEqual(events)
      // Nothing is left out between two runs, but for the word of a checkpoint that was just written.
      expect(from).toBeGreaterThanOrEqual(0)
      if (from === told + 1) expect(expected[told]).toMatchObject({ type: 'checkpoint', best: false })
      else expect(from).toBeLessThanOrEqual(told)
      told = Math.max(told, from + events.length)
    }
    let kills = 0
    for (let round = 0; kills < most; round++) {
      const { events, ended } = await train(Math.random() * Math.min(1200, whole))
      check(events)
      if (!ended) kills++
      else {
        expect(files()).toEqual(['best.safetensors', ...last])
        expect(contents().every((bytes, i) => bytes.equals(finished[i]!))).toBe(true)
        rmSync(checkpoints, { recursive: true })
        told = 0
      }
      expect(round).toBeLessThan(3 * most)
    }
    check((await train()).events)
    expect(told).toBe(expected.length)
    expect(files()).toEqual(['best.safetensors', ...last])
    expect(contents().every((bytes, i) => bytes.equals(finished[i]!))).toBe(true)
    console.log(`killed ${kills} times, in ${((performance.now() - begin) / 1000).toFixed(0)} s`)
  })
