import { tell } from './print.ts'

/**
 * Runs a command that prints, and waits until all of it is out. A reader that went away ("| head") is no failure; output that cannot be
 * written (a full disk behind ">") is one, told in a sentence.
 *
 * @returns the command's exit code, or 6 for one that ended well and could not say it
 */
export async function printing(command: () => Promise<number>): Promise<number> {
  let failure: NodeJS.ErrnoException | undefined
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') failure ??= error
  })
  process.stderr.on('error', () => undefined)
  const code = await command()
  await new Promise((resolve) => process.stdout.write('', resolve))
  if (failure === undefined) return code
  tell(`diffsal: Standard output cannot be written to, so what it was told is not whole: ${failure.message}.`)
  return code === 0 ? 6 : code
}
