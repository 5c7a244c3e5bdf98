import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { DiffSal } from '../../lib/index.ts'
import { trainingConfig, trainingRun } from '../support/training.ts'
import { installExample, userFolder } from '../support/user-folder.ts'

test('find-learning-rate raises the rate until the loss rises, and tells where it fell fastest', async () => {
  expect(readFileSync('examples/find-learning-rate.ts', 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(40)
  const folder = userFolder('finder')
  await using model = await DiffSal.create(trainingConfig, trainingRun)
  await model.save(join(folder, 'small.safetensors'))
  const program = installExample(folder, 'find-learning-rate.ts')
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, 'small.safetensors'], { cwd: folder, timeout: 240_000 })
  expect(stderr).toBe('')
  const lines = stdout.trim().split('\n')
  const points = lines.slice(0, -1).map((line) => /^(\S+): loss (\S+)$/.exec(line)!.slice(1).map(Number) as [number, number])
  // Five steps of a fifth more each.
  for (const [i, [rate]] of points.entries()) expect(rate / (1e-6 * 1.2 ** (5 * i))).toBeCloseTo(1, 1)
  const [, steps, found] = /^after (\d+) steps: the loss falls fastest at a learning rate of (\S+)$/.exec(lines.at(-1)!)!.map(Number)
  expect(points).toHaveLength(Math.ceil(steps! / 5))
  const [rates, losses] = [points.map(([rate]) => rate), points.map(([, loss]) => loss)]
  expect(found).toBeGreaterThan(1e-5)
  expect(found).toBeLessThan(rates.at(-1)! * 1.2 ** 5)
  expect(Math.min(...losses)).toBeLessThan(losses[0]!)
}, 300_000)
