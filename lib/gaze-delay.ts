import { number } from './checks/table.ts'
import { rationalValue, type Rational } from './media/rational.ts'

/** The longest delay, in seconds. */
export const longestGazeDelay = 1

/** `gazeDelay` where it is an option. */
export const gazeDelayOption = number(0, longestGazeDelay, { usual: 0 })

/** How many frames a map's window lies before the frame's own: as many as are shown in `gazeDelay` seconds, to the nearest. */
export function delayFrames(gazeDelay: number, rate: Rational): number {
  return Math.round(gazeDelay * rationalValue(rate))
}
