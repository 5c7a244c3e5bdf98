import { describe, expect, it } from 'vitest'
import { metrics, type Tensor } from '../../lib/index.ts'
import { metricsCase } from '../support/fixtures.ts'
import { testInput } from '../support/test-values.ts'

/** The maps of the golden metrics, as make_fixtures.py makes them. */
function maps(index: number, [h, w]: readonly [number, number], kind: 'float' | '8bit') {
  const shape = [h, w]
  const fixated = testInput(`fixations${index}`, shape, 'unit').map((value) => Number(value > 0.98))
  const saliency = Float64Array.from(testInput(`saliency${index}`, shape, 'unit'), (value, i) => (fixated[i] ? Math.sqrt(value) : value))
  // Rounding to the even neighbour, as numpy's round; a tie at .5 does not occur in these values.
  const shown = kind === '8bit' ? saliency.map((value) => Math.round(value * 255) / 255) : saliency
  return {
    saliency: { dtype: 'float64', shape, data: shown } as const,
    density: { dtype: 'float32', shape, data: boxMean(testInput(`density${index}`, [1, h, w], 'unit'), h, w) } as const,
    fixations: { dtype: 'uint8', shape, data: Uint8Array.from(fixated) } as const,
  }
}

/** 5×5 mean, zero padded and divided by 25, summed in float32 row by row as the reference's pooling does. */
function boxMean(values: Float32Array, h: number, w: number): Float32Array {
  return values.map((_, i) => {
    const [y, x] = [Math.floor(i / w), i % w]
    let sum = 0
    for (let dy = Math.max(0, y - 2); dy <= Math.min(h - 1, y + 2); dy++) {
      for (let dx = Math.max(0, x - 2); dx <= Math.min(w - 1, x + 2); dx++) sum = Math.fround(sum + values[dy * w + dx]!)
    }
    return sum / 25
  })
}

describe.each(metricsCase().rows.map((row) => [`${row.shape.join('×')} ${row.kind}`, row] as const))('%s', (_, row) => {
  const { saliency, density, fixations } = maps(row.index, row.shape, row.kind)
  it.each([
    ['cc', () => metrics.cc(saliency, density)],
    ['sim', () => metrics.sim(saliency, density)],
    ['kl', () => metrics.kl(saliency, density)],
    ['nss', () => metrics.nss(saliency, fixations)],
    ['aucJudd', () => metrics.aucJudd(saliency, fixations)],
  ] as const)('has the golden %s', async (name, compute) => {
    const { values, mean, undefinedCount } = await compute()
    expect(values).toHaveLength(1)
    expect(Math.abs(values[0]! - row[name])).toBeLessThan(1e-9)
    expect(mean).toBe(values[0])
    expect(undefinedCount).toBe(0)
  })
})

describe('a batch', () => {
  it('is scored map by map, and what is undefined is NaN and counted', async () => {
    const [h, w] = [36, 64]
    const { saliency, density, fixations } = maps(0, [h, w], 'float')
    const none = new Uint8Array(h * w)
    const flat = new Float64Array(h * w).fill(0.25)
    const stack = <A extends Float64Array | Float32Array | Uint8Array>(make: new (n: number) => A, ...parts: A[]): A => {
      const all = new make(parts.length * h * w)
      parts.forEach((part, i) => all.set(part as never, i * h * w))
      return all
    }
    const shape = [3, 1, h, w]
    const batch: Tensor<'float64'> = { dtype: 'float64', shape, data: stack(Float64Array, saliency.data, flat, saliency.data) }
    const looked: Tensor<'uint8'> = { dtype: 'uint8', shape, data: stack(Uint8Array, fixations.data, fixations.data, none) }
    const truth: Tensor<'float32'> = { dtype: 'float32', shape, data: stack(Float32Array, density.data, density.data, density.data) }
    const alone = (await metrics.nss(saliency, fixations)).mean
    expect(await metrics.nss(batch, looked)).toEqual({ values: Float64Array.of(alone, NaN, NaN), mean: alone, undefinedCount: 2 })
    expect((await metrics.aucJudd(batch, looked)).undefinedCount).toBe(2)
    expect((await metrics.cc(batch, truth)).undefinedCount).toBe(1)
    expect((await metrics.sim(batch, truth)).undefinedCount).toBe(1)
    // A flat map is a distribution all the same.
    expect((await metrics.kl(batch, truth)).undefinedCount).toBe(0)
  })
})
