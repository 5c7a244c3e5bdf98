import type sharp from 'sharp'
import { DiffSalError } from '../errors.ts'

/**
 * sharp, which reads and writes pictures. A command loads it for the first of them, for that takes as long as to load the rest of it; `import 'diffsal'` loads
 * it at once, since node does not try again what once failed for want of open files.
 *
 * @throws DiffSalError ERR_DIFFSAL_FILE where it is not there or does not work
 */
export async function openSharp(): Promise<typeof sharp> {
  try {
    return (await import('sharp')).default
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0]!
    const remedy = (cause as NodeJS.ErrnoException).code === 'EMFILE' ? 'raise the limit of open files and start again' : 'install this package again'
    throw new DiffSalError('ERR_DIFFSAL_FILE', `sharp, which reads and writes pictures, cannot be loaded: ${why}; ${remedy}.`, { argument: 'sharp', cause })
  }
}
