import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import * as fs from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { RunLog } from '../../lib/run/log.ts'
import type { TrainingEvent } from '../../lib/training/events.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>()
  return { ...real, writeSync: vi.fn(real.writeSync) }
})
const { writeSync: realWrite } = await vi.importActual<typeof fs>('node:fs')
afterEach(() => void vi.mocked(fs.writeSync).mockImplementation(realWrite))

const step = (number: number): TrainingEvent => ({
  ...{ type: 'step', step: number, epoch: 0, loss: 100 / number, gradNorm: 1, lr: 1e-4, samples: 2, seconds: 0.5 },
  ...{ waited: 0, rate: 4, remaining: 10 },
})
const scores = { cc: 0.5, sim: 0.4, nss: 2, aucJudd: 0.8, kl: Number.NaN }
const validation: TrainingEvent = {
  ...{ type: 'validation', step: 2, epoch: 0, best: true, seconds: 1 },
  scores: { mean: scores, videos: { 'AVAD/V1': scores }, frames: 3, undefinedCount: { cc: 0, sim: 0, nss: 0, aucJudd: 0, kl: 3 } },
}
const epoch: TrainingEvent = { type: 'epoch', epoch: 0, steps: 2, loss: 75, seconds: 1 }
const checkpoint: TrainingEvent = { type: 'checkpoint', step: 2, path: 'step-00000002.safetensors', best: false }

let logs = 0
const newPath = (): string => temporaryPath(`log-${logs++}.jsonl`)

async function written(path: string, ...events: TrainingEvent[]): Promise<void> {
  const log = await RunLog.open(path, 0)
  for (const event of events) log.append(event)
  log.close()
}

test('an event a line, read as it was written, undefined scores too', async () => {
  const path = newPath()
  await written(path, step(1), step(2), checkpoint, epoch, validation, { ...checkpoint, best: true })
  const lines = readFileSync(path, 'utf8').split('\n')
  expect(lines).toHaveLength(7)
  expect(JSON.parse(lines[1]!)).toEqual(step(2))
  const log = await RunLog.open(path, 2)
  expect(log.events).toEqual([step(1), step(2), checkpoint, epoch, validation, { ...checkpoint, best: true }])
  log.close()
})

test('a line is in the file as soon as it is appended', async () => {
  const path = newPath()
  const log = await RunLog.open(path, 0)
  log.append(step(1))
  expect(readFileSync(path, 'utf8')).toBe(`${JSON.stringify(step(1))}\n`)
  log.close()
})

test('what came after the checkpoint is cut off, and what comes again is there once', async () => {
  const path = newPath()
  await written(path, step(1), step(2), checkpoint, epoch, step(3), step(4))
  const log = await RunLog.open(path, 2)
  expect(log.events).toEqual([step(1), step(2), checkpoint, epoch])
  expect([epoch, validation, step(3)].map((event) => log.append(event))).toEqual([false, true, true])
  log.close()
  const types = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as TrainingEvent).type)
  expect(types).toEqual(['step', 'step', 'checkpoint', 'epoch', 'validation', 'step'])
})

test('a last line that is not whole is left out; another one is refused by number', async () => {
  const path = newPath()
  await written(path, step(1), step(2))
  appendFileSync(path, '{"type":"step","st')
  const log = await RunLog.open(path, 9)
  log.append(step(3))
  log.close()
  expect(
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as TrainingEvent),
  ).toEqual([step(1), step(2), step(3)])
  for (const text of ['{"type":"step","st\n{}\n', '[]\n', '{"type":"other","step":1}\n']) {
    writeFileSync(path, text)
    await expectDiffSalError(() => RunLog.open(path, 9), 'ERR_DIFFSAL_FILE', /its line 1 is not an event/)
    expect(readFileSync(path, 'utf8')).toBe(text)
  }
})

test('a full disk leaves the log as it was before the event', async () => {
  const path = newPath()
  const log = await RunLog.open(path, 0)
  log.append(step(1))
  const before = readFileSync(path, 'utf8')
  vi.mocked(fs.writeSync).mockImplementationOnce(((file: number, bytes: Uint8Array) => realWrite(file, bytes, 0, 5)) as typeof realWrite)
  vi.mocked(fs.writeSync).mockImplementationOnce(() => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  })
  await expectDiffSalError(() => log.append(step(2)), 'ERR_DIFFSAL_NO_SPACE', /disk is full.*log-/)
  expect(readFileSync(path, 'utf8')).toBe(before)
  expect(log.append(step(2))).toBe(true)
  log.close()
})
