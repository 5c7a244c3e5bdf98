import { setImmediate } from 'node:timers/promises'

let last: Promise<void> = Promise.resolve()

/**
 * Resolves in a turn of the event loop that no other caller has: for work that holds the loop up, such as starting a process, which takes tens of
 * milliseconds where this one is large. Several pieces at once are then as many short waits, with everybody's timers and input between, and no long one.
 */
export function ownTurn(): Promise<void> {
  last = last.then(() => setImmediate())
  return last
}
