/**
 * The numbers that the golden values were made from: parameters and inputs are functions of a name, so none are stored.
 * The formulas, and every rounding to float32 in them, are those of the program that wrote the golden values.
 */

const { fround } = Math

/** `count` reproducible numbers in [0, 1), multiples of 2^-24, from a name: an FNV-1a seed and MurmurHash3's finaliser. */
export function noiseLike(name: string, count: number): Float32Array {
  const out = new Float32Array(count)
  let state = fnv1a(name)
  for (let i = 0; i < count; i++) {
    let x = state
    state = (state + 0x9e3779b9) | 0
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
    out[i] = ((x ^ (x >>> 16)) >>> 8) * 2 ** -24
  }
  return out
}

function fnv1a(name: string): number {
  let hash = 2166136261
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 16777619)
  return hash | 0
}

/** The test value of the parameter or buffer `name`, which is its name in the published checkpoints. */
export function testValue(name: string, shape: readonly number[]): Float32Array {
  const values = noiseLike(name, count(shape))
  const [offset, scale, signed] = rule(name, shape)
  const factor = fround(scale)
  for (let i = 0; i < values.length; i++) {
    // 2u - 1 is exact in float32; the product and the sum are rounded one after the other.
    const value = signed ? 2 * values[i]! - 1 : values[i]!
    values[i] = offset + fround(factor * value)
  }
  return values
}

/** offset + scale · v, where v is the noise, moved to [-1, 1) where signed. */
function rule(name: string, shape: readonly number[]): [offset: number, scale: number, signed: boolean] {
  if (name.endsWith('running_var')) return [0.5, 1, false]
  if (name.endsWith('running_mean')) return [0, 0.1, true]
  if (name.endsWith('cls_token') || name.endsWith('pos_embedding') || name.includes('.rel_pos_')) return [0, 0.5, true]
  if (shape.length === 1) return [name.endsWith('weight') ? 1 : 0, 0.1, true]
  return [0, Math.sqrt(3 / count(shape.slice(1))), true]
}

/** A named input: normal (the sum of twelve uniforms, minus 6) or unit (uniform in [0, 1)). */
export function testInput(name: string, shape: readonly number[], kind: 'normal' | 'unit' = 'normal'): Float32Array {
  const n = count(shape)
  if (kind === 'unit') return noiseLike(`input/${name}`, n)
  const uniforms = noiseLike(`input/${name}`, 12 * n)
  const out = new Float32Array(n)
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let row = 0; row < 12; row++) sum = fround(sum + uniforms[row * n + i]!)
    out[i] = sum - 6
  }
  return out
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
