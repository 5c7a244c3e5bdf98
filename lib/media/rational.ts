/** A ratio of two positive integers in lowest terms: the frame rate 29.97… is exactly `{ num: 30000, den: 1001 }`. */
export interface Rational {
  readonly num: number
  readonly den: number
}

/** A rational in lowest terms. Both numbers are positive integers. */
export function rational(num: number, den: number): Rational {
  let [a, b] = [num, den]
  while (b !== 0) [a, b] = [b, a % b]
  return { num: num / a, den: den / a }
}

/** `30000/1001`, or `25` for a whole number. ffmpeg reads both. */
export function rationalText({ num, den }: Rational): string {
  return den === 1 ? String(num) : `${num}/${den}`
}

/** The nearest double. */
export function rationalValue({ num, den }: Rational): number {
  return num / den
}

/**
 * The frame rate meant by a decimal of two places: a whole number, a whole number times 1000/1001 (the NTSC rates), or
 * else the decimal itself.
 */
export function rateFromDecimal(fps: number): Rational {
  const whole = Math.round(fps)
  if (whole > 0 && Math.abs(fps - whole) < 0.005) return rational(whole, 1)
  const ntsc = Math.ceil(fps)
  if (Math.abs(fps - (ntsc * 1000) / 1001) < 0.006) return rational(ntsc * 1000, 1001)
  return rational(Math.max(1, Math.round(fps * 1000)), 1000)
}
