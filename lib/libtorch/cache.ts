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

/**
 * The folders of a series (`2.13`) that exist, the best first.
 *
 * @param usable - whether a device for this CUDA variant is there. Asked where both a CUDA and a CPU build are: then the CUDA one is
 * the first if it is of use, else the CPU one, which opens sooner.
 */
export function cachedFolders(root: string, series: string, usable: (variant: string) => boolean): string[] {
  let names: string[]
  try {
    names = readdirSync(root)
  } catch {
    return []
  }
  const own = names.filter((name) => name.startsWith(`${prefix}${series}.`))
  const newest = own.sort((a, b) => b.localeCompare(a))
  const [cpu, cuda] = [newest.filter((name) => name.endsWith('-cpu')), newest.filter((name) => !name.endsWith('-cpu'))]
  const cudaFirst = cpu.length === 0 || cuda.some((name) => usable(name.slice(name.lastIndexOf('-') + 1)))
  return (cudaFirst ? [...cuda, ...cpu] : [...cpu, ...cuda]).map((name) => join(root, name))
}
