import { describe, expect, it } from 'vitest'
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
  ])('may be terminated in the middle of %s', async (what, rounds) => {
    const ended = await runProgram('threads.mjs', [what, String(rounds)])
    expectEnd(ended, 0)
    const { ended: codes, maps } = JSON.parse(ended.stdout) as { ended: number[]; maps: string[] }
    expect(codes).toEqual(Array(rounds).fill(1))
    expect(Buffer.from(maps[0]!, 'base64')).toHaveLength(4 * 64 * 96)
  })

  it('do not delay process.exit() of the main thread', async () => {
    const ended = await runProgram('threads.mjs', ['exit'])
    expectEnd(ended, 7)
    expect(ended.after).toBeLessThan(5000)
  })
})
