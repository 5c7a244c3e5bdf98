import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../lib/tensor.ts'
import { expectClose } from './expect-close.ts'

const of = (shape: number[], ...data: number[]): Tensor<'float32'> => ({ dtype: 'float32', shape, data: new Float32Array(data) })
const golden = of([2, 3], 0, 1, 2, 3, 4, 5)

describe('expectClose', () => {
  it('accepts what is within the tolerance', () => {
    expectClose(golden, golden, 0)
    expectClose(of([2, 3], 0.5, 1, 2, 2.5, 4, 5), golden, 0.5)
    expectClose(of([0]), of([0]), 0)
  })

  it('compares a float32 tensor with a float64 golden one', () => {
    expectClose(of([1], 0.1), { dtype: 'float64', shape: [1], data: new Float64Array([0.1]) }, 1e-8)
  })

  it('names the worst element, where it is and both values', () => {
    expect(() => expectClose(of([2, 3], 0, 1.25, 2, 3, 3.25, 5), golden, 0.2)).toThrow(
      '2 of 6 elements are further than 0.2 from golden; the worst, [1,1], is 3.25 instead of 4 (off by 0.75)',
    )
  })

  it.each([NaN, Infinity, -Infinity])('refuses %s', (value) => {
    expect(() => expectClose(of([2, 3], 0, 1, 2, 3, 4, value), golden, 1e30)).toThrow(`the worst, [1,2], is ${value} instead of 5`)
    expect(() => expectClose(of([1], value), of([1], value), 1)).toThrow('1 of 1 elements')
    expect(() => expectClose(of([1], 1), of([1], value), 1)).toThrow('1 of 1 elements')
  })

  it('refuses another shape and data that does not fill it', () => {
    expect(() => expectClose(of([3, 2], 0, 1, 2, 3, 4, 5), golden, 1)).toThrow('the shape is 3 × 2, golden is 2 × 3')
    expect(() => expectClose(of([2, 3], 0, 1), golden, 1)).toThrow('2 elements do not fill')
  })
})
