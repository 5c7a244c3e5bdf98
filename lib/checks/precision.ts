/** The types that a network's predictions can calculate in. */
export const precisions = ['float32', 'bfloat16'] as const

/** One of {@link precisions}. */
export type Precision = (typeof precisions)[number]
