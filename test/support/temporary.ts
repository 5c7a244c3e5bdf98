import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

let folder: string | undefined

// Registered with whichever test file imports this: each runs in a process of its own, which ends without an 'exit' event.
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  folder = undefined
})

/** The path of a file, not made yet, in a folder that is removed when the test file ends. */
export function temporaryPath(name: string): string {
  folder ??= mkdtempSync(join(tmpdir(), 'diffsal-test-'))
  return join(folder, name)
}
