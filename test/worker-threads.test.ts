import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { presets } from '../lib/index.ts'
import { processesMarked } from './support/processes.ts'
import { expectEnd, runProgram } from './support/run-program.ts'

describe('worker threads', () => {
  it('have models of their own, which compute the same', async () => {
    const ended = await runProgram('threads.mjs', ['predict'])
    expectEnd(ended, 0)
    const { maps } = JSON.parse(ended.stdout) as { maps: string[] }
    expect(maps).toHaveLength(4)
    expect(new Set(maps).size).toBe(1)
  })

  // Whatever a thread is at when it is ended: the process, and the other threads' models, go on.
  it.each([
    ['sampling', 3],
    ['sounds', 8],
    ['refusals', 8],
    ['models', 6],
    ['denoising', 5],
    ['training', 4],
    ['fitting', 3],
    ['encoding', 4],
    ['loading', 6],
    ['videos', 3],
  ])('may be terminated in the middle of %s', async (what, rounds) => {
    const mark = randomUUID()
    const env = { WEIGHTS: presets.scenes.weights, VIDEO: resolve('examples/speaker.mp4'), MARK: mark }
    const ended = await runProgram('threads.mjs', [what, String(rounds)], { env })
    expectEnd(ended, 0)
    const { ended: codes, maps } = JSON.parse(ended.stdout) as { ended: number[]; maps: string[] }
    expect(codes).toEqual(Array(rounds).fill(1))
    expect(Buffer.from(maps[0]!, 'base64')).toHaveLength(4 * 64 * 96)
    // ffmpeg ends with the thread that started it.
    await expect.poll(() => processesMarked(mark), { timeout: 10_000 }).toEqual([])
  })

  // What was computed while the thread ended, 36 MB each time.
  it('leave nothing behind when they are terminated', async () => {
    const ended = await runProgram('terminated.mjs', ['slicing', '3', '15'])
    expectEnd(ended, 0)
    expect((JSON.parse(ended.stdout) as { grown: number }).grown).toBeLessThan(100e6)
  })

  it('may be many at once', async () => {
    const ended = await runProgram('threads.mjs', ['many', '8'])
    expectEnd(ended, 0)
    const { ended: codes, maps } = JSON.parse(ended.stdout) as { ended: number[]; maps: string[] }
    expect(codes).toEqual(Array(8).fill(0))
    expect(maps).toHaveLength(8)
    expect(new Set(maps).size).toBe(1)
  })

  it('do not delay process.exit() of the main thread', async () => {
    const ended = await runProgram('threads.mjs', ['exit'])
    expectEnd(ended, 7)
    expect(ended.after).toBeLessThan(5000)
  })
})
