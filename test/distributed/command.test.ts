import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { StepEvent, TrainingEvent } from '../../lib/index.ts'
import { hasGloo } from '../support/has-gloo.ts'
import { packageFolder } from '../support/run-program.ts'
import { temporaryPath } from '../support/temporary.ts'
import { trainingConfig } from '../support/training.ts'

const patience = 300_000
let runs = 0

function makeRun(config: object): { file: string; run: string } {
  const folder = temporaryPath(`run-${runs++}`)
  mkdirSync(folder)
  const scenes = { dataset: 'scenes', shapes: [2, 3] }
  const tiny = {
    model: trainingConfig,
    seed: 4,
    threads: 1,
    train: [{ ...scenes, length: 12 }],
    epochs: 2,
    batch: 4,
    pictures: 0,
    sampling: { steps: 1 },
    output: 'run',
  }
  const file = join(folder, 'tiny.json')
  writeFileSync(file, JSON.stringify({ ...tiny, validate: [{ ...scenes, split: 'validation', length: 3 }], ...config }))
  return { file, run: join(folder, 'run') }
}

/** Runs the command; `onStderr` gets all that was said so far, and may end it. */
function train(
  args: readonly string[],
  onStderr: (text: string, interrupt: () => void) => void = () => undefined,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(packageFolder(), 'dist/cli/main.js'), 'train', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: patience,
    killSignal: 'SIGKILL',
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    onStderr(stderr, () => child.kill('SIGINT'))
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

const logOf = (run: string) =>
  readFileSync(join(run, 'log.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TrainingEvent)
const losses = (run: string) =>
  logOf(run)
    .filter((event): event is StepEvent => event.type === 'step')
    .map(({ step, samples, loss }) => ({ step, samples, loss }))

describe.skipIf(!hasGloo)('diffsal train --processes', () => {
  it(
    'trains as one process does, shows it once, and writes one run',
    async () => {
      const [single, double] = [makeRun({}), makeRun({})]
      const one = await train([single.file])
      expect(one).toMatchObject({ code: 0 })
      const two = await train([double.file, '--processes', '2'])
      expect({ code: two.code, stderr: two.stderr }).toMatchObject({ code: 0 })
      expect(two.stdout.match(/^Trained 2 epochs, 6 steps/gm)).toEqual(['Trained 2 epochs, 6 steps'])
      expect(two.stderr.match(/^Epoch 1\/2: /gm)).toHaveLength(1)
      expect(two.stderr).not.toContain('rank 1:')
      expect(readdirSync(double.run).sort()).toEqual(readdirSync(single.run).sort())
      const [now, then] = [losses(double.run), losses(single.run)]
      expect(now.map(({ step, samples }) => [step, samples])).toEqual(then.map(({ step, samples }) => [step, samples]))
      for (const [i, { loss }] of then.entries()) expect(Math.abs(now[i]!.loss / loss - 1)).toBeLessThan(1e-5)
    },
    patience,
  )

  it(
    'is interrupted with one checkpoint, and goes on',
    async () => {
      const { file, run } = makeRun({ epochs: 400, validate: [] })
      let asked = false
      const { code, stderr } = await train([file, '--processes', '2'], (text, interrupt) => {
        if (asked || !/^Epoch 1\/400/m.test(text)) return
        asked = true
        interrupt()
      })
      expect(stderr).toMatch(/diffsal: Interrupted after step \d+\. Go on with: .*--processes 2 --resume$/m)
      expect(code).toBe(130)
      const { step } = losses(run).at(-1)!
      expect(logOf(run).filter((event) => event.type === 'checkpoint' && event.step === step)).toHaveLength(1)
      // Fewer epochs: the rest is soon done.
      const config = JSON.parse(readFileSync(file, 'utf8')) as object
      writeFileSync(file, JSON.stringify({ ...config, epochs: Math.ceil((step + 1) / 3) }))
      const again = await train([file, '--processes', '2', '--resume'])
      expect({ code: again.code, stderr: again.stderr }).toMatchObject({ code: 0 })
      expect(losses(run).map((event) => event.step)).toEqual(Array.from({ length: 3 * Math.ceil((step + 1) / 3) }, (_, i) => i + 1))
    },
    patience,
  )

  it(
    'refuses a batch that the processes cannot share',
    async () => {
      const { file } = makeRun({})
      const { code, stderr } = await train([file, '--processes', '3'])
      expect(code).toBe(2)
      expect(stderr).toMatch(/'batch' must be a multiple of the 3 processes that share it, but 4 came/)
    },
    patience,
  )
})
