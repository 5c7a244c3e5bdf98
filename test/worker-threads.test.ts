import { describe, expect, it } from 'vitest'
import { checkTerminations } from './support/check-terminations.ts'
import { nightly } from './support/nightly.ts'
import { atOnce, expectEnd, runProgram } from './support/run-program.ts'

describe('worker threads', () => {
  it('have models of their own, which compute the same', async () => {
    const ended = await runProgram('threads.mjs', ['predict'])
    expectEnd(ended, 0)
    const { maps } = JSON.parse(ended.stdout) as { maps: string[] }
    expect(maps).toHaveLength(4)
    expect(new Set(maps).size).toBe(1)
  })

  const seldom = { sounds: 3, refusals: 3, models: 2, denoising: 2, training: 1, encoding: 2 }
  checkTerminations({ sampling: 1, fitting: 1, loading: 2, videos: 1, ...(nightly && seldom) })

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
    expect(ended.after).toBeLessThan(atOnce)
  })
})
