import { PickleBytes, PickleError } from './pickle-bytes.ts'
import { checkGraph, isTuple, PickledObject, PickleGlobal, typeOf } from './pickle-values.ts'

/** The pickle of the longest state dicts takes a tenth of it. */
export const maxPickleBytes = 16 * 1024 * 1024

/** What a pickle may refer to. */
export interface PickleHooks {
  /** The stand-in for `module.name`; throws a PickleError for what is not known. */
  global(name: string): PickleGlobal
  /** The object that an id refers to outside of the pickle. */
  persistent(id: unknown): unknown
}

/**
 * A pickle of `torch.save` has some ten objects a tensor. Beyond these a pickle was made to fill the memory: each bound
 * keeps what its bytes can become below some hundred megabytes.
 */
const limits = { opcodes: 2 ** 22, stack: 2 ** 17, containers: 2 ** 19, memo: 2 ** 20, work: 2 ** 26 }

/**
 * Reads one pickle of protocol 1 to 5 from `bytes`, without running anything: names become what `hooks` gives for them,
 * and opcodes that `torch.save` never writes are refused.
 *
 * Python's values become null, booleans, numbers (bigint where a number is not exact), strings, Uint8Array, arrays (frozen
 * for a tuple), Map, Set and whatever `hooks` makes. None of them contains itself.
 *
 * @returns the value, and the offset after the pickle's end
 * @throws PickleError; PickleTruncated where more bytes might help
 */
export function unpickle(bytes: Uint8Array, hooks: PickleHooks, start = 0): { value: unknown; end: number } {
  const machine = new Machine(new PickleBytes(bytes, start), hooks)
  const value = machine.run()
  checkGraph(value)
  return { value, end: machine.in.position }
}

class Machine {
  readonly in: PickleBytes
  readonly hooks: PickleHooks
  readonly stack: unknown[] = []
  readonly memo = new Map<number, unknown>()
  readonly #marks: number[] = []
  #containers = 0
  #work = 0

  constructor(bytes: PickleBytes, hooks: PickleHooks) {
    this.in = bytes
    this.hooks = hooks
  }

  run(): unknown {
    for (let count = 0; ; count++) {
      if (count >= limits.opcodes) throw tooMuch('opcodes', limits.opcodes)
      const opcode = this.in.uint8()
      if (opcode === stop) break
      const operation = operations[opcode]
      if (operation === undefined) {
        const received = `the opcode 0x${opcode.toString(16).padStart(2, '0')} at offset ${this.in.position - 1}`
        throw new PickleError('its pickle has an opcode that torch.save does not write', 'a pickle of torch.save', received)
      }
      operation(this)
    }
    const value = this.pop()
    if (this.stack.length > 0 || this.#marks.length > 0) throw new PickleError('its pickle ends too early', 'one value at its end', 'more')
    return value
  }

  push(value: unknown): void {
    if (this.stack.length >= limits.stack) throw tooMuch('values on its stack', limits.stack)
    this.stack.push(value)
  }

  /** Pushes a new container. */
  make(container: object): void {
    if (++this.#containers > limits.containers) throw tooMuch('objects', limits.containers)
    this.push(container)
  }

  /** What is on top, above the last mark. */
  top(): unknown {
    if (this.stack.length <= (this.#marks.at(-1) ?? 0)) throw new PickleError('its pickle takes a value where none is', 'a value', 'none')
    return this.stack.at(-1)
  }

  pop(): unknown {
    const value = this.top()
    this.stack.pop()
    return value
  }

  mark(): void {
    if (this.#marks.length >= limits.stack) throw tooMuch('marks', limits.stack)
    this.#marks.push(this.stack.length)
  }

  /** Removes all that is above the last mark, and the mark. */
  popMark(): unknown[] {
    const mark = this.#marks.pop()
    if (mark === undefined) throw new PickleError('its pickle takes values up to a mark that it never made', 'a mark', 'none')
    return this.stack.splice(mark)
  }

  tuple(count: number): void {
    const items: unknown[] = []
    for (let i = 0; i < count; i++) items.unshift(this.pop())
    this.make(Object.freeze(items))
  }

  put(index: number): void {
    this.memo.set(index, this.top())
    if (this.memo.size > limits.memo) throw tooMuch('entries in its memo', limits.memo)
  }

  get(index: number): void {
    if (!this.memo.has(index)) throw new PickleError('its pickle refers to an object that it has not made', 'an entry of its memo', `${index}`)
    this.push(this.memo.get(index))
  }

  import(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw new PickleError('its pickle imports no name', 'text', typeof name)
    this.push(this.hooks.global(`${module}.${name}`))
  }

  /** Replaces a callee and its arguments by what the call makes. */
  call(): void {
    const args = this.pop()
    const callee = this.pop()
    if (!(callee instanceof PickleGlobal) || !isTuple(args)) throw new PickleError('its pickle calls what is no name', 'a name and a tuple', typeOf(callee))
    if (callee.call === undefined) throw new PickleError(`its pickle calls '${callee.name}'`, 'a function or a class that makes data', 'a name')
    // The call may copy all of it, however often it is asked.
    this.#work += args.reduce((sum: number, arg) => sum + sizeOf(arg), 1)
    if (this.#work > limits.work) throw tooMuch('values in its calls', limits.work)
    const made = callee.call(args)
    if (typeof made === 'object' && made !== null) this.make(made)
    else this.push(made)
  }

  append(items: readonly unknown[]): void {
    const list = this.top()
    if (!Array.isArray(list) || Object.isFrozen(list)) throw new PickleError('its pickle appends to what is no list', 'a list', typeOf(list))
    for (const item of items) list.push(item)
  }

  setItems(items: readonly unknown[]): void {
    const map = this.top()
    if (!(map instanceof Map)) throw new PickleError('its pickle sets items of what is no dict', 'a dict', typeOf(map))
    if (items.length % 2 !== 0) throw new PickleError('its pickle sets an item without its value', 'names and values', `${items.length} of them`)
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1])
  }

  addItems(items: readonly unknown[]): void {
    const set = this.top()
    if (!(set instanceof Set)) throw new PickleError('its pickle adds to what is no set', 'a set', typeOf(set))
    for (const item of items) set.add(item)
  }

  build(): void {
    const state = this.pop()
    const object = this.top()
    if (object instanceof PickledObject) object.state = state
    // The attributes of a dict or a tensor (a state dict's _metadata) are not needed.
    else if (typeof object !== 'object' || object === null || Array.isArray(object) || object instanceof PickleGlobal) {
      throw new PickleError('its pickle sets the state of what has none', 'an object', typeOf(object))
    }
  }
}

const stop = '.'.charCodeAt(0)
const newestProtocol = 5

/** What each opcode does, by its byte. */
const operations: ((m: Machine) => void)[] = []
const define = (opcode: string | number, operation: (m: Machine) => void): void => {
  operations[typeof opcode === 'string' ? opcode.charCodeAt(0) : opcode] = operation
}

define(0x80, (m) => {
  const protocol = m.in.uint8()
  if (protocol > newestProtocol) throw new PickleError('its pickle is of a later protocol', `at most ${newestProtocol}`, `${protocol}`)
})
// A frame only says how much a reader may fetch at once.
define(0x95, (m) => m.in.uint64())

define('N', (m) => m.push(null))
define(0x88, (m) => m.push(true))
define(0x89, (m) => m.push(false))
define('J', (m) => m.push(m.in.int32()))
define('K', (m) => m.push(m.in.uint8()))
define('M', (m) => m.push(m.in.uint16()))
define('L', (m) => m.push(m.in.decimal()))
define(0x8a, (m) => m.push(m.in.integer(m.in.uint8())))
define(0x8b, (m) => m.push(m.in.integer(m.in.uint32())))
define('G', (m) => m.push(m.in.float64()))
define('I', (m) => {
  const line = m.in.line()
  if (line !== '00' && line !== '01') throw new PickleError('its pickle has a bad truth value', "'00' or '01'", `'${line.slice(0, 40)}'`)
  m.push(line === '01')
})

define('X', (m) => m.push(m.in.text(m.in.uint32())))
define(0x8c, (m) => m.push(m.in.text(m.in.uint8())))
define(0x8d, (m) => m.push(m.in.text(m.in.uint64())))
define('T', (m) => m.push(m.in.textOrBytes(m.in.uint32())))
define('U', (m) => m.push(m.in.textOrBytes(m.in.uint8())))
define('B', (m) => m.make(m.in.slice(m.in.uint32())))
define('C', (m) => m.make(m.in.slice(m.in.uint8())))
define(0x8e, (m) => m.make(m.in.slice(m.in.uint64())))
define(0x96, (m) => m.make(m.in.slice(m.in.uint64())))

define('(', (m) => m.mark())
define('0', (m) => m.pop())
define('1', (m) => m.popMark())
define('2', (m) => m.push(m.top()))
define('q', (m) => m.put(m.in.uint8()))
define('r', (m) => m.put(m.in.uint32()))
define(0x94, (m) => m.put(m.memo.size))
define('h', (m) => m.get(m.in.uint8()))
define('j', (m) => m.get(m.in.uint32()))

define(']', (m) => m.make([]))
define(')', (m) => m.tuple(0))
define(0x85, (m) => m.tuple(1))
define(0x86, (m) => m.tuple(2))
define(0x87, (m) => m.tuple(3))
define('t', (m) => m.make(Object.freeze(m.popMark())))
define('}', (m) => m.make(new Map()))
define(0x8f, (m) => m.make(new Set()))
define(0x91, (m) => m.make(new Set(m.popMark())))
define('a', (m) => {
  const item = m.pop()
  m.append([item])
})
define('e', (m) => {
  const items = m.popMark()
  m.append(items)
})
define('s', (m) => {
  const value = m.pop()
  const name = m.pop()
  m.setItems([name, value])
})
define('u', (m) => {
  const items = m.popMark()
  m.setItems(items)
})
define(0x90, (m) => {
  const items = m.popMark()
  m.addItems(items)
})

define('c', (m) => {
  const module = m.in.line()
  m.import(module, m.in.line())
})
define(0x93, (m) => {
  const name = m.pop()
  m.import(m.pop(), name)
})
define('R', (m) => m.call())
define(0x81, (m) => m.call())
define('b', (m) => m.build())
define('Q', (m) => m.push(m.hooks.persistent(m.pop())))

function sizeOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value) || value instanceof Uint8Array) return 1 + value.length
  return value instanceof Map || value instanceof Set ? 1 + value.size : 1
}

function tooMuch(what: string, limit: number): PickleError {
  return new PickleError(`its pickle has too many ${what}`, `at most ${limit}`, 'more')
}
