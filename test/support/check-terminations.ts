import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { presets } from '../../lib/index.ts'
import { processesMarked } from './processes.ts'
import { expectEnd, runProgram } from './run-program.ts'

/** Tests that whatever a thread is at when it is ended, the process and the other threads' models go on. As often as is told, for what may go wrong is a race. */
export function checkTerminations(rounds: Readonly<Record<string, number>>): void {
  it.each(Object.entries(rounds))('may be terminated in the middle of %s', async (what, rounds) => {
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
}
