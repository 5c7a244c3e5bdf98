import { readFileSync, readdirSync, realpathSync, statSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { DiffSalError } from '../errors.ts'
import { librariesIn } from './locate.ts'

/** Who may write what will be opened; replaced in tests, which cannot change owners. */
export interface Ownership {
  /** The user of this process. */
  readonly user: number
  /** Who a folder or file belongs to, and its permissions. */
  stat(path: string): Pick<Stats, 'uid' | 'mode'>
}

const real: Ownership = { user: process.getuid?.() ?? 0, stat: (path) => statSync(path) }

/**
 * Refuses a folder of libraries that somebody else could have written: they are opened, and so run, with this user's rights. Looked at are the
 * folder, what is in that of its libraries, and the folders above both, whose owner could put another in its place. They must be this user's or the system's,
 * and not be writable by everyone; one that is sticky, as /tmp, lets nobody replace what is another's.
 *
 * @param dir the folder of a libtorch
 * @throws DiffSalError ERR_DIFFSAL_LIBTORCH_MISSING with the command that mends it; not where DIFFSAL_TRUST_CACHE is 1
 */
export function checkTrusted(dir: string, env: NodeJS.ProcessEnv = process.env, { user, stat }: Ownership = real): void {
  if (env.DIFFSAL_TRUST_CACHE === '1') return
  const folder = realpathSync(dir)
  const foreign = foreignOwner()
  const look = (path: string, above: boolean): void => {
    const { uid, mode } = stat(path)
    const sticky = above && (mode & 0o1000) !== 0
    const own = uid === user || uid === 0 || (above && uid === foreign)
    if (!own && !sticky) throw refused(folder, path, `belongs to another user (${uid})`, above ? undefined : `sudo chown -R ${user} '${folder}'`)
    if ((mode & 0o002) !== 0 && !sticky) throw refused(folder, path, 'can be written by every user', above ? `chmod o-w '${path}'` : `chmod -R o-w '${folder}'`)
  }
  const libraries = librariesIn(folder)!
  for (const path of [folder, libraries, ...readdirSync(libraries).map((name) => join(libraries, name))]) if (isThere(path)) look(realpathSync(path), false)
  for (let path = dirname(folder), last = folder; path !== last; last = path, path = dirname(path)) look(path, true)
}

/** In a container with users of its own, what is not theirs, as the system's folders, seems to belong to this one. */
function foreignOwner(): number | undefined {
  try {
    if (/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))) return undefined
    return Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'))
  } catch {
    return undefined
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function refused(folder: string, path: string, why: string, command: string | undefined): DiffSalError {
  const mend = command === undefined ? `Take a copy of your own with \`npx diffsal setup --from '${folder}'\`` : `Mend it with \`${command}\``
  const message = `libtorch is not opened: '${path}' ${why}, who could have put anything there, and it would be run. ${mend}, or set DIFFSAL_TRUST_CACHE=1 if you trust it.`
  return new DiffSalError('ERR_DIFFSAL_LIBTORCH_MISSING', message, {
    argument: 'libtorch',
    expected: 'a folder that only this user or the system can write',
    received: path,
  })
}
