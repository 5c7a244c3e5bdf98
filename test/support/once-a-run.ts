import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const path = (name: string) => join(process.env.DIFFSAL_TEST_RUN!, name)

/** Puts what was made in its place, unless another test file has been faster. */
function keep(made: string, name: string): string {
  try {
    renameSync(made, path(name))
  } catch (error) {
    if (!existsSync(path(name))) throw error
    rmSync(made, { recursive: true })
  }
  return path(name)
}

/** The path of a file or folder that the first test file of a run to ask for it makes, and all others share: nobody may change it. */
export function onceARun(name: string, make: (path: string) => void): string {
  if (existsSync(path(name))) return path(name)
  const own = path(`${name}-${process.pid}`)
  make(own)
  return keep(own, name)
}

/** What this process has asked for: two that ask at once are given one. */
const making = new Map<string, Promise<string>>()

/** As {@link onceARun}, of what takes a while. */
export function onceARunAsync(name: string, make: (path: string) => Promise<unknown>): Promise<string> {
  let made = making.get(name)
  if (made === undefined) {
    const own = path(`${name}-${process.pid}`)
    made = existsSync(path(name)) ? Promise.resolve(path(name)) : make(own).then(() => keep(own, name))
    making.set(name, made)
    // Another file may ask again.
    made.catch(() => making.delete(name))
  }
  return made
}
