import { readFileSync } from 'node:fs'

/** As many open files as a command needs to load its code, with room to spare. */
const enough = 256

const sentence = 'This process may not open as many files as it needs. Raise the limit with `ulimit -n 1024` and start it again.'

/** What to say of an error that is the system's limit of open files, wherever it was met; undefined for any other. */
export function fileLimitSentence(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === 'EMFILE') return sentence
  if (code === 'ENFILE') return 'This machine has too many files open. End other programs, and start this one again.'
  // Node takes a package.json that it may not open for one that is not there.
  if (code === 'ERR_MODULE_NOT_FOUND' && fileLimit() < enough) return sentence
  return undefined
}

/** How many files this process may have open; infinity where the system does not tell. */
function fileLimit(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Number.POSITIVE_INFINITY)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EMFILE' ? 0 : Number.POSITIVE_INFINITY
  }
}
