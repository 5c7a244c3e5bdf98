/** A name that a pickle imports. */
export class PyGlobal {
  readonly module: string
  readonly name: string

  constructor(module: string, name: string) {
    this.module = module
    this.name = name
  }
}

export class PyTuple {
  readonly items: readonly unknown[]

  constructor(items: readonly unknown[]) {
    this.items = items
  }
}

/** An object that is made by a call, then given items and a state. */
export class PyCall {
  readonly callee: PyGlobal
  readonly args: PyTuple
  readonly items: readonly (readonly [unknown, unknown])[]
  readonly state: unknown

  constructor(callee: PyGlobal, args: PyTuple, items: readonly (readonly [unknown, unknown])[] = [], state?: unknown) {
    this.callee = callee
    this.args = args
    this.items = items
    this.state = state
  }
}

/** An object beside the pickle, by its id. */
export class PyPersistent {
  readonly id: PyTuple

  constructor(id: PyTuple) {
    this.id = id
  }
}

/** Text that is an object of its own: an equal one is written again. */
export class PyText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A floating-point number, which JavaScript does not tell from an integer. */
export class PyFloat {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** Bytes that are no opcode of ours, where a value is due. */
export class RawOpcodes {
  readonly bytes: Uint8Array

  constructor(...bytes: (number | string)[]) {
    this.bytes = Buffer.concat(bytes.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part]))))
  }
}

export const tuple = (...items: unknown[]): PyTuple => new PyTuple(items)

const ordered = new PyGlobal('collections', 'OrderedDict')

/** A collections.OrderedDict, with attributes (a state dict's _metadata) where given. */
export function orderedDict(items: Iterable<readonly [unknown, unknown]> = [], attributes?: Map<unknown, unknown>): PyCall {
  return new PyCall(ordered, tuple(), [...items], attributes)
}

/**
 * The pickle of protocol 2 that CPython writes of a value: null, booleans, integers, strings, arrays (lists), Maps (dicts), and
 * the classes above. Objects and equal strings are written once, and referred to afterwards.
 */
export function pickle(value: unknown): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x80, 2])]
  new Writer(parts).save(value)
  return Buffer.concat([...parts, Buffer.from('.')])
}

const batch = 1000

class Writer {
  readonly #parts: Uint8Array[]
  readonly #memo = new Map<unknown, number>()

  constructor(parts: Uint8Array[]) {
    this.#parts = parts
  }

  #write(...parts: (number | string | Uint8Array)[]): void {
    for (const part of parts) {
      this.#parts.push(typeof part === 'number' ? Buffer.from([part]) : typeof part === 'string' ? Buffer.from(part) : part)
    }
  }

  #put(key: unknown): void {
    const index = this.#memo.size
    this.#memo.set(key, index)
    this.#write(index < 256 ? 'q' : 'r', index < 256 ? index : uint32(index))
  }

  /** Writes what is known already as a reference. */
  #get(key: unknown): boolean {
    const index = this.#memo.get(key)
    if (index === undefined) return false
    this.#write(index < 256 ? 'h' : 'j', index < 256 ? index : uint32(index))
    return true
  }

  save(value: unknown): void {
    if (value === null) this.#write('N')
    else if (typeof value === 'boolean') this.#write(value ? 0x88 : 0x89)
    else if (typeof value === 'number') this.#integer(value)
    else if (value instanceof RawOpcodes) this.#write(value.bytes)
    else if (value instanceof PyFloat) this.#write('G', float64(value.value))
    else if (value instanceof PyPersistent) {
      this.save(value.id)
      this.#write('Q')
    } else if (value instanceof PyTuple) this.#tuple(value)
    else if (this.#get(value instanceof PyGlobal ? `${value.module} ${value.name}` : value)) return
    else this.#object(value)
  }

  #integer(value: number): void {
    if (value >= 0 && value < 256) this.#write('K', value)
    else if (value >= 0 && value < 65536) this.#write('M', uint32(value).subarray(0, 2))
    else if (value === (value | 0)) this.#write('J', uint32(value >>> 0))
    else {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64LE(BigInt(value))
      let length = 8
      while (bytes[length - 1] === 0 && bytes[length - 2]! < 128) length--
      this.#write(0x8a, length, bytes.subarray(0, length))
    }
  }

  #tuple(value: PyTuple): void {
    const { items } = value
    if (items.length === 0) this.#write(')')
    else if (!this.#get(value)) {
      if (items.length > 3) this.#write('(')
      for (const item of items) this.save(item)
      this.#write(items.length > 3 ? 't' : 0x84 + items.length)
      this.#put(value)
    }
  }

  #object(value: unknown): void {
    if (typeof value === 'string' || value instanceof PyText) {
      const bytes = Buffer.from(typeof value === 'string' ? value : value.text)
      this.#write('X', uint32(bytes.length), bytes)
      this.#put(value)
    } else if (value instanceof PyGlobal) {
      this.#write('c', `${value.module}\n${value.name}\n`)
      this.#put(`${value.module} ${value.name}`)
    } else if (Array.isArray(value)) {
      this.#write(']')
      this.#put(value)
      this.#batches(value, 'a', 'e', (item) => this.save(item))
    } else if (value instanceof Map) {
      this.#write('}')
      this.#put(value)
      this.#items([...value])
    } else if (value instanceof PyCall) {
      this.save(value.callee)
      this.save(value.args)
      this.#write('R')
      this.#put(value)
      this.#items(value.items)
      if (value.state !== undefined) {
        this.save(value.state)
        this.#write('b')
      }
    } else {
      throw new Error(`a pickle of ${String(value)} is not written here`)
    }
  }

  #items(items: readonly (readonly [unknown, unknown])[]): void {
    this.#batches(items, 's', 'u', ([key, item]) => {
      this.save(key)
      this.save(item)
    })
  }

  #batches<T>(items: readonly T[], one: string, many: string, save: (item: T) => void): void {
    for (let i = 0; i < items.length; i += batch) {
      const part = items.slice(i, i + batch)
      if (part.length > 1) this.#write('(')
      part.forEach(save)
      this.#write(part.length > 1 ? many : one)
    }
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

export function uint64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}
