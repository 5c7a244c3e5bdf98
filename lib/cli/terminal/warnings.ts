import { setLogger } from '../../log.ts'
import { tell } from './print.ts'

/** What the package warns of while a command works: shown at once, and kept. Leaving it gives the package its own way of warning back. */
export interface Warnings extends Disposable {
  /** All so far, in order. */
  readonly all: readonly string[]
  /** Shows a line as a warning is shown. */
  say(text: string): void
  /** Has lines shown above a bar from now on; undefined: on standard error again. */
  above(bar: { line(text: string): void } | undefined): void
}

/**
 * Takes what the package warns of.
 *
 * @param besides gives another list that a warning is kept in too: that of the video at work, where there are several
 */
export function showWarnings(besides: () => string[] | undefined = () => undefined): Warnings {
  const all: string[] = []
  let shown: { line(text: string): void } | undefined
  const say = (text: string): void => (shown ? shown.line(text) : tell(text))
  setLogger((level, message) => {
    if (level !== 'warn' && level !== 'error') return
    all.push(message)
    besides()?.push(message)
    say(`diffsal: ${message}`)
  })
  return { all, say, above: (bar) => void (shown = bar), [Symbol.dispose]: () => setLogger(undefined) }
}
