import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compile, diffsal, expectMaps, predict } from '../support/clean-room.ts'
import { install } from '../support/installed.ts'
import { pack, packWithPrebuilds, release } from '../support/packed.ts'
import { temporaryPath } from '../support/temporary.ts'

describe('the packed package, installed into an empty folder', () => {
  it('works with install scripts off once `npx diffsal setup` has fetched libtorch, of which it is told before', async () => {
    const env = { DIFFSAL_CACHE: temporaryPath('cache'), DIFFSAL_LIBTORCH: '' }
    const folder = await install('no-scripts', packWithPrebuilds(), ['--ignore-scripts'], env)
    await compile(folder)
    await expect(predict(folder, env)).rejects.toThrow(/DiffSalError.*was not found.*Fetch it with `npx diffsal setup`[^]*ERR_DIFFSAL_LIBTORCH_MISSING/)

    const { stdout } = await diffsal(folder, ['setup'], env)
    expect(stdout).toContain(`The native addon is '${join(folder, 'node_modules/diffsal/prebuilds/linux-x64/diffsal_core.so')}'.`)
    expect(readdirSync(env.DIFFSAL_CACHE)).toEqual(['libtorch-2.13.0-cpu'])
    await expectMaps(await predict(folder, env))
  })

  it('compiles itself where the tarball has no prebuilt addon', async () => {
    const folder = await install('source', pack(release(), 'without-prebuilds'), [], { CMAKE_BUILD_PARALLEL_LEVEL: '2' })
    expect(existsSync(join(folder, 'node_modules/diffsal/build/Release/diffsal_core.so'))).toBe(true)
    await compile(folder)
    await expectMaps(await predict(folder))
    // Some minutes on two cores, more on busy ones.
  }, 1_800_000)
})
