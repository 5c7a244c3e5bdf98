import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'

afterAll(() => rmSync(join(tmpdir(), 'diffsal-example.safetensors'), { force: true }))

it('the example learns, and goes on from its checkpoint', async () => {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  await import('../../examples/train.ts')
  vi.restoreAllMocks()
  const losses = lines.map((line) => Number(/loss ([\d.]+)/.exec(line)![1]))
  expect(losses).toHaveLength(7)
  expect(Math.max(...losses.slice(-3))).toBeLessThan(0.9 * losses[0]!)
  expect(lines.at(-1)).toMatch(/^resumed after step 60/)
})
