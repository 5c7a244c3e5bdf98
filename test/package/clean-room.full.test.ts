import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findFfmpeg } from '../../lib/media/ffmpeg.ts'
import { compile, diffsal, expectMaps, predict } from '../support/clean-room.ts'
import { install, run } from '../support/installed.ts'
import { ffmpeg, picture, tone } from '../support/media.ts'
import { packWithPrebuilds } from '../support/packed.ts'

// The other ways of installing are in clean-room.nightly.test.ts: they fetch libtorch, and compile.
it('the packed package works after a plain install, without compiling, and leaves nothing when it is uninstalled', async () => {
  const folder = await install('plain', packWithPrebuilds())
  expect(existsSync(join(folder, 'node_modules/diffsal/build'))).toBe(false)
  await compile(folder)
  await expectMaps(await predict(folder))

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
