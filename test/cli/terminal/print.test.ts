import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { runCli } from '../../../lib/cli/program.ts'
import { jsonText } from '../../../lib/cli/terminal/print.ts'
import { DiffSalError, fileError } from '../../../lib/errors.ts'
import { log, setLogger } from '../../../lib/log.ts'
import { html } from '../../../lib/report/html.ts'
import { pageHtml } from '../../../lib/report/page.ts'
import { strip } from '../../../lib/report/strip.ts'
import { temporaryPath } from '../../support/temporary.ts'

/** All kinds of what a terminal obeys: escape sequences, C1, breaks, turns of the direction of writing. */
const hostile = '\u001b[31mevil\u001b]0;pwned\u0007\u009b2J\r\nfake: line\u202egnp\u2066x\u2069\u061c\u2028'
const obeyed = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/

/** Runs a command line and gives all that it wrote. */
async function written(...args: readonly string[]): Promise<{ text: string; code: number }> {
  let text = ''
  const take = (chunk: unknown): boolean => {
    text += String(chunk)
    return true
  }
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(take),
    vi.spyOn(process.stderr, 'write').mockImplementation(take),
    vi.spyOn(console, 'log').mockImplementation((words) => void take(`${words}\n`)),
    vi.spyOn(console, 'error').mockImplementation((words) => void take(`${words}\n`)),
  ]
  try {
    return { code: await runCli(['node', 'diffsal', ...args]), text }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

describe('a name with escape sequences', () => {
  const name = temporaryPath(`${hostile.replaceAll('/', '')}.json`)
  test.each([
    ['an unknown option', ['predict', `--${hostile}`, 'a.mp4']],
    ['an unknown command', [hostile]],
    ['a value that is none', ['predict', 'a.mp4', '--stride', hostile]],
    ['a choice that is none', ['predict', 'a.mp4', '--precision', hostile]],
    ['a file that is missing', ['predict', name]],
    ['weights that are missing', ['inspect', name]],
    ['weights to convert', ['convert', name, `${name}.safetensors`]],
    ['an output of no kind', ['predict', 'a.mp4', '-o', name]],
    ['a configuration that is missing', ['train', name]],
    ['a configuration to evaluate', ['evaluate', name]],
    ['a dataset', ['evaluate', '--weights', name, '--dataset', hostile, '--root', name]],
    ['weights to benchmark', ['benchmark', 'scenes', '--weights', name]],
    ['libtorch', ['setup', '--from', name]],
  ])('is visible, and obeyed by no terminal: %s', async (_what, args) => {
    const { text, code } = await written(...args)
    expect(code).toBeGreaterThan(0)
    expect(text).toContain('\\u{1b}[31mevil')
    expect(text).not.toMatch(obeyed)
    expect(text).not.toMatch(/^fake/m)
  })

  test('in weights that are inspected, in words and in JSON', async () => {
    const file = temporaryPath(`weights${hostile}.safetensors`)
    const header = JSON.stringify({ [`${hostile}.weight`]: { dtype: 'F32', shape: [1], data_offsets: [0, 4] }, __metadata__: { diffsal: '{}' } })
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)))
    writeFileSync(file, Buffer.concat([length, Buffer.from(header), Buffer.alloc(4)]))
    const words = await written('inspect', file)
    expect(words.code).toBe(0)
    expect(words.text).not.toMatch(obeyed)
    expect(words.text).not.toMatch(/^fake/m)
    const { text } = await written('inspect', file, '--json')
    expect(text).not.toMatch(obeyed)
    expect(JSON.parse(text)).toMatchObject({ file, tensors: [{ name: `${hostile}.weight` }] })
  })

  test('in errors and warnings, of whoever prints them', () => {
    const error = new DiffSalError('ERR_DIFFSAL_FILE', `'${hostile}'`, { argument: hostile })
    expect(error.message).not.toMatch(/[\n]|\p{Cc}|\p{Bidi_Control}/u)
    expect(error.stack).not.toContain('\u001b')
    expect(error.argument).toBe(hostile)
    expect(fileError('read', hostile, new Error('x')).message).toContain('\\u{202e}')
    const heard: string[] = []
    setLogger((_level, message) => heard.push(message))
    log('warn', hostile)
    setLogger(undefined)
    expect(heard).toHaveLength(1)
    expect(heard[0]).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u)
  })

  test('in a page turns nothing around, nor does a name from right to left', () => {
    const page = pageHtml({
      title: hostile,
      state: '',
      facts: [['Name', hostile]],
      body: html`${strip(['Frame'], [{ video: '\u05d0\u05d1', frame: 7, size: [1, 1], pictures: ['x'] }], '')}`,
      config: { name: hostile },
    })
    expect(page).not.toMatch(/(?![\n\t\r])[\p{Cc}\p{Bidi_Control}]/u)
    expect(page).toContain('<p><bdi>\u05d0\u05d1</bdi>, frame 7</p>')
  })
})

test('JSON with what a terminal obeys reads back as it was', () => {
  const value = { [hostile]: [hostile, 1, null] }
  for (const indent of [undefined, 2]) {
    expect(jsonText(value, indent)).not.toMatch(obeyed)
    expect(JSON.parse(jsonText(value, indent))).toEqual(value)
  }
})

test('only one place of the command line prints', () => {
  const root = join(import.meta.dirname, '../../../lib')
  const printing = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) => /console\.(log|info|warn|error)\(|process\.std(out|err)\.write\(|emitWarning/.test(readFileSync(join(root, name), 'utf8')))
  expect(printing.sort()).toEqual(['cli/terminal/print.ts', 'cli/terminal/standard-output.ts', 'log.ts'])
})
