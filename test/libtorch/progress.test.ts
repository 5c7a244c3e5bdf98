import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { showProgress } from '../../lib/libtorch/progress.ts'

function stream(isTTY: boolean): { target: NodeJS.WriteStream; text: () => string } {
  const target = Object.assign(new PassThrough(), { isTTY, columns: 80 })
  return { target: target as unknown as NodeJS.WriteStream, text: () => String(target.read() ?? '') }
}

test('without a terminal: a line every ten per cent, again for each phase', () => {
  const { target, text } = stream(false)
  const { onProgress, log, stop } = showProgress(target)
  log('fetching')
  for (let done = 0; done <= 1000; done += 10) onProgress({ phase: 'download', done: done * 1e6, total: 1e9 })
  for (const done of [0, 4e6, 5e6, 10e6]) onProgress({ phase: 'unpack', done, total: 10e6 })
  onProgress({ phase: 'download', done: 5e6 })
  stop()
  const tenths = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100].map((percent) => `Fetching libtorch: ${percent} % of 1000 MB\n`)
  const unpacking = [40, 50, 100].map((percent) => `Unpacking libtorch: ${percent} % of 10 MB\n`)
  expect(text()).toBe(`fetching\n${tenths.join('')}${unpacking.join('')}`)
})

test('on a terminal: a bar that signals go past and that stop() clears', () => {
  const listeners = process.listenerCount('SIGINT')
  const { target, text } = stream(true)
  const { onProgress, log, stop } = showProgress(target)
  onProgress({ phase: 'download', done: 0, total: 192e6 })
  expect(text()).toMatch(/Fetching libtorch \[-+\] 0\/192 MB/)
  log('a line')
  expect(text()).toMatch(/a line\n$/)
  onProgress({ phase: 'unpack', done: 0 })
  expect(text()).toMatch(/Unpacking libtorch \[-+\] 0 MB/)
  expect(process.listenerCount('SIGINT')).toBe(listeners)
  stop()
  stop()
})
