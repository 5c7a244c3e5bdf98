import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { inspect, promisify } from 'node:util'
import { expect, test } from 'vitest'
import { presets } from '../lib/index.ts'
import { readRunConfig } from '../lib/run/config.ts'
import { openEntries } from '../lib/run/datasets.ts'
import { ffmpeg } from './support/media.ts'
import { packageFolder } from './support/run-program.ts'
import { temporaryPath } from './support/temporary.ts'
import { userFolder } from './support/user-folder.ts'
import { complaintsAbout, nodeNext } from './types/user-program.ts'

/** A page's blocks of one language, in order. */
function blocks(language: string, page: string): string[] {
  const block = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms')
  return [...readFileSync(page, 'utf8').matchAll(block)].map(([, text]) => text!)
}

/** Names that the text introduces: datasets to validate and to test on. */
const told = "declare const held: import('diffsal').SaliencyDataset, test: import('diffsal').SaliencyDataset\n"

test('every program of README, docs/ and examples/ compiles in a project of its own', () => {
  const [first, ...more] = blocks('js', 'README.md')
  const pages = readdirSync('docs').map((name) => join('docs', name))
  const others = pages.flatMap((page) => {
    const programs = blocks('ts', page)
    // The programs of a page go on where the one before ends.
    return programs.length === 0 ? [] : [[`${basename(page, '.md')}.ts`, programs.join('\n') + told] as const]
  })
  const examples = readdirSync('examples').filter((name) => name.endsWith('.ts'))
  expect([more.length, others.map(([name]) => name), examples.length]).toEqual([
    0,
    ['distributed.ts', 'gaze.ts', 'live.ts', 'many.ts', 'report.ts', 'training.ts', 'view.ts'],
    9,
  ])
  const sources = examples.map((name) => [name, readFileSync(join('examples', name), 'utf8').replace("'../lib/index.ts'", "'diffsal'")] as const)
  const files = { 'first.ts': first!, ...Object.fromEntries(others), ...Object.fromEntries(sources) }
  expect(complaintsAbout(files, nodeNext)).toEqual([])
})

test("README's first program is JavaScript of every Node that the package runs on, and tells where to look", async () => {
  const folder = userFolder('first-program')
  writeFileSync(join(folder, 'first.mjs'), blocks('js', 'README.md')[0]!)
  await ffmpeg('-t', '0.6', '-i', 'examples/scene.mp4', join(folder, 'clip.mp4'))
  // Newer Nodes take what Node 20 does not.
  expect(blocks('js', 'README.md')[0]).not.toMatch(/\busing\b/)
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['first.mjs'], { cwd: folder, timeout: 60_000 })
  expect(stderr).toBe('')
  const lines = stdout.trim().split('\n')
  expect(lines.map((line) => line.split(':')[0])).toEqual(['frame 0 at 0.00 s', 'frame 5 at 0.20 s', 'frame 10 at 0.40 s'])
  for (const line of lines) expect(line).toMatch(/: look at pixel \d+, \d+$/)
})

test('the programs and commands of docs/maps.md run', async () => {
  const folder = userFolder('maps-page')
  await ffmpeg('-t', '0.6', '-i', 'examples/scene.mp4', join(folder, 'clip.mp4'))
  const programs = blocks('js', 'docs/maps.md')
  for (const [i, text] of programs.entries()) writeFileSync(join(folder, `${i}.mjs`), text)
  expect(complaintsAbout(Object.fromEntries(programs.map((text, i) => [`maps-${i}.ts`, text])), nodeNext)).toEqual([])
  const run = (file: string, ...args: string[]) => promisify(execFile)(process.execPath, [file, ...args], { cwd: folder, timeout: 60_000 })
  const outputs = await Promise.all(programs.map(async (_, i) => (await run(`${i}.mjs`)).stdout))
  expect(outputs[1]).toBe(`${inspect([1, 1, ...presets.gaze.config.size])}\n`)
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(['frame-0.png', 'frame-10.png']))
  const commands = blocks('sh', 'docs/maps.md')
    .join('')
    .trim()
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/ +/).slice(1))
  for (const command of commands) await run(join(packageFolder(), 'dist/cli/main.js'), ...command)
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(['both.mp4', 'lines.mp4', 'pngs']))
}, 180_000)

test('the configurations of docs/ and of examples/ are ones of runs', async () => {
  const files = readdirSync('examples')
    .filter((name) => name.endsWith('.json'))
    .map((name) => join('examples', name))
  const [json, ...more] = blocks('json', 'docs/training.md')
  expect([files.length, more.length]).toEqual([16, 0])
  const written = temporaryPath('run.json')
  writeFileSync(written, json!)
  for (const file of [written, ...files]) {
    const { train, validate, test } = await readRunConfig(file)
    const made = [...train, ...validate, ...test].filter(({ dataset }) => dataset === 'scenes')
    const form = { size: [64, 96], clipLength: 16, gazeDelay: 0, fixations: false } as const
    expect(await openEntries(made, 'train', form, (_, open) => open())).toHaveLength(made.length)
  }
})
