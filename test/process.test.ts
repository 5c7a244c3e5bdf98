import { randomUUID } from 'node:crypto'
import { cpSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readHeader } from '../lib/checkpoint/safetensors.ts'
import { copyPackage } from './support/package-copy.ts'
import { processesMarked } from './support/processes.ts'
import { atOnce, expectEnd, packageFolder, runProgram } from './support/run-program.ts'
import { temporaryPath } from './support/temporary.ts'

const other = () => temporaryPath('other-package')

describe('a process', () => {
  it('is not kept alive by a model that nothing is asked of', async () => {
    const ended = await runProgram('idle.mjs')
    expectEnd(ended, 0)
    expect(ended.stdout).toBe('idle\n')
    expect(ended.after).toBeLessThan(10_000)
  })

  it('is kept alive by whatever is pending', async () => {
    const ended = await runProgram('pending.mjs', [temporaryPath('pending.safetensors')])
    expectEnd(ended, 0)
    expect(ended.stdout).toBe('1 1 64 96\ndisposed\n')
  })

  // Several times, two at once: what may go wrong is a race with libtorch's own end.
  it.each([
    ['a timer', 'timer', 4],
    ['onProgress', 'progress', 2],
    ["a signal's handler", 'signal', 2],
  ])('ends at once with process.exit() in the middle of a prediction, called by %s', async (_, how, times) => {
    for (let i = 0; i < times; i += 2) {
      for (const ended of await Promise.all([runProgram('exit.mjs', [how]), runProgram('exit.mjs', [how])])) {
        expectEnd(ended, 7)
        expect(ended.stdout).toBe('now\n')
        expect(ended.after).toBeLessThan(atOnce)
      }
    }
  })

  it.each(['train', 'step', 'encode', 'load', 'video'])('ends at once with process.exit() in the middle of: %s', async (what) => {
    const mark = randomUUID()
    const path = what === 'video' ? resolve('examples/speaker.mp4') : temporaryPath('exit.safetensors')
    const ended = await runProgram('exit.mjs', [what, path], { env: { MARK: mark } })
    expectEnd(ended, 7)
    expect(ended.stdout).toBe('now\n')
    expect(ended.after).toBeLessThan(atOnce)
    // Nor does the ffmpeg that it read a video with live on.
    await expect.poll(() => processesMarked(mark), { timeout: 10_000 }).toEqual([])
  })

  it.each([
    ['with one addon', () => symlinkSync(join(packageFolder(), 'build'), join(other(), 'build'))],
    ['with an addon each', () => cpSync(join(packageFolder(), 'build/Release'), join(other(), 'build/Release'), { recursive: true, dereference: true })],
  ])('may have the package twice, %s: both predict the same', async (_, addBuild) => {
    rmSync(other(), { recursive: true, force: true })
    copyPackage(other())
    addBuild()
    const ended = await runProgram('twice.mjs', [join(other(), 'dist/index.js')])
    expectEnd(ended, 0)
    const { maps, foreign } = JSON.parse(ended.stdout) as { maps: string[]; foreign: string }
    expect(Buffer.from(maps[0]!, 'base64')).toHaveLength(4 * 64 * 96)
    expect(new Set(maps).size).toBe(1)
    expect(foreign).toBe('ERR_DIFFSAL_INVALID_ARGUMENT')
  })

  it('ends with what nobody catches in the middle of a prediction', async () => {
    for (const ended of await Promise.all([runProgram('exit.mjs', ['throw']), runProgram('exit.mjs', ['throw'])])) {
      expect(ended).toMatchObject({ code: 1, signal: null })
      expect(ended.stderr).toContain('nobody caught this')
    }
  })

  it('that ends in the middle of a save leaves the old file, or the new one, and nothing else', async () => {
    const folder = temporaryPath('saved')
    await mkdir(folder)
    const path = join(folder, 'model.safetensors')
    expectEnd(await runProgram('exit.mjs', ['save', path]), 7)
    expect(readdirSync(folder)).toEqual(['model.safetensors'])
    expect((await readHeader(path)).tensors.size).toBeGreaterThan(100)
  })

  it('ends at once with process.exit() while a long sound is analysed', async () => {
    const ended = await runProgram('exit.mjs', ['sound'])
    expectEnd(ended, 7)
    expect(ended.after).toBeLessThan(atOnce)
  })

  it('hears of no rejection from calls that were aborted', async () => {
    const path = temporaryPath('aborts.safetensors')
    const ended = await runProgram('aborts.mjs', [path])
    expectEnd(ended, 0)
    const { unhandled, reasons, last, missing } = JSON.parse(ended.stdout) as {
      unhandled: string[]
      reasons: Record<string, string[]>
      last: string
      missing: string
    }
    expect(unhandled).toEqual([])
    expect(reasons.predict).toEqual(Array(6).fill('enough'))
    expect(reasons.waiting).toEqual(Array(6).fill('enough'))
    expect(reasons.callback).toEqual(['thrown', 'thrown'])
    for (const ends of Object.values(reasons)) for (const end of ends) expect(['enough', 'fulfilled', 'thrown']).toContain(end)
    expect([last, missing]).toEqual(['enough', 'ERR_DIFFSAL_FILE'])
    expect(readdirSync(join(path, '..')).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

describe('CommonJS', () => {
  it('may require the package', async () => {
    const ended = await runProgram('require.cjs', [], { env: { NODE_NO_WARNINGS: '1' } })
    expectEnd(ended, 0)
    expect(JSON.parse(ended.stdout)).toEqual({ device: 'cpu', ours: true, code: 'ERR_DIFFSAL_INVALID_ARGUMENT' })
  })
})
