/** Mentioned by the entry point, and not exported. */
interface Hidden {
  /** Anything. */
  readonly value: number
}

/** Documented, with a link to {@link nowhere}. */
export function linked(hidden: Hidden): number {
  return hidden.value
}

export const silent = 1

/** How to do nothing. */
export interface IdleOptions {
  /** How often. */
  times?: number | undefined
  /** How long, in seconds. Default 1. */
  seconds?: number | undefined
}
