/** Makes properties of an object ours alone: what is checked against them may not be written, or hidden, by anybody. */
export function fixed<T extends object>(object: T, ...names: readonly (keyof T)[]): void {
  for (const name of names) Object.defineProperty(object, name, { writable: false, configurable: false })
}
