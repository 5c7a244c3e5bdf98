import type { Tensor } from '../../lib/tensor.ts'

/** Fails unless `actual` has the shape of `golden` and no element is further from it than `tolerance`; NaN is far from all. */
export function expectClose(actual: Tensor, golden: Tensor, tolerance: number): void {
  const [shape, wanted] = [actual.shape.join(' × '), golden.shape.join(' × ')]
  if (shape !== wanted) throw new Error(`the shape is ${shape}, golden is ${wanted}`)
  if (actual.data.length !== golden.data.length) {
    throw new Error(`${actual.data.length} elements do not fill the shape ${shape}`)
  }
  let worst = 0
  let worstError = -1
  let far = 0
  for (let i = 0; i < golden.data.length; i++) {
    const error = Math.abs(Number(actual.data[i]) - Number(golden.data[i]))
    // An infinite element equal to an infinite golden one differs by NaN, and golden values are finite: that fails too.
    const distance = Number.isNaN(error) ? Infinity : error
    if (distance > tolerance) far++
    if (distance > worstError) [worst, worstError] = [i, distance]
  }
  if (far === 0) return
  throw new Error(
    `${far} of ${golden.data.length} elements are further than ${tolerance} from golden; the worst, [${indexOf(worst, golden.shape)}], ` +
      `is ${actual.data[worst]} instead of ${golden.data[worst]} (off by ${worstError})`,
  )
}

/** The coordinates of the element at `offset`. */
function indexOf(offset: number, shape: readonly number[]): number[] {
  const index: number[] = []
  for (const size of shape.toReversed()) {
    index.unshift(offset % size)
    offset = Math.floor(offset / size)
  }
  return index
}
