import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { showMapProgress } from '../../../lib/cli/terminal/map-progress.ts'
import { durationText } from '../../../lib/report/duration.ts'

/** A stream that keeps what is written to it. */
function capture(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const stream = new PassThrough()
  let text = ''
  stream.on('data', (data: Buffer) => (text += data.toString()))
  return { stream: Object.assign(stream, { isTTY, columns: 120 }) as unknown as NodeJS.WriteStream, text: () => text }
}

test('a terminal gets a bar with the maps, the step, the speed and the time left', async () => {
  const { stream, text } = capture(true)
  const progress = showMapProgress(4, stream)
  progress.step({ maps: 0, mapEstimate: 4, step: 1, steps: 4 })
  await new Promise((resolve) => setTimeout(resolve, 150))
  progress.maps(1)
  progress.line('a warning')
  progress.step({ maps: 1, mapEstimate: 4, step: 2, steps: 4 })
  progress.stop()
  expect(text()).toMatch(/Predicting \[.*\] 0\/4 maps/)
  expect(text()).toMatch(/1\/4 maps, step 2\/4, [\d.]+ maps\/s, \d+ s left/)
  expect(text()).toContain('a warning\n')
})

test('a log gets a line every twentieth', () => {
  const { stream, text } = capture(false)
  const progress = showMapProgress(60, stream)
  for (let maps = 1; maps <= 60; maps++) progress.maps(maps)
  progress.stop()
  const lines = text().trimEnd().split('\n')
  expect(lines).toHaveLength(20)
  expect(lines[0]).toMatch(/^3 of about 60 maps, \S+ maps\/s, \d+ s left$/)
})

test('without an estimate there are lines even on a terminal, and no time left', () => {
  const { stream, text } = capture(true)
  const progress = showMapProgress(undefined, stream)
  for (let maps = 1; maps <= 20; maps++) progress.maps(maps)
  progress.stop()
  expect(text()).toMatch(/^10 maps, \S+ maps\/s\n20 maps, \S+ maps\/s\n$/)
})

test.each([
  [0.4, '0 s'],
  [59.4, '59 s'],
  [166, '2 min 46 s'],
  [3_725, '1 h 2 min'],
])('%d seconds are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text)
})
