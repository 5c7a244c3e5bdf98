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

const map = (values: readonly number[]) => ({ dtype: 'float64', shape: [1, values.length], data: Float64Array.from(values) }) as const
const looks = (values: readonly number[]) => ({ dtype: 'uint8', shape: [1, values.length], data: Uint8Array.from(values) }) as const

describe('AUC-Judd where pixels tie', () => {
  /** The published form: ties are broken by a jitter, each order of the pixels alike likely. */
  function meanOverOrders(values: readonly number[], fixated: readonly number[]): number {
    const areas = permutations(values.map((_, i) => i)).map((order) => {
      const sorted = order.toSorted((a, b) => values[b]! - values[a]!)
      const total = fixated.reduce((sum, one) => sum + one, 0)
      let [tp, fp, area] = [0, 0, 0]
      const points: [number, number][] = []
      sorted.forEach((pixel, rank) => {
        if (fixated[pixel]) points.push([(points.length + 1) / total, (rank - points.length) / (values.length - total)])
      })
      for (const [nextTp, nextFp] of [...points, [1, 1] as const]) {
        area += ((nextFp - fp) * (tp + nextTp)) / 2
        ;[tp, fp] = [nextTp, nextFp]
      }
      return area
    })
    return areas.reduce((sum, area) => sum + area, 0) / areas.length
  }

  const permutations = (items: readonly number[]): number[][] =>
    items.length === 0 ? [[]] : items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]))

  it.each([
    [[0, 0, 0, 0, 0, 1], [1, 1, 1, 0, 0, 0], 0.4722222222],
    [[0, 0, 0, 0, 0, 1], [0, 0, 1, 0, 0, 1], undefined],
    [[1, 1, 2, 2, 2, 0], [1, 0, 1, 0, 1, 0], undefined],
    [[3, 3, 3, 1, 1, 0], [0, 1, 1, 1, 0, 1], undefined],
    [[1, 2, 3, 4, 5, 6], [0, 1, 0, 0, 1, 1], undefined],
  ])('is the mean over all orders that a jitter could give: %j, fixated %j', async (values, fixated, known) => {
    const { mean } = await metrics.aucJudd(map(values), looks(fixated))
    expect(mean).toBeCloseTo(meanOverOrders(values, fixated), 12)
    if (known !== undefined) expect(mean).toBeCloseTo(known, 9)
  })
})

describe("a map's level and scale", () => {
  const [a, b, fixated] = [
    [1, 2, 5, 3, 0, 2],
    [0, 1, 4, 4, 1, 2],
    [0, 0, 1, 0, 0, 1],
  ]
  it.each([
    ['near 1e-300', (x: number) => x * 1e-300],
    ['below the least normal number', (x: number) => x * 2 ** -1070],
    ['near the greatest number', (x: number) => (x - 2.5) * 7e307],
    ['that differs in its last digits', (x: number) => 0.05 + x * 2 ** -57],
  ])('do not matter to cc, sim and nss: %s', async (_name, change) => {
    const changed = map(a!.map(change))
    expect((await metrics.cc(changed, map(b!))).mean).toBeCloseTo((await metrics.cc(map(a!), map(b!))).mean, 12)
    expect((await metrics.cc(map(b!), changed)).mean).toBeCloseTo((await metrics.cc(map(a!), map(b!))).mean, 12)
    expect((await metrics.sim(changed, map(b!))).mean).toBeCloseTo((await metrics.sim(map(a!), map(b!))).mean, 12)
    expect((await metrics.nss(changed, looks(fixated!))).mean).toBeCloseTo((await metrics.nss(map(a!), looks(fixated!))).mean, 12)
  })

  it.each([1e-300, 2 ** -1070, 3e307])('times %f does not matter to kl and information gain', async (scale) => {
    const changed = map(a!.map((x) => x * scale))
    expect((await metrics.kl(changed, map(b!))).mean).toBeCloseTo((await metrics.kl(map(a!), map(b!))).mean, 12)
    const gain = (saliency: typeof changed) => metrics.informationGain(saliency, looks(fixated!), map(b!))
    expect((await gain(changed)).mean).toBeCloseTo((await gain(map(a!))).mean, 12)
  })
})
