import { expect, test } from 'vitest'
import { below, Random, randomWords } from '../../lib/random/random.ts'

/** The words of xoshiro128** from a state, by 64-bit integers, to hold the 32-bit operations to. */
function reference(seed: bigint, stream: bigint, count: number): number[] {
  const word = (value: bigint) => value & 0xffffffffn
  const mix = (value: bigint) => {
    let z = BigInt.asUintN(64, value)
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    return z ^ (z >> 31n)
  }
  const rotated = (value: bigint, bits: bigint) => word((value << bits) | (value >> (32n - bits)))
  const golden = 0x9e3779b97f4a7c15n
  const base = mix(seed + golden) ^ stream
  const [low, high] = [mix(base + golden), mix(base + 2n * golden)]
  const s = [word(low), low >> 32n, word(high), high >> 32n] as [bigint, bigint, bigint, bigint]
  return Array.from({ length: count }, () => {
    const result = word(rotated(word(s[1] * 5n), 7n) * 9n)
    const t = word(s[1] << 9n)
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = rotated(s[3], 11n)
    return Number(result)
  })
}

test.each([
  [0, 0],
  [1, 7],
  [2 ** 32 - 1, 2 ** 52 + 3],
])('seed %d, stream %d gives the words of xoshiro128**', (seed, stream) => {
  const word = randomWords(seed, stream)
  expect(Array.from({ length: 50 }, word)).toEqual(reference(BigInt(seed), BigInt(stream), 50))
})

test('streams of a seed, and seeds of a stream, are different', () => {
  const first = (seed: number, stream: number) => new Random(seed, stream).next()
  const all = [0, 1, 2 ** 32, 2 ** 33, 2 ** 32 + 1].flatMap((stream) => [0, 1, 5].map((seed) => first(seed, stream)))
  expect(new Set(all).size).toBe(all.length)
})

test('numbers are spread over their range', () => {
  const random = new Random(3, 0)
  const drawn = Array.from({ length: 5000 }, () => random.uniform(-1, 3))
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(-1)
  expect(Math.max(...drawn)).toBeLessThan(3)
  expect(drawn.reduce((sum, value) => sum + value, 0) / 5000).toBeCloseTo(1, 1)
  const counts = [0, 0, 0, 0, 0, 0, 0]
  for (let i = 0; i < 7000; i++) counts[random.below(7)]! += 1
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120)
  const hits = Array.from({ length: 4000 }, () => random.chance(0.25)).filter(Boolean).length
  expect(Math.abs(hits - 1000)).toBeLessThan(120)
  expect([random.chance(0), random.chance(1)]).toEqual([false, true])
})

test('words past the last whole multiple are drawn again', () => {
  const words = [2 ** 32 - 1, 2 ** 32 - 1, 5]
  expect(below(2 ** 31 + 1, () => words.shift()!)).toBe(5)
  expect(words).toEqual([])
})
