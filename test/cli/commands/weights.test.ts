import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { publishedWeights } from '../../../lib/checkpoint/published-weights.ts'
import { facts } from '../../../lib/cli/commands/weights.ts'
import { inProcessCli } from '../../support/in-process-cli.ts'

const root = new URL('../../../', import.meta.url)
const page = readFileSync(new URL('docs/weights.md', root), 'utf8')

/** Text without what marks code and addresses in it. */
const bare = (text: string): string => text.replace(/[`<>]/g, '')

describe('diffsal weights', () => {
  it('prints each of the published weights with all that is known of it', async () => {
    const { code, stdout, stderr } = await inProcessCli(['weights'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const entries = stdout.trimEnd().split('\n\n').slice(1)
    expect(entries.map((entry) => entry.split('\n')[0])).toEqual(publishedWeights.map(({ title }) => title))
    expect(entries.find((entry) => entry.startsWith('VGGish'))!.split('\n')).toEqual([
      'VGGish of torchvggish',
      "  for       the audio encoder, trained on YouTube videos; Google's weights in PyTorch",
      '  file      vggish-10086976.pth',
      '  where     https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth',
      '  source    https://github.com/harritaylor/torchvggish/blob/master/hubconf.py',
      '  licence   none is named in its README; a mirror of the repository is listed as Apache-2.0',
      '  size      72.1 M parameters',
      '  command   diffsal train run.json, with "pretrained": ["vggish-10086976.pth"] in run.json',
    ])
  })

  it('prints them as JSON', async () => {
    const { code, stdout } = await inProcessCli(['weights', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual(publishedWeights)
  })

  it('takes no file', async () => {
    expect(await inProcessCli(['weights', 'vggish.pth'])).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('docs/weights.md', () => {
  it('says of each what the command says, and of nothing else', () => {
    const list = page.split('## The list')[1]!.split('\n## ')[0]!
    const sections = list
      .split('\n### ')
      .slice(1)
      .map((section) => bare(section).trim().split('\n'))
    const wanted = publishedWeights.map((weights) => [weights.title, '', ...facts(weights).map(([name, value]) => bare(`- ${name}: ${value}`))])
    expect(sections).toEqual(wanted)
  })

  it('is linked from the README', () => {
    expect(readFileSync(new URL('README.md', root), 'utf8')).toContain('(docs/weights.md)')
  })
})

describe('publishedWeights', () => {
  it('names each once, at an address that ends in its file where that is known', () => {
    expect(new Set(publishedWeights.map(({ id }) => id)).size).toBe(publishedWeights.length)
    for (const { where, file } of publishedWeights) {
      const { protocol, hostname, pathname } = new URL(where)
      expect(protocol).toBe('https:')
      if (hostname !== 'drive.google.com') expect(pathname.endsWith(`/${file}`), where).toBe(true)
    }
  })
})
