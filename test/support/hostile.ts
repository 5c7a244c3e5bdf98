/** A buffer that can be resized, which the compiler's library does not know yet. */
export function resizable(bytes: number): ArrayBuffer & { resize(bytes: number): void } {
  return new (ArrayBuffer as never as new (length: number, options: object) => ArrayBuffer & { resize(bytes: number): void })(bytes, { maxByteLength: bytes })
}

/** What hostile code throws, to tell it from errors of the package. */
export class Malice extends Error {}

/** Arguments of a call, spoilt in one place. `name` says how. */
export interface Spoilt {
  readonly name: string
  readonly args: unknown[]
}

/** Values that nobody means, whatever is asked for. Each is made anew. */
const values: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  '-1': () => -1,
  '1.5': () => 1.5,
  '2^53': () => 2 ** 53,
  NaN: () => NaN,
  'a bigint': () => 1n,
  'a symbol': () => Symbol('hostile'),
  // No path that can be written to.
  text: () => '/proc/nowhere/hostile',
  'no text': () => '',
  'a NUL': () => 'a\0b',
  'a function': () => () => undefined,
  'an empty list': () => [],
  'a list of holes': () => Array(2 ** 32 - 1),
  'a hole and a 1': () => [, 1],
  'a list without a prototype': () => Object.setPrototypeOf([1, 2], null),
  'a list whose elements throw': () => Object.defineProperty([1, 2], 0, { get: thrower, enumerable: true }),
  'a list whose iterator throws': () => Object.defineProperty([1, 2], Symbol.iterator, { value: thrower }),
  'an empty object': () => ({}),
  'an object without a prototype': () => Object.create(null),
  'an object that turns into nothing': () => ({ [Symbol.toPrimitive]: thrower, toString: thrower, valueOf: thrower, toJSON: thrower }),
  'an object whose class throws': () => Object.defineProperty({}, 'constructor', { get: thrower }),
  'a Date': () => new Date(0),
  'a detached array': () => detached(new Float32Array(4)),
  'a shared array': () => new Float32Array(new SharedArrayBuffer(16)),
  'a proxy that throws': () => new Proxy({}, throwing),
  'a proxy of a list that throws': () => new Proxy([1], throwing),
  'a revoked proxy': () => revoked({}),
  'a revoked proxy of a list': () => revoked([]),
}

/** All the ways to spoil what `make` makes, in each place of it. `sabotage` is called by accessors while the arguments are read. */
export function* spoilt(make: () => unknown[], sabotage: () => void): Generator<Spoilt> {
  const places = placesIn(make())
  for (const place of places) {
    const where = place.join('.')
    for (const [name, value] of Object.entries(values)) yield { name: `${where} is ${name}`, args: replaced(make(), place, value) }
    yield { name: `${where} is itself through a proxy`, args: replaced(make(), place, (old) => (isPlain(old) ? new Proxy(old as object, {}) : old)) }
    yield { name: `${where} throws`, args: accessor(make(), place, thrower) }
    yield { name: `${where} throws the second time`, args: accessor(make(), place, (value, reads) => (reads === 1 ? value : thrower())) }
    yield { name: `${where} is another the second time`, args: accessor(make(), place, (value, reads) => (reads === 1 ? value : 'hostile')) }
    for (const time of [1, 2]) {
      const detach = make()
      yield {
        name: `${where} detaches all buffers at read ${time}`,
        args: accessor(detach, place, (value, reads) => (reads === time && buffersIn(detach).forEach(transfer), value)),
      }
      const shrink = resized(make())
      yield {
        name: `${where} shrinks all buffers at read ${time}`,
        args: accessor(shrink, place, (value, reads) => (reads === time && buffersIn(shrink).forEach(cut), value)),
      }
      yield { name: `${where} disposes everything at read ${time}`, args: accessor(make(), place, (value, reads) => (reads === time && sabotage(), value)) }
    }
  }
  for (const place of placesIn(make(), ArrayBuffer.isView)) {
    const where = place.join('.')
    const whole = (change: (array: Uint8Array) => unknown): unknown[] => replaced(make(), place, (array) => change(array as Uint8Array))
    yield { name: `${where} is detached`, args: whole(detached) }
    yield { name: `${where} lies in shared memory`, args: whole((array) => within(array, new SharedArrayBuffer(array.byteLength))) }
    yield { name: `${where} lies in a buffer that can be resized`, args: whole((array) => within(array, resizable(array.byteLength))) }
    yield { name: `${where} lies in a buffer that has shrunk`, args: whole((array) => shrunk(within(array, resizable(array.byteLength)))) }
    yield { name: `${where} says another length`, args: whole((array) => Object.defineProperty(array, 'length', { value: 1e9 })) }
    yield {
      name: `${where} has methods that throw`,
      args: whole((array) => Object.assign(array, { slice: thrower, findIndex: thrower, subarray: thrower, set: thrower })),
    }
  }
}

/** Where plain objects and lists have something, and what is an argument itself. */
function placesIn(value: unknown, wanted: (value: unknown) => boolean = () => true, around: readonly string[] = []): string[][] {
  const own = around.length > 0 && wanted(value) ? [[...around]] : []
  if (!isPlain(value) || around.length > 4) return own
  // Of a list's elements the first stands for all, but for the arguments themselves.
  const names = Array.isArray(value) && around.length > 0 ? Object.keys(value).slice(0, 1) : Object.keys(value as object)
  return [...own, ...names.flatMap((name) => placesIn((value as never)[name], wanted, [...around, name]))]
}

/** The arguments, copied along the way, with what `change` makes of the value in a place. */
function replaced(args: unknown[], place: readonly string[], change: (old: unknown) => unknown): unknown[] {
  return along(args, place, (holder, name) => {
    holder[name] = change(holder[name])
  })
}

/** The arguments with an accessor in a place. An argument itself has no place for one, and is given as it is. */
function accessor(args: unknown[], place: readonly string[], read: (value: unknown, reads: number) => unknown): unknown[] {
  if (place.length < 2) return args
  return along(args, place, (holder, name) => {
    const value = holder[name]
    let reads = 0
    Object.defineProperty(holder, name, { get: () => read(value, ++reads), enumerable: true, configurable: true })
  })
}

function along(args: unknown[], place: readonly string[], change: (holder: Record<string, unknown>, name: string) => void): unknown[] {
  let holder = args as never as Record<string, unknown>
  for (const name of place.slice(0, -1)) {
    const inner = holder[name] as object
    holder[name] = Array.isArray(inner) ? [...(inner as unknown[])] : { ...inner }
    holder = holder[name] as Record<string, unknown>
  }
  change(holder, place.at(-1)!)
  return args
}

/** The arguments with each array's memory in a buffer that can be resized. */
function resized(value: unknown): never {
  if (ArrayBuffer.isView(value)) return within(value as Uint8Array, resizable(value.byteLength)) as never
  if (Array.isArray(value)) return value.map(resized) as never
  if (!isPlain(value)) return value as never
  return Object.fromEntries(Object.entries(value as object).map(([name, each]) => [name, resized(each)])) as never
}

function buffersIn(value: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer]
  if (!isPlain(value)) return []
  const properties = Object.values(Object.getOwnPropertyDescriptors(value as object))
  return properties.flatMap((property) => buffersIn(property.value))
}

function transfer(buffer: ArrayBuffer): void {
  if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] })
}

function cut(buffer: ArrayBuffer): void {
  ;(buffer as ReturnType<typeof resizable>).resize(0)
}

function within(array: Uint8Array, buffer: ArrayBufferLike): Uint8Array {
  const moved = new (array.constructor as new (buffer: ArrayBufferLike) => Uint8Array)(buffer)
  moved.set(array)
  return moved
}

function shrunk(array: Uint8Array): Uint8Array {
  ;(array.buffer as ReturnType<typeof resizable>).resize(array.BYTES_PER_ELEMENT)
  return array
}

function detached<T extends ArrayBufferView>(array: T): T {
  transfer(array.buffer as ArrayBuffer)
  return array
}

function thrower(): never {
  throw new Malice('hostile')
}

const throwing = new Proxy({}, { get: () => thrower }) as ProxyHandler<object>

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isPlain(value: unknown): boolean {
  if (!isObject(value)) return false
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
}
