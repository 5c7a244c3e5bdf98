import { log } from '../log.ts'
import { rateFromDecimal, rational, rationalValue, type Rational } from './rational.ts'
import type { Report } from './report.ts'

const rateWhenUnknown: Rational = { num: 30, den: 1 }

/**
 * The mean rate. ffmpeg's own guess is exact, but it is the rate on whose grid all times lie, which may be finer than the frames (fields; a
 * clock's tick of 1000 or 90000 a second). The mean is printed with two decimals only.
 */
export function frameRate(path: string, text: string, { guess, frames, timeBase }: Report): Rational {
  const average = decimal(/, ([\d.]+)(k?) fps\b/.exec(text))
  const told = guess && isRate(rationalValue(guess), average) ? usual(guess) : average !== undefined && average <= 1000 ? rateFromDecimal(average) : undefined
  if (told === undefined) {
    log('warn', `'${path}' does not say its frame rate; ${rateWhenUnknown.num} frames a second are assumed.`)
    return rateWhenUnknown
  }
  return toldAsFields(told, frames.map(({ ticks }) => ticks), timeBase) ? rational(told.num, told.den * 2) : told
}

function isRate(guess: number, average: number | undefined): boolean {
  return average === undefined ? guess <= 120 : Math.abs(guess - average) <= average / 50
}

/** The usual rate that is as good as this one, which was computed from rounded times. */
function usual(guess: Rational): Rational {
  const value = rationalValue(guess)
  const near = rateFromDecimal(value)
  return Math.abs(rationalValue(near) - value) < value * 1e-5 ? near : guess
}

/** Whether frames come at half the rate that is told: it is that of the fields. */
function toldAsFields(told: Rational, ticks: readonly number[], timeBase: Rational | undefined): boolean {
  if (ticks.length < 3 || timeBase === undefined) return false
  const intervals = [ticks[1]! - ticks[0]!, ticks[2]! - ticks[1]!].map((each) => each * rationalValue(timeBase) * rationalValue(told))
  return intervals.every((each) => Math.abs(each - 2) < 0.1)
}

function decimal(match: RegExpExecArray | null): number | undefined {
  if (!match) return undefined
  const value = Number(match[1]) * (match[2] === 'k' ? 1000 : 1)
  return value > 0 ? value : undefined
}
