/** How many steps so many samples make: the last may be of fewer, where it is not dropped. */
export function stepsOf(samples: number, { batch, dropLast }: { readonly batch: number; readonly dropLast: boolean }): number {
  return dropLast ? Math.floor(samples / batch) : Math.ceil(samples / batch)
}
