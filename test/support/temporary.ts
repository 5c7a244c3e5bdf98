import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Of the test file that runs: a process runs several, one after the other. */
let folder: string | undefined

/** Removes what the test file that ends has made. `each-file.ts` sees to it. */
export function removeTemporary(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  folder = undefined
}

/** The path of a file, not made yet, in a folder that is removed when the test file ends. */
export function temporaryPath(name: string): string {
  folder ??= mkdtempSync(join(tmpdir(), 'diffsal-test-'))
  return join(folder, name)
}
