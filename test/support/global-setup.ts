import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Makes the folder of what the test files of one run share, which `once-a-run.ts` fills, and removes it at the end. */
export default function setup(): (() => void) | undefined {
  // Each project calls this. The workers have this process's variables.
  if (process.env.DIFFSAL_TEST_RUN !== undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'diffsal-run-'))
  process.env.DIFFSAL_TEST_RUN = folder
  return () => rmSync(folder, { recursive: true, force: true })
}
