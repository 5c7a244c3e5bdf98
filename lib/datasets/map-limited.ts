/** `make` of every item, in order, at most `limit` at a time. After the first failure no more are begun, and those begun are awaited. */
export async function mapLimited<Item, Value>(items: readonly Item[], limit: number, make: (item: Item) => Promise<Value>): Promise<Value[]> {
  const values: Value[] = new Array<Value>(items.length)
  let next = 0
  let failed = false
  const work = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const at = next++
      try {
        values[at] = await make(items[at]!)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, work))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return values
}
