import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileLib } from './compiled-lib.ts'

const out = join(import.meta.dirname, '../../out')

/** Makes what the test files of one run share, and removes it at the end: a folder that `once-a-run.ts` fills, and `lib/` as JavaScript. */
export default async function setup(): Promise<(() => void) | undefined> {
  // Each project calls this. The workers have this process's variables.
  if (process.env.DIFFSAL_TEST_RUN !== undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'diffsal-run-'))
  process.env.DIFFSAL_TEST_RUN = folder
  // In the package, whose addon and presets it looks for in the folders above.
  mkdirSync(out, { recursive: true })
  const lib = mkdtempSync(join(out, 'lib-'))
  process.env.DIFFSAL_TEST_LIB = lib
  await compileLib(lib)
  return () => {
    for (const made of [folder, lib]) rmSync(made, { recursive: true, force: true })
  }
}
