import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { beforeAll, expect, test } from 'vitest'
import { makeOwnGaze } from './support/own-gaze.ts'
import { userFolder } from './support/user-folder.ts'

let folder: string
beforeAll(async () => {
  folder = userFolder('examples-gaze')
  await makeOwnGaze(folder)
})

/** Runs a program of examples/ as one of a user's own. */
async function run(name: string, ...args: readonly string[]): Promise<string[]> {
  const source = readFileSync(join('examples', name), 'utf8').replace("'../lib/index.ts'", "'diffsal'")
  expect(source.split('\n').length).toBeLessThanOrEqual(41)
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
  const file = name.replace('.ts', '.mjs')
  writeFileSync(join(folder, file), ts.transpileModule(source, { compilerOptions: options }).outputText)
  const { stdout } = await promisify(execFile)(process.execPath, [file, ...args], { cwd: folder, timeout: 240_000 })
  return stdout.trim().split('\n')
}

test('score-my-maps tells each score with its interval and the ceiling', async () => {
  const lines = await run('score-my-maps.ts', '.')
  expect(lines.map((line) => line.split(':')[0])).toEqual(['cc', 'sim', 'nss', 'aucJudd', 'kl', 'shuffledAuc', 'informationGain'])
  for (const line of lines) expect(line).toMatch(/^\w+: -?\d+\.\d{3} \(-?\d+\.\d{3} to -?\d+\.\d{3}\); half of the viewers: -?\d+\.\d{3}$/)
})

test('train-on-my-gaze trains, tells what came of it, and saves the weights', { timeout: 300_000 }, async () => {
  const lines = await run('train-on-my-gaze.ts', 'truth', '1')
  expect(lines[0]).toBe('epoch 0 done')
  expect(lines.at(-1)).toMatch(/^CC of the held-out videos: -?\d\.\d{3} before, -?\d\.\d{3} after$/)
  expect(readFileSync(join(folder, 'my-gaze.safetensors')).length).toBeGreaterThan(1e6)
})
