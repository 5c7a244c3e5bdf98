import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { presets } from '../../lib/index.ts'
import { findFfmpeg } from '../../lib/media/ffmpeg.ts'
import type { Tensor } from '../../lib/tensor.ts'
import { expectClose } from '../support/expect-close.ts'
import { ffmpeg, picture, tone } from '../support/media.ts'
import { install, run } from '../support/installed.ts'
import { checkout, pack, stageRelease, type Packed } from '../support/packed.ts'
import { temporaryPath } from '../support/temporary.ts'

// The package as users get it: packed, and installed from npm's registry into an empty folder in each way there is. libtorch is the
// checkout's, except in the second way, which fetches its own.

const programs = join(import.meta.dirname, '../support/programs/clean-room')
const compiler = join(checkout, 'node_modules/typescript/bin/tsc')

let withPrebuilds: Packed
let withoutPrebuilds: Packed
beforeAll(async () => {
  const release = stageRelease(temporaryPath('release'))
  withoutPrebuilds = pack(release, 'without')
  const build = join(checkout, 'build/Release')
  await run(checkout, process.execPath, ['scripts/prebuild.mjs', '--from', build, '--out', release])
  withPrebuilds = pack(release, 'with')
})

const diffsal = (folder: string, args: readonly string[], env?: NodeJS.ProcessEnv) => run(folder, 'npx', ['--no', '--', 'diffsal', ...args], env)

/** Compiles the TypeScript program with the installed package's types, every one of which is checked. */
async function compile(folder: string): Promise<void> {
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
async function predict(folder: string, env?: NodeJS.ProcessEnv): Promise<Tensor[]> {
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

/** What may lie between the maps of two ways. */
const tolerance = 1e-5
let first: Tensor | undefined

/** Fails unless the maps are one map, that of the other ways of installing too. */
function expectMap(maps: readonly Tensor[]): void {
  expect(maps).toHaveLength(3)
  first ??= maps[0]!
  expect(first.shape).toEqual([1, 1, ...presets.gaze.config.size])
  const values = Array.from(first.data, Number)
  expect(values.every(Number.isFinite)).toBe(true)
  // A map, not a constant: it varies by far more than the ways of installing may differ.
  expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(1000 * tolerance)
  for (const map of maps) expectClose(map, first, tolerance)
}

describe('the packed package, installed into an empty folder', () => {
  it('works after a plain install, without compiling, and leaves nothing when it is uninstalled', async () => {
    const folder = await install('plain', withPrebuilds)
    expect(existsSync(join(folder, 'node_modules/diffsal/build'))).toBe(false)
    await compile(folder)
    expectMap(await predict(folder))

    const env = { DIFFSAL_FFMPEG: (await findFfmpeg()).path }
    const diagnosis = JSON.parse((await diffsal(folder, ['doctor', '--json'], env)).stdout) as { ok: boolean; addon: { core: string } }
    expect(diagnosis).toMatchObject({ ok: true, addon: { core: join(folder, 'node_modules/diffsal/prebuilds/linux-x64/diffsal_core.so') } })
    await ffmpeg(...picture('96x64', '10', 2), ...tone(2), join(folder, 'clip.mp4'))
    await diffsal(folder, ['predict', 'clip.mp4', '--stride', '5', '--overlay', '-o', 'overlay.mp4', '--maps', 'maps.npy'], env)
    expect(statSync(join(folder, 'overlay.mp4')).size).toBeGreaterThan(1000)
    expect(readFileSync(join(folder, 'maps.npy')).byteLength).toBeGreaterThan(4 * 4 * 64 * 96)

    await run(folder, 'npm', ['uninstall', 'diffsal', '--no-audit', '--no-fund', '--prefer-offline'])
    expect(existsSync(join(folder, 'node_modules/diffsal'))).toBe(false)
    expect(existsSync(join(folder, 'node_modules/.bin/diffsal'))).toBe(false)
  })

  it('works with install scripts off once `npx diffsal setup` has fetched libtorch, of which it is told before', async () => {
    const env = { DIFFSAL_CACHE: temporaryPath('cache'), DIFFSAL_LIBTORCH: '' }
    const folder = await install('no-scripts', withPrebuilds, ['--ignore-scripts'], env)
    await compile(folder)
    await expect(predict(folder, env)).rejects.toThrow(/DiffSalError.*was not found.*Fetch it with `npx diffsal setup`[^]*ERR_DIFFSAL_LIBTORCH_MISSING/)

    const { stdout } = await diffsal(folder, ['setup'], env)
    expect(stdout).toContain(`The native addon is '${join(folder, 'node_modules/diffsal/prebuilds/linux-x64/diffsal_core.so')}'.`)
    expect(readdirSync(env.DIFFSAL_CACHE)).toEqual(['libtorch-2.13.0-cpu'])
    expectMap(await predict(folder, env))
  })

  it('compiles itself where the tarball has no prebuilt addon', async () => {
    const folder = await install('source', withoutPrebuilds, [], { CMAKE_BUILD_PARALLEL_LEVEL: '2' })
    expect(existsSync(join(folder, 'node_modules/diffsal/build/Release/diffsal_core.so'))).toBe(true)
    await compile(folder)
    expectMap(await predict(folder))
    // Some minutes on two cores, more on busy ones.
  }, 1_800_000)
})
