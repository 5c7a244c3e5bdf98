import { PickleError } from './pickle-bytes.ts'

/** What stands in for a name that a pickle imports: data. Nothing is looked up, and `call` makes data of data. */
export class PickleGlobal {
  /** `collections.OrderedDict` */
  readonly name: string
  /** What the object is that Python would make by calling it. Absent for what is only named, such as a type. */
  readonly call?: (args: readonly unknown[]) => unknown

  constructor(name: string, call?: (args: readonly unknown[]) => unknown) {
    this.name = name
    if (call !== undefined) this.call = call
  }
}

/** An object of a known class of which nothing is needed: what it was made of. */
export class PickledObject {
  readonly name: string
  readonly args: readonly unknown[]
  state: unknown = null

  constructor(name: string, args: readonly unknown[]) {
    this.name = name
    this.args = args
  }
}

/** Whether a value is a Python tuple. */
export function isTuple(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && Object.isFrozen(value)
}

/** Python's word for what a value is. */
export function typeOf(value: unknown): string {
  if (value === null) return 'None'
  if (value instanceof PickleGlobal || value instanceof PickledObject) return `'${value.name}'`
  if (Array.isArray(value)) return isTuple(value) ? 'a tuple' : 'a list'
  if (value instanceof Map) return 'a dict'
  if (value instanceof Set) return 'a set'
  if (value instanceof Uint8Array) return 'bytes'
  return typeof value === 'object' ? 'a tensor' : `a ${typeof value}`
}

const deepest = 200

/** Refuses an object inside of itself, and a nesting that would exhaust whoever walks it. */
export function checkGraph(root: unknown): void {
  const trail: { object: object; parts: Iterator<unknown> }[] = []
  const open = new Set<object>()
  const checked = new Set<object>()
  const enter = (value: unknown): void => {
    const parts = partsOf(value)
    if (parts === undefined || checked.has(value as object)) return
    if (open.has(value as object)) throw new PickleError('its pickle has an object inside of itself', 'no such cycle', typeOf(value))
    if (trail.length >= deepest) throw new PickleError('its pickle is nested too deeply', `at most ${deepest} levels`, 'more')
    trail.push({ object: value as object, parts })
    open.add(value as object)
  }
  enter(root)
  for (let last = trail.at(-1); last !== undefined; last = trail.at(-1)) {
    const { value, done } = last.parts.next()
    if (done !== true) enter(value)
    else {
      trail.pop()
      open.delete(last.object)
      checked.add(last.object)
    }
  }
}

function partsOf(value: unknown): Iterator<unknown> | undefined {
  if (Array.isArray(value) || value instanceof Set) return value.values()
  if (value instanceof Map) return [...value.keys(), ...value.values()].values()
  return value instanceof PickledObject ? [value.args, value.state].values() : undefined
}
