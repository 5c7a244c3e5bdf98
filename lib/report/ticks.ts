/** The values at which an axis from `min` to `max` is labelled: about `count`, at 1, 2 or 5 times a power of ten. */
export function linearTicks(min: number, max: number, count: number): number[] {
  const rough = (max - min) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10)
  const ticks: number[] = []
  // Counted, not added up: no 0.30000000000000004.
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9; i++) ticks.push(Number((i * step).toPrecision(12)))
  return ticks
}

/** Powers of ten from `min` to `max`; where that is fewer than three of them, with 2 and 5 times each. */
export function logTicks(min: number, max: number): number[] {
  const ticks = (factors: readonly number[]): number[] => {
    const found: number[] = []
    for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++) {
      for (const factor of factors) found.push(Number((factor * 10 ** power).toPrecision(12)))
    }
    return found.filter((tick) => tick >= min * (1 - 1e-9) && tick <= max * (1 + 1e-9))
  }
  const powers = ticks([1])
  return powers.length > 2 ? thinned(powers, 6) : ticks([1, 2, 5])
}

function thinned(ticks: readonly number[], most: number): number[] {
  const every = Math.ceil(ticks.length / most)
  return ticks.filter((_, i) => i % every === 0)
}

/** A number for people, of at most `digits` significant digits: `812`, `0.0123`, `1e-5`, `12 300`. */
export function numberText(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size < 1e-3 || size >= 1e7)
    return value
      .toExponential(digits - 1)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e')
  const rounded = Number(value.toPrecision(size >= 1 ? Math.max(digits, Math.floor(Math.log10(size)) + 1) : digits))
  const [whole, fraction] = String(rounded).split('.') as [string, string?]
  const grouped = size >= 1e4 ? whole.replace(/\B(?=(\d{3})+$)/g, '\u202f') : whole
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

/** The texts of an axis's ticks, of as many digits as tell them apart. */
export function tickTexts(ticks: readonly number[]): string[] {
  for (let digits = 3; ; digits++) {
    const texts = ticks.map((tick) => numberText(tick, digits))
    if (digits === 12 || new Set(texts).size === ticks.length) return texts
  }
}
