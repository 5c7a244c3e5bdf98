import { log } from '../log.ts'
import { rateFromDecimal, rational, rationalValue, type Rational } from './rational.ts'
import type { Report } from './report.ts'

const rateWhenUnknown: Rational = { num: 30, den: 1 }

/**
 * The mean rate. ffmpeg's own guess is exact, but it is the rate on whose grid all times lie, which may be finer than the frames (fields; a
 * clock's tick of 1000 or 90000 a second). The mean is printed with two decimals only.
 */
export function frameRate(path: string, text: string, { guess, frames, timeBase }: Report): Rational {
  const seconds = frames.map(({ ticks }) => ticks * (timeBase === undefined ? Number.NaN : rationalValue(timeBase)))
  const intervals = seconds.slice(1).map((time, i) => time - seconds[i]!)
  const average = decimal(/, ([\d.]+)(k?) fps\b/.exec(text))
  const told =
    guess && isRate(rationalValue(guess), average, intervals) ? usual(guess) : average !== undefined && average <= 1000 ? rateFromDecimal(average) : undefined
  if (told === undefined) {
    log('warn', `'${path}' does not say its frame rate; ${rateWhenUnknown.num} frames a second are assumed.`)
    return rateWhenUnknown
  }
  if (isPulledDown(told, intervals)) return rational(told.num * 4, told.den * 5)
  return toldAsFields(told, intervals) ? rational(told.num, told.den * 2) : told
}

/** Whether a guess is the mean: near it, or not far, as of a short file whose end is told wrong, where the first frames come at that rate. */
function isRate(guess: number, average: number | undefined, intervals: readonly number[]): boolean {
  if (average === undefined) return guess <= 120
  const off = Math.abs(guess - average) / average
  // The mean is printed with two decimals, from 0.005 on, which are few for a rate of some frames a minute.
  const printed = average < 0.5 ? 0.005 / average : 0
  return off <= Math.max(0.02, Math.min(printed, 0.5)) || (off <= 0.25 && areOf(intervals, guess))
}

/** The usual rate that is as good as this one, which was computed from rounded times. */
function usual(guess: Rational): Rational {
  const value = rationalValue(guess)
  const near = rateFromDecimal(value)
  return Math.abs(rationalValue(near) - value) < value * 1e-5 ? near : guess
}

/** Whether frames come at half the rate that is told: it is that of the fields. */
function toldAsFields(told: Rational, intervals: readonly number[]): boolean {
  return areOf(intervals, rationalValue(told) / 2)
}

/** Whether every second frame is shown a field longer, as film is on discs: five frames are told for four. */
function isPulledDown(told: Rational, intervals: readonly number[]): boolean {
  const lengths = intervals.map((each) => each * rationalValue(told)).sort((a, b) => a - b)
  return lengths.length === 2 && Math.abs(lengths[0]! - 1) < 0.05 && Math.abs(lengths[1]! - 1.5) < 0.05
}

/** Whether two intervals, in seconds, are those of a rate. */
function areOf(intervals: readonly number[], rate: number): boolean {
  return intervals.length >= 2 && intervals.every((each) => Math.abs(each * rate - 1) < 0.05)
}

function decimal(match: RegExpExecArray | null): number | undefined {
  if (!match) return undefined
  const value = Number(match[1]) * (match[2] === 'k' ? 1000 : 1)
  return value > 0 ? value : undefined
}
