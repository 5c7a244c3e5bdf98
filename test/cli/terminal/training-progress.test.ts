import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { showTrainingProgress } from '../../../lib/cli/terminal/training-progress.ts'
import type { StepEvent, TrainingEvent } from '../../../lib/training/events.ts'

/** A stream that keeps what is written to it. */
function capture(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const stream = new PassThrough()
  let text = ''
  stream.on('data', (data: Buffer) => (text += data.toString()))
  return { stream: Object.assign(stream, { isTTY, columns: 160 }) as unknown as NodeJS.WriteStream, text: () => text }
}

const step = (number: number): StepEvent => ({
  ...{ type: 'step', step: number, epoch: 0, loss: 812.34, gradNorm: 3, lr: 1e-4, samples: 4, seconds: 1.3 },
  ...{ waited: 0, rate: 3.14, remaining: 125 },
})
const scores = { cc: 0.5123, sim: 0.4, nss: 2.1, aucJudd: 0.88, kl: Number.NaN }
const validation: TrainingEvent = {
  ...{ type: 'validation', step: 10, epoch: 0, best: true, seconds: 2 },
  scores: { mean: scores, videos: {}, frames: 3, undefinedCount: { cc: 0, sim: 0, nss: 0, aucJudd: 0, kl: 3 } },
}
const words = 'epoch 1/2, step 1, loss 812, learning rate 1e-4, 3.1 clips/s, 2 min 5 s left'

test('a log gets the first step, then a line every ten seconds, and what happened in full', () => {
  const { stream, text } = capture(false)
  let now = 0
  const progress = showTrainingProgress({ epochs: 2, stepsPerEpoch: 10 }, stream, () => now)
  for (let number = 1; number <= 10; number++) {
    progress.event(step(number))
    now += 4000
  }
  progress.event({ type: 'checkpoint', step: 10, path: 'x', best: false })
  progress.event({ type: 'epoch', epoch: 0, steps: 10, loss: 700.56, seconds: 40 })
  progress.event(validation)
  now += 10_000
  progress.scoring('DIEM, test', 4, 9)
  now += 10_000
  progress.scoring('\u001b[2J', 1, 2)
  progress.line('two\nlines\u202e')
  progress.stop()
  const lines = text().trimEnd().split('\n')
  expect(lines[0]).toBe(words)
  expect(lines.map((line) => /step (\d+), loss/.exec(line)?.[1])).toEqual(['1', '4', '7', '10', ...Array<undefined>(6)])
  expect(lines.slice(4)).toEqual([
    'Epoch 1/2: loss 700.6 after 10 steps, 40 s.',
    'Validation after epoch 1: CC 0.512, SIM 0.400, NSS 2.100, AUC-J 0.880, KL – (the best so far).',
    'scoring DIEM, test: 4/9 samples',
    'scoring \\u{1b}[2J: 1/2 samples',
    'two',
    'lines\\u{202e}',
  ])
})

test('a terminal gets a bar, which lines that stay go before', async () => {
  const { stream, text } = capture(true)
  const progress = showTrainingProgress({ epochs: 2, stepsPerEpoch: 10 }, stream)
  progress.event(step(1))
  await new Promise((resolve) => setTimeout(resolve, 150))
  progress.event(validation)
  progress.scoring('DIEM, test', 4, 9)
  progress.stop()
  expect(text()).toMatch(/\[[^\]]{24}\] epoch 1\/2, step 1, loss 812/)
  expect(text()).toContain(`] ${words}`)
  expect(text()).toContain('Validation after epoch 1: CC 0.512')
  expect(text()).toMatch(/\[[^\]]{24}\] scoring DIEM, test: 4\/9 samples/)
  // The bar is cleared at the end.
  expect(text().endsWith('\n')).toBe(false)
})
