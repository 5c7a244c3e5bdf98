import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runCli } from '../../../lib/cli/program.ts'
import { countParameters, DiffSal } from '../../../lib/index.ts'
import { networkCase } from '../../support/fixtures.ts'
import { rewriteWeights, zeros } from '../../support/rewrite-weights.ts'
import { temporaryPath } from '../../support/temporary.ts'
import { lightConfig } from '../../support/tiny-config.ts'

let printed: string[]
let said: string
beforeEach(() => {
  printed = []
  said = ''
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((said += String(text)), true))
})
afterEach(() => void vi.restoreAllMocks())

const run = (...words: string[]) => runCli(['node', 'diffsal', ...words])

async function saved(): Promise<string> {
  const path = temporaryPath('light.safetensors')
  await using model = await DiffSal.create(lightConfig, { seed: 4 })
  await model.save(path)
  return path
}

describe('countParameters', () => {
  it.each([
    ['paper-av', {}],
    ['paper-video', { audio: false }],
    ['paper-audio', { video: false }],
    ['released-av', { dialect: 'released' }],
    ['paper-none', { attention: 'none' }],
    ['paper-sca', { attention: 'sca' }],
    ['paper-concatenation', { interaction: 'concatenation' }],
  ] as const)('counts %s as the reference does, and makes no network', (name, config) => {
    countParameters(lightConfig) // libtorch is loaded by now
    const before = process.memoryUsage().rss
    expect(countParameters(config).total).toBe(networkCase(name).parameters)
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6)
  })
})

describe('diffsal inspect', () => {
  it('prints the configuration, the counts and the tensors of a file', async () => {
    expect(await run('inspect', await saved())).toBe(0)
    const text = printed.join('\n')
    const { total } = countParameters(lightConfig)
    expect(text).toContain(`Parameters of its network: ${(total / 1e6).toFixed(2)} M`)
    expect(text).toContain('"embedDim": 8')
    expect(text).toContain('F32  visual_net.cls_token [1, 1, 8]')
  })

  it('prints JSON', async () => {
    expect(await run('inspect', await saved(), '--json')).toBe(0)
    const report = JSON.parse(printed.join('')) as { format: string; parameters: unknown; tensors: unknown[] }
    expect(report.format).toBe('safetensors')
    expect(report.parameters).toEqual(countParameters(lightConfig))
    expect(report.tensors.length).toBeGreaterThan(100)
  })

  it("prints the counts of the paper's variants without a file", async () => {
    expect(await run('inspect')).toBe(0)
    expect(printed[0]).toMatch(/^paper .*76\.91 M$/m)
    expect(printed[0]).toMatch(/^attention sca .*76\.78 M$/m)
    expect(printed[0]).toMatch(/^released, video only .*71\.42 M$/m)
  })

  it('spells what a terminal would obey in names', async () => {
    const path = await rewriteWeights(await saved(), (tensors) => tensors.set('ema.\u001b[2J\u202e', zeros('F32', [1])))
    expect(await run('inspect', path)).toBe(0)
    expect(printed.join('\n')).toContain('ema.\\u{1b}[2J\\u{202e}')
    expect(await run('inspect', 'none\u001b[2J')).toBe(4)
    expect(said).toContain("'none\\u{1b}[2J'")
    expect(printed.join('\n') + said).not.toMatch(/[^\n\P{Cc}]|\p{Bidi_Control}/u)
  })

  it('has an exit code for what is no weights file', async () => {
    const path = temporaryPath('no.pth')
    writeFileSync(path, 'nothing')
    expect(await run('inspect', path)).toBe(4)
    expect(said).toContain(path)
  })
})

describe('diffsal convert', () => {
  it('writes what loads to the same maps', async () => {
    const output = temporaryPath('converted.safetensors')
    const input = await saved()
    expect(await run('convert', input, output)).toBe(0)
    await using before = await DiffSal.load(input)
    await using after = await DiffSal.load(output)
    expect(after.config).toEqual(before.config)
    const clip = { frames: { dtype: 'uint8' as const, shape: [16, 64, 96, 3], data: new Uint8Array(16 * 64 * 96 * 3).fill(99) }, audio: null }
    expect((await after.predict(clip, { seed: 1, steps: 1 })).data).toEqual((await before.predict(clip, { seed: 1, steps: 1 })).data)
  })

  it('refuses another ending', async () => {
    expect(await run('convert', await saved(), temporaryPath('out.pth'))).toBe(2)
    expect(said).toContain('.safetensors')
  })
})
