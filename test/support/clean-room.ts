import { copyFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { datasets, DiffSal, presets } from '../../lib/index.ts'
import type { Tensor } from '../../lib/tensor.ts'
import { expectClose } from './expect-close.ts'
import { run } from './installed.ts'
import { checkout } from './packed.ts'

// The package as users get it: packed, and installed from npm's registry into an empty folder.

const programs = join(import.meta.dirname, 'programs/clean-room')
const compiler = join(checkout, 'node_modules/typescript/bin/tsc')

/** Compiles the TypeScript program with the installed package's types, every one of which is checked. */
export async function compile(folder: string): Promise<void> {
  for (const name of readdirSync(programs)) copyFileSync(join(programs, name), join(folder, name))
  const compilerOptions = {
    strict: true,
    skipLibCheck: false,
    target: 'es2022',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    lib: ['es2023', 'esnext.disposable'],
    typeRoots: [join(checkout, 'node_modules/@types')],
    types: ['node'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
  await run(folder, process.execPath, [compiler, '-p', '.'])
}

/** The map that each program predicts: as an ES module, by `require`, in a worker thread. */
export async function predict(folder: string, env?: NodeJS.ProcessEnv): Promise<Tensor[]> {
  const maps: Tensor[] = []
  for (const name of ['program.js', 'required.cjs', 'in-worker.mjs']) {
    const { stdout, stderr } = await run(folder, process.execPath, [name], env)
    // Node 20 and 22 say of some versions that `require` of an ES module is experimental.
    expect(stderr.replace(/^\(node:\d+\) ExperimentalWarning: .*\n\(Use .*\n/m, '')).toBe('')
    const { shape, data } = JSON.parse(stdout) as { shape: number[]; data: number[] }
    maps.push({ dtype: 'float32', shape, data: Float32Array.from(data) })
  }
  return maps
}

/** Fails unless the maps are what the programs predict in this checkout. */
export async function expectMaps(maps: readonly Tensor[]): Promise<void> {
  const tolerance = 1e-5
  const { size, clipLength } = presets.gaze.config
  const { frames, audio } = (await datasets.soundingScenes({ split: 'test', size, clipLength, length: 1 }).get(0))!
  await using model = await DiffSal.load(undefined, { device: 'cpu', threads: 1 })
  const expected = await model.predict({ frames, audio: audio! }, { steps: 2, seed: 1 })
  // A map, not a constant: it varies by far more than the ways of installing may differ.
  expect(Math.max(...expected.data) - Math.min(...expected.data)).toBeGreaterThan(1000 * tolerance)
  expect(maps).toHaveLength(3)
  for (const map of maps) expectClose(map, expected, tolerance)
}

/** The installed package's command line. */
export const diffsal = (folder: string, args: readonly string[], env?: NodeJS.ProcessEnv) => run(folder, 'npx', ['--no', '--', 'diffsal', ...args], env)
