/** What to say of an error that is the system's limit of open files, wherever it was met; undefined for any other. */
export function fileLimitSentence(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === 'EMFILE') return 'This process may not open as many files as it needs. Raise the limit with `ulimit -n 1024` and start it again.'
  if (code === 'ENFILE') return 'This machine has too many files open. End other programs, and start this one again.'
  return undefined
}
