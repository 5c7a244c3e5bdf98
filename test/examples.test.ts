import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { readRunConfig } from '../lib/run/config.ts'
import { openEntries } from '../lib/run/datasets.ts'
import { ffmpeg } from './support/media.ts'
import { packageFolder } from './support/run-program.ts'
import { temporaryPath } from './support/temporary.ts'
import { complaintsAbout, nodeNext } from './types/user-program.ts'

/** A page's blocks of one language, in order. */
function blocks(language: string, page: string): string[] {
  const block = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms')
  return [...readFileSync(page, 'utf8').matchAll(block)].map(([, text]) => text!)
}

/** Names that the text introduces: datasets to validate and to test on. */
const told = "declare const held: import('diffsal').SaliencyDataset, test: import('diffsal').SaliencyDataset\n"

test('every program of README, docs/ and examples/ compiles in a project of its own', () => {
  const [first, ...more] = blocks('ts', 'README.md')
  const pages = readdirSync('docs').map((name) => join('docs', name))
  const others = pages.flatMap((page) => {
    const programs = blocks('ts', page)
    // The programs of a page go on where the one before ends.
    return programs.length === 0 ? [] : [[`${basename(page, '.md')}.ts`, programs.join('\n') + told] as const]
  })
  const examples = readdirSync('examples').filter((name) => name.endsWith('.ts'))
  expect([more.length, others.map(([name]) => name), examples.length]).toEqual([0, ['gaze.ts', 'training.ts'], 2])
  const sources = examples.map((name) => [name, readFileSync(join('examples', name), 'utf8').replace("'../lib/index.ts'", "'diffsal'")] as const)
  const files = { 'first.ts': first!, ...Object.fromEntries(others), ...Object.fromEntries(sources) }
  expect(complaintsAbout(files, nodeNext)).toEqual([])
})

test("README's first program tells where to look, with the weights that ship", async () => {
  const folder = temporaryPath('first-program')
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  symlinkSync(resolve('lib'), join(packageFolder(), 'lib'))
  symlinkSync(packageFolder(), join(folder, 'node_modules/diffsal'))
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
  writeFileSync(join(folder, 'first.mjs'), ts.transpileModule(blocks('ts', 'README.md')[0]!, { compilerOptions: options }).outputText)
  await ffmpeg('-t', '0.6', '-i', 'examples/scene.mp4', join(folder, 'clip.mp4'))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['first.mjs'], { cwd: folder, timeout: 60_000 })
  expect(stderr).toBe('')
  const lines = stdout.trim().split('\n')
  expect(lines.map((line) => line.split(':')[0])).toEqual(['frame 0 at 0.00 s', 'frame 5 at 0.20 s', 'frame 10 at 0.40 s'])
  for (const line of lines) expect(line).toMatch(/: look at \[ 0(\.\d+)?, 0(\.\d+)? \]$/)
})

test('the configurations of docs/ and of examples/ are ones of runs', async () => {
  const files = readdirSync('examples').filter((name) => name.endsWith('.json')).map((name) => join('examples', name))
  const [json, ...more] = blocks('json', 'docs/training.md')
  expect([files.length, more.length]).toEqual([5, 0])
  const written = temporaryPath('run.json')
  writeFileSync(written, json!)
  for (const file of [written, ...files]) {
    const { train, validate, test } = await readRunConfig(file)
    const made = [...train, ...validate, ...test].filter(({ dataset }) => dataset === 'scenes')
    const form = { size: [64, 96], clipLength: 16, fixations: false } as const
    expect(await openEntries(made, 'train', form, (_, open) => open())).toHaveLength(made.length)
  }
})
