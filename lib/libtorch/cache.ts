import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import envPaths from 'env-paths'

const prefix = 'libtorch-'

/** The folder that fetched libtorchs live in: `DIFFSAL_CACHE`, or the user's cache folder. It may not exist yet. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  return env.DIFFSAL_CACHE ? resolve(env.DIFFSAL_CACHE) : envPaths('diffsal', { suffix: '' }).cache
}

/** The folder of one installed libtorch, `libtorch-2.13.0-cpu`. It holds `torch/` and, for CUDA, `nvidia/` beside it. */
export function cacheFolder(root: string, version: string, variant: string): string {
  return join(root, `${prefix}${version}-${variant}`)
}

/** The folders of a series (`2.13`) that exist, the CUDA builds first: who fetched one means to use it. */
export function cachedFolders(root: string, series: string): string[] {
  let names: string[]
  try {
    names = readdirSync(root)
  } catch {
    return []
  }
  const own = names.filter((name) => name.startsWith(`${prefix}${series}.`))
  const isCpu = (name: string): number => Number(name.endsWith('-cpu'))
  return own.sort((a, b) => isCpu(a) - isCpu(b) || b.localeCompare(a)).map((name) => join(root, name))
}
