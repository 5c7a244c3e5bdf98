import { DiffSalError } from '../errors.ts'
import { addonPaths, buildCommand } from './addon.ts'

/**
 * The part of the addon for several processes.
 *
 * @throws DiffSalError ERR_DIFFSAL_ADDON_MISSING, with the remedy, where it was not built
 */
export function glooLibrary(): string {
  const { glooPart, root } = addonPaths()
  if (glooPart !== undefined) return glooPart
  throw new DiffSalError(
    'ERR_DIFFSAL_ADDON_MISSING',
    "The native addon was built without its part for several processes, because Gloo's headers were not there. " +
      `Install them (Debian, Ubuntu: \`apt-get install libgloo-dev\`) and compile the addon again with \`${buildCommand(root)}\`.`,
    { argument: 'addon', expected: 'diffsal_gloo.so beside diffsal_core.so' },
  )
}
