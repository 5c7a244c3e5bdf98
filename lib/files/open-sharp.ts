import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type sharp from 'sharp'
import { DiffSalError } from '../errors.ts'

/**
 * sharp, which reads and writes pictures. It takes as long to load as the rest of the package, so the first picture loads it.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE where it is not there or does not work
 */
export function openSharp(): typeof sharp {
  try {
    if (!loaded) checkFilesToSpare()
    const found = createRequire(import.meta.url)('sharp') as typeof sharp
    loaded = true
    return found
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0]!
    const remedy = tooManyFiles(cause) ? 'raise the limit of open files' : 'install this package again'
    throw new DiffSalError('ERR_DIFFSAL_FILE', `sharp, which reads and writes pictures, cannot be loaded: ${why}; ${remedy}.`, { argument: 'sharp', cause })
  }
}

let loaded = false

function tooManyFiles(error: unknown): boolean {
  return ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code!)
}

/** Fails where few files more can be opened. Node would try to load sharp all the same, and once it could not read a file of it, it would never try again. */
function checkFilesToSpare(): void {
  const open: number[] = []
  try {
    while (open.length < 16) open.push(openSync(fileURLToPath(import.meta.url), 'r'))
  } catch (error) {
    if (tooManyFiles(error)) throw error
  } finally {
    for (const file of open) closeSync(file)
  }
}
