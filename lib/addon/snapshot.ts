import { types } from 'node:util'
import { DiffSalError } from '../errors.ts'

/**
 * What the addon gets for an argument: a frozen copy of the own properties of objects and arrays, all the way down. Every native call passes
 * each of its arguments through this, once, before it reads anything (native/binding/call.h), so that reading them runs nobody's code and finds
 * what was checked. Functions and typed arrays are themselves: of the latter the addon asks the engine for memory and length as it copies them.
 *
 * @throws DiffSalError ERR_DIFFSAL_INTERNAL for a proxy or an accessor, which nobody can have checked
 */
export function snapshot(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (types.isProxy(value)) throw unchecked('a proxy')
  if (types.isTypedArray(value)) return value
  // Without a prototype nothing can be inherited, from a polluted Object.prototype either.
  const copy: Record<string, unknown> = Array.isArray(value) ? ([] as unknown[] as never) : (Object.create(null) as Record<string, unknown>)
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (!property.enumerable) continue
    if (!('value' in property)) throw unchecked('an accessor')
    copy[name] = snapshot(property.value)
  }
  return Object.freeze(copy)
}

function unchecked(what: string): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_INTERNAL', `An argument reached the addon as ${what}, unchecked.`)
}
