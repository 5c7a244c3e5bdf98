import { resolve, sep } from 'node:path'

/** Whether a path is in a folder, or is it. */
export function isIn(path: string, folder: string): boolean {
  const [inner, outer] = [resolve(path), resolve(folder)]
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
}
