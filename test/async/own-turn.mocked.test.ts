import * as processes from 'node:child_process'
import { expect, it, vi } from 'vitest'
import { ownTurn } from '../../lib/async/own-turn.ts'
import { probe } from '../../lib/media/probe.ts'
import { predictVideo } from '../../lib/predict-video.ts'
import { FakeModel } from '../support/fake-model.ts'

vi.mock('node:child_process', async (original) => {
  const real = await original<typeof processes>()
  return { ...real, spawn: vi.fn(real.spawn) }
})

/** The number of the event loop's turn, as long as it is asked for. */
function countTurns() {
  let [turn, on] = [0, true]
  const next = () => void (on && setImmediate(() => (turn++, next())))
  next()
  return { now: () => turn, stop: () => void (on = false) }
}

it('no two pieces of work have the same turn, and timers go on between', async () => {
  const turns = countTurns()
  const seen: number[] = []
  const timed: number[] = []
  const timer = setInterval(() => timed.push(seen.length))
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      await ownTurn()
      seen.push(turns.now())
      // As long as a process takes to start.
      const begin = performance.now()
      while (performance.now() - begin < 5);
    }),
  )
  clearInterval(timer)
  turns.stop()
  expect(new Set(seen).size).toBe(6)
  // Each had gone on long enough for a timer of a millisecond to be due.
  expect(new Set(timed).size).toBeGreaterThanOrEqual(5)
})

it('six videos that are begun at once start their ffmpegs in turns of their own', async () => {
  // The first file of a process also finds ffmpeg.
  await probe('examples/scene.mp4')
  const turns = countTurns()
  const { spawn } = await vi.importActual<typeof processes>('node:child_process')
  const seen: number[] = []
  vi.mocked(processes.spawn).mockImplementation(((...args: Parameters<typeof spawn>) => {
    seen.push(turns.now())
    return spawn(...args)
  }) as typeof spawn)
  const model = new FakeModel()
  model.remembers = false
  const videos = Array.from({ length: 6 }, () => predictVideo(model, 'examples/scene.mp4', { stride: 50, steps: 1 }))
  const first = await Promise.all(videos.map(async (video) => (await video.next()).value))
  turns.stop()
  expect(first.map((map) => map && 'frame' in map && map.frame)).toEqual([0, 0, 0, 0, 0, 0])
  // Each is looked at, then read: picture and sound.
  expect(seen).toHaveLength(18)
  expect(new Set(seen).size).toBe(18)
  await Promise.all(videos.map((video) => video.return()))
})
