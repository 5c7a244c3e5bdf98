/** A strided view of a run of elements. Strides are in elements. */
export interface View {
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

/** Elements of it, counted as often as they are seen. */
export function elementCount(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1)
}

/** Elements from its first to its last. */
export function elementSpan({ shape, strides }: View): number {
  if (shape.includes(0)) return 0
  return shape.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, 1)
}

/** The strides of `shape`, last dimension first, without gaps. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides: number[] = []
  let step = 1
  for (const size of shape.toReversed()) {
    strides.unshift(step)
    step *= Math.max(1, size)
  }
  return strides
}

/** Whether its elements lie one after the other in their order. */
export function isContiguous({ shape, strides }: View): boolean {
  if (shape.includes(0)) return true
  const wanted = contiguousStrides(shape)
  return shape.every((size, i) => size === 1 || strides[i] === wanted[i])
}
