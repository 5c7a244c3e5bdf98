import { spawn } from 'node:child_process'
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { packageRoot } from '../../lib/addon.ts'
import { copyPackage } from '../support/package-copy.ts'
import { temporaryPath } from '../support/temporary.ts'
import { trainingBatch, trainingConfig, trainingRun } from '../support/training.ts'

const folder = temporaryPath('package')
const checkpoint = temporaryPath('checkpoint.safetensors')
const steps = 12
const batches = 4

/** Trains to the end, from the checkpoint where there is one, saving after every step; a line of JSON for each step that is saved. */
const program = `
import { existsSync, readFileSync } from 'node:fs'
import { DiffSal, Trainer } from './dist/index.js'
const [checkpoint, data] = process.argv.slice(2)
const { config, run, options, steps, batches } = JSON.parse(readFileSync(data, 'utf8'), (key, value) =>
  key === 'data' ? Float32Array.from(value) : value)
const trainer = existsSync(checkpoint) ? await Trainer.resume(checkpoint, { threads: 1 }) : (await DiffSal.create(config, run)).trainer(options)
console.log('ready')
while (trainer.steps < steps) {
  const done = await trainer.step(batches[trainer.steps % batches.length])
  console.log(JSON.stringify(done))
  await trainer.save(checkpoint)
}
console.log('end')
`

beforeAll(() => {
  copyPackage(folder)
  symlinkSync(join(packageRoot(), 'build'), join(folder, 'build'))
  writeFileSync(join(folder, 'train.mjs'), program)
  const data = Array.from({ length: batches }, (_, number) => trainingBatch(2, number))
  const options = { lr: 1e-3, seed: 9, ema: 0.9, schedule: { kind: 'cosine', total: steps } }
  const text = JSON.stringify({ config: trainingConfig, run: trainingRun, options, steps, batches: data }, (key, value: unknown) =>
    key === 'data' ? Array.from(value as Float32Array) : value,
  )
  writeFileSync(join(folder, 'data.json'), text)
})

/** Runs the program, and kills it so many milliseconds after it is ready. The steps that it did, and whether it came to the end. */
async function train(killAfter?: number): Promise<{ done: { step: number }[]; ended: boolean }> {
  const child = spawn(process.execPath, ['train.mjs', checkpoint, 'data.json'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    if (output === '' && killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter)
    output += chunk.toString()
  })
  await new Promise((resolve) => child.on('close', resolve))
  const lines = output.split('\n').slice(0, -1)
  return { done: lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { step: number }), ended: lines.includes('end') }
}

it('a run killed at any point goes on as if it had not been', async () => {
  const { done: expected, ended } = await train()
  expect([expected.length, ended]).toEqual([steps, true])
  const weights = readFileSync(checkpoint)
  rmSync(checkpoint)

  let kills = 0
  for (let round = 0; kills < 20; round++) {
    const { done, ended } = await train(Math.random() * 1500)
    // Every step it did, the same ones again after a kill before they were saved, is the unbroken run's.
    for (const step of done) expect(step).toEqual(expected[step.step - 1])
    if (!ended) kills++
    else {
      expect(readFileSync(checkpoint).equals(weights)).toBe(true)
      rmSync(checkpoint)
    }
    expect(round).toBeLessThan(60)
  }
  await train()
  expect(readFileSync(checkpoint).equals(weights)).toBe(true)
  console.log(`killed ${kills} times`)
})
