import { describe, expect, it } from 'vitest'
import { unpickle } from '../../lib/checkpoint/pickle.ts'
import { PickleError, PickleTruncated } from '../../lib/checkpoint/pickle-bytes.ts'
import { type PickledObject, type PickleGlobal, typeOf } from '../../lib/checkpoint/pickle-values.ts'
import { storageOf, torchGlobal, UnknownGlobal } from '../../lib/checkpoint/torch-globals.ts'
import { orderedDict, pickle, PyCall, PyFloat, PyGlobal, RawOpcodes, tuple, uint32, uint64 } from '../support/pickle-writer.ts'

const hooks = { global: torchGlobal, persistent: storageOf }

/** The bytes of a pickle: numbers are bytes, text is its characters. */
const bytes = (...parts: (number | string | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))

const read = (...parts: (number | string | Uint8Array)[]): unknown => unpickle(bytes(...parts), hooks).value

function refused(given: Uint8Array, ...words: (string | RegExp)[]): PickleError {
  let error: unknown
  try {
    expect.fail(`it was read as ${typeOf(unpickle(given, hooks).value)}`)
  } catch (thrown) {
    error = thrown
  }
  if (!(error instanceof PickleError)) throw error
  for (const word of words) expect(error.message).toMatch(word)
  return error
}

describe('unpickle', () => {
  it.each<[string, unknown, unknown]>([
    ['None', null, null],
    ['True', true, true],
    ['a byte', 200, 200],
    ['two bytes', 40_000, 40_000],
    ['a negative number', -5, -5],
    ['40 bits', 2 ** 40, 2 ** 40],
    ['a float', new PyFloat(-1.5), -1.5],
    ['text', 'é€😀', 'é€😀'],
    ['a list', [1, [2], []], [1, [2], []]],
    ['a tuple', tuple(1, tuple(), tuple('a', 'b', 'c', 'd')), [1, [], ['a', 'b', 'c', 'd']]],
    ['a dict', new Map([['a', new Map()]]), new Map([['a', new Map()]])],
    ['an OrderedDict with attributes', orderedDict([['a', 1]], new Map([['_metadata', 1]])), new Map([['a', 1]])],
    ['a torch.Size', new PyCall(new PyGlobal('torch', 'Size'), tuple(tuple(2, 3))), [2, 3]],
    ['a Counter', new PyCall(new PyGlobal('collections', 'Counter'), tuple(new Map([[3, 1]]))), new Map([[3, 1]])],
    ['pairs', new PyCall(new PyGlobal('collections', 'OrderedDict'), tuple([['a', 1]])), new Map([['a', 1]])],
    ['a set, by its name in Python 2', new PyCall(new PyGlobal('__builtin__', 'set'), tuple([1, 2])), new Set([1, 2])],
    ['bytes', new PyCall(new PyGlobal('_codecs', 'encode'), tuple('aÿ', 'latin1')), Buffer.from([97, 255])],
    ['a parameter', new PyCall(new PyGlobal('torch._utils', '_rebuild_parameter'), tuple('its tensor', true, orderedDict())), 'its tensor'],
  ])('reads %s of protocol 2', (_, value, expected) => {
    expect(unpickle(pickle(value), hooks).value).toEqual(expected)
  })

  it('reads more than a thousand items, which come in batches', () => {
    const items = Array.from({ length: 2001 }, (_, i) => i)
    expect(unpickle(pickle(items), hooks).value).toEqual(items)
  })

  it('reads equal objects as one', () => {
    const shared = [1]
    const [a, b] = unpickle(pickle([shared, shared]), hooks).value as unknown[]
    expect(a).toBe(b)
  })

  // What pickle.dumps writes, by protocol.
  it('reads protocol 1', () => {
    expect(read('](I01\nI00\nK\x07L1180591620717411303424L\nL-9L\ne.')).toEqual([true, false, 7, 2n ** 70n, -9])
  })

  it('reads protocol 4', () => {
    const value = read(
      0x80,
      4,
      0x95,
      uint64(36),
      '}',
      0x94,
      '(',
      0x8c,
      1,
      'a',
      0x94,
      ']',
      0x94,
      '(K\x01G',
      Buffer.from('3ff8000000000000', 'hex'),
      'e',
      0x8c,
      1,
      'b',
      0x94,
      'h\x00h\x01\x860h\x02',
      'u.',
    )
    expect(value).toEqual(
      new Map<string, unknown>([
        ['a', [1, 1.5]],
        ['b', [1, 1.5]],
      ]),
    )
    expect(read(0x80, 4, 0x8c, 11, 'collections', 0x94, 0x8c, 11, 'OrderedDict', 0x94, 0x93, 0x94, ')R.')).toEqual(new Map())
    expect(read(0x80, 4, 0x8f, 0x94, '(K\x01K\x02', 0x90, '.')).toEqual(new Set([1, 2]))
    expect(read(0x80, 4, '(K\x01', 0x91, '.')).toEqual(new Set([1]))
  })

  it('reads protocol 5', () => {
    expect(read(0x80, 5, 0x96, uint64(2), 'ab', '.')).toEqual(Buffer.from('ab'))
    expect(read(0x80, 5, 'C\x01x.')).toEqual(Buffer.from('x'))
  })

  it('reads numbers of any length, two complements', () => {
    expect(read(0x8a, 0, '.')).toBe(0)
    expect(read(0x8a, 1, 0xff, '.')).toBe(-1)
    expect(read(0x8a, 10, Buffer.from('6cfc9c46f9206aa85019', 'hex'), '.')).toBe(0x1950a86a20f9469cfc6cn)
    expect(read(0x8b, uint32(8), Buffer.from('ffffffffffff1f00', 'hex'), '.')).toBe(2 ** 53 - 1)
    expect(read(0x8b, uint32(8), Buffer.from('0000000000002000', 'hex'), '.')).toBe(2n ** 53n)
  })

  it("takes Python 2's strings for text where they are", () => {
    expect(read('U\x02ab.')).toBe('ab')
    expect(read('T', uint32(1), 0xff, '.')).toEqual(Buffer.from([0xff]))
  })

  it('says where the pickle ends', () => {
    const two = Buffer.concat([pickle(1), pickle('a')])
    const { value, end } = unpickle(two, hooks)
    expect([value, end, unpickle(two, hooks, end).value]).toEqual([1, pickle(1).length, 'a'])
  })

  it('keeps what belongs to no tensor as what it was made of', () => {
    const namespace = new PyCall(new PyGlobal('argparse', 'Namespace'), tuple(), [], new Map([['lr', 1]]))
    const value = unpickle(pickle([namespace, new PyGlobal('torch', 'float32')]), hooks).value as [PickledObject, PickleGlobal]
    expect(value[0]).toMatchObject({ name: 'argparse.Namespace', args: [], state: new Map([['lr', 1]]) })
    expect(value[1].name).toBe('torch.float32')
  })
})

describe('unpickle, of a name that would run code', () => {
  const command = tuple('touch /tmp/diffsal-was-here')

  it.each([
    ['posix', 'system'],
    ['os', 'system'],
    ['builtins', 'eval'],
    ['__builtin__', 'eval'],
    ['builtins', 'exec'],
    ['builtins', 'getattr'],
    ['builtins', '__import__'],
    ['subprocess', 'Popen'],
    ['torch', 'load'],
    ['torch.storage', '_load_from_bytes'],
    ['torch.hub', 'load'],
    ['operator', 'attrgetter'],
    ['collections', 'OrderedDict.fromkeys'],
    ['numpy', 'load'],
    ['__main__', 'Model'],
    ['torch._utils', '_rebuild_tensor_v2.__globals__'],
    ['constructor', 'constructor'],
    ['__proto__', 'polluted'],
  ])('refuses %s.%s by its name, called or not', (module, name) => {
    const global = new PyGlobal(module, name)
    for (const value of [global, [global], new PyCall(global, command), new Map([['state_dict', new PyCall(global, command)]])]) {
      const error = refused(pickle(value), `'${module}.${name}'`)
      expect(error).toBeInstanceOf(UnknownGlobal)
    }
    refused(bytes(0x80, 4, 0x8c, module.length, module, 0x8c, name.length, name, 0x93, '.'), `'${module}.${name}'`)
  })

  it('shows a name that is meant to mislead as one short line', () => {
    const error = refused(pickle(new PyGlobal('os', `${'x'.repeat(300)}`)), 'os.xxx')
    expect(error.message.length).toBeLessThan(500)
    refused(bytes(0x80, 4, 0x8c, 2, 'os', 0x8c, 3, 'a\n\x1b', 0x93, '.'), "'os.a??'")
  })

  it.each([
    ['INST', '(iposix\nsystem\n.'],
    ['OBJ', '(cbuiltins\nlist\no.'],
    ['EXT1', '\x82\x01.'],
    ['PERSID', 'Pabc\n.'],
    ['NEXT_BUFFER', '\x97.'],
    ['STRING', "S'a'\n."],
  ])('does not know %s', (_, opcodes) => {
    refused(bytes(opcodes), 'opcode')
  })

  it('calls nothing but names that make data', () => {
    refused(pickle(new PyCall(new PyGlobal('torch', 'float32'), tuple(1))), "calls 'torch.float32'")
    refused(pickle(new PyCall(new PyGlobal('builtins', 'list'), tuple('abc'))), "calls 'builtins.list'")
    refused(bytes('K\x01)R.'), 'calls what is no name')
    refused(bytes('ccollections\nOrderedDict\n]R.'), 'calls what is no name')
  })
})

describe('unpickle, of what is damaged', () => {
  const whole = pickle(
    new Map<string, unknown>([
      [
        'state_dict',
        orderedDict([
          ['a', tuple(1, 2, 3, 4)],
          ['b', [new PyFloat(1)]],
        ]),
      ],
    ]),
  )

  it('refuses every truncation', () => {
    expect(unpickle(whole, hooks).value).toBeInstanceOf(Map)
    for (let length = 0; length < whole.length; length++) {
      expect(refused(whole.subarray(0, length))).toBeInstanceOf(PickleTruncated)
    }
  })

  it.each<[string, (number | string | Uint8Array)[], string | RegExp]>([
    ['an empty stack', ['.'], 'takes a value'],
    ['two values', ['NN.'], 'ends too early'],
    ['a mark that is left', ['(N.'], 'ends too early'],
    ['a value below a mark', ['N(R.'], 'takes a value'],
    ['a mark that was never made', ['t.'], 'mark'],
    ['a memo without that entry', ['h\x05.'], 'not made'],
    ['protocol 6', [0x80, 6, 'N.'], 'later protocol'],
    ['an item of a number', ['K\x01NNs.'], 'no dict'],
    ['half an item', ['}(Nu.'], 'without its value'],
    ['an append to a tuple', [')Na.'], 'no list'],
    ['an append to a dict', ['}Na.'], 'no list'],
    ['an addition to a list', ['](N', 0x90, '.'], 'no set'],
    ['the state of a number', ['K\x01}b.'], 'state'],
    ['the state of a name', ['cbuiltins\nlist\n}b.'], 'state'],
    ['a name that is no text', [0x80, 4, 'K\x01K\x02', 0x93, '.'], 'imports no name'],
    ['an id that is no storage', ['K\x01Q.'], 'no storage'],
    ['a truth value of 2', ['I02\n.'], 'truth value'],
    ['letters as a number', ['Labc\n.'], 'bad number'],
    ['text that is no UTF-8', ['X', uint32(1), 0xff, '.'], 'not UTF-8'],
  ])('refuses %s', (_, parts, words) => {
    refused(bytes(...parts), words)
  })
})

describe('unpickle, of what is made to fill the memory', () => {
  it.each<[string, (number | string | Uint8Array)[]]>([
    ['text of 4 GB', ['X', uint32(0xffffffff), 'abc']],
    ['text of 2^64 bytes', [0x8d, Buffer.alloc(8, 0xff), 'abc']],
    ['bytes of 2^63 bytes', [0x8e, uint64(2n ** 63n), 'abc']],
    ['a byte array of 2^53 bytes', [0x96, uint64(2n ** 53n), 'abc']],
  ])('refuses %s without making room for it', (_, parts) => {
    expect(refused(bytes(...parts))).toBeInstanceOf(PickleTruncated)
  })

  it('refuses huge integers, however they are written', () => {
    refused(bytes(0x8b, uint32(0x7fffffff), Buffer.alloc(100)), 'huge integer')
    refused(bytes(0x8b, uint32(257), Buffer.alloc(257), '.'), 'huge integer')
    refused(bytes(`L${'9'.repeat(2000)}L\n.`), 'bad number')
    refused(bytes('L', '9'.repeat(1e6)), 'endless line')
    refused(bytes('c', 'x'.repeat(1e6)), 'endless line')
  })

  it('refuses an object inside of itself', () => {
    const cycle = 'inside of itself'
    refused(bytes(']q\x00h\x00a.'), cycle)
    refused(bytes('}q\x00K\x01h\x00s.'), cycle)
    refused(bytes(']q\x00(h\x00ta.'), cycle)
    refused(bytes('}q\x00X', uint32(10), 'state_dict', 'h\x00s.'), cycle)
    refused(bytes('cargparse\nNamespace\n)Rq\x00}K\x01h\x00sb.'), cycle)
    refused(bytes(']q\x00]q\x01h\x00aa.'), cycle)
  })

  it('refuses deep nesting, but not many of one object', () => {
    refused(bytes(']'.repeat(100_000), 'a'.repeat(99_999), '.'), 'nested too deeply')
    refused(bytes('(', ')', '\x85'.repeat(50_000), 't.'), 'nested too deeply')
    // Ten references to ten references, and so on: 10^100 paths, and a hundred objects.
    const level = (i: number) => [']', 'q', i + 1, '(', ...Array<(string | number)[]>(10).fill(['h', i]).flat(), 'e0']
    const levels = Array.from({ length: 100 }, (_, i) => level(i)).flat()
    expect(read(']q\x000', ...levels, 'h', 100, '.')).toHaveLength(10)
  })

  it('refuses more objects than any checkpoint has', () => {
    refused(bytes('('.repeat(200_000)), 'too many marks')
    refused(bytes('N'.repeat(200_000)), 'too many values')
    refused(bytes(']0'.repeat(600_000), 'N.'), 'too many objects')
    refused(bytes('N0'.repeat(3_000_000), 'N.'), 'too many opcodes')
    const memo = Buffer.concat(Array.from({ length: 2 ** 20 + 1 }, (_, i) => Buffer.from([0x72, i & 255, (i >> 8) & 255, i >> 16, 0])))
    refused(bytes('N', memo, '.'), 'too many entries in its memo')
  })

  it('refuses calls that copy the same list without end', () => {
    const list = pickle(Array<number>(100_000).fill(1)).subarray(2, -1)
    refused(bytes(list, 'q\x01', '0cbuiltins\nset\nq\x02', 'h\x02h\x01\x85R0'.repeat(1000), 'N.'), 'too many values in its calls')
  })
})

describe('unpickle, of tensors', () => {
  const storageId = (...rest: unknown[]) => tuple('storage', new PyGlobal('torch', 'FloatStorage'), '0', 'cpu', 6, ...rest)
  const rebuilt = (id: unknown, offset: unknown, shape: unknown, strides: unknown) =>
    pickle(new PyCall(new PyGlobal('torch._utils', '_rebuild_tensor_v2'), tuple(id, offset, shape, strides, false, orderedDict())))
  // BINPERSID after the id.
  const storage = (...rest: unknown[]) =>
    new RawOpcodes(
      pickle(storageId(...rest))
        .subarray(2, -1)
        .toString('latin1'),
      'Q',
    )

  it('takes a view of a storage', () => {
    expect(unpickle(rebuilt(storage(), 1, tuple(2, 2), tuple(2, 1)), hooks).value).toMatchObject({
      storage: { key: '0', count: 6, begin: 0, end: 6, element: { dtype: 'F32', bytes: 4 } },
      offset: 1,
      shape: [2, 2],
      strides: [2, 1],
    })
    expect(unpickle(rebuilt(storage(tuple('1', 2, 3)), 0, tuple(3), tuple(1)), hooks).value).toMatchObject({
      storage: { begin: 2, end: 5 },
    })
  })

  it.each<[string, unknown, unknown, unknown]>([
    ['a negative offset', -1, tuple(2), tuple(1)],
    ['a fraction as offset', new PyFloat(0.5), tuple(2), tuple(1)],
    ['a list as shape', 0, [2], tuple(1)],
    ['a negative size', 0, tuple(-2), tuple(1)],
    ['a size of 2^62', 0, tuple(2 ** 62), tuple(1)],
    ['a negative stride', 0, tuple(2), tuple(-1)],
    ['a stride too few', 0, tuple(2, 3), tuple(1)],
    ['a text as size', 0, tuple('2'), tuple(1)],
    ['65 dimensions', 0, tuple(...Array<number>(65).fill(1)), tuple(...Array<number>(65).fill(1))],
  ])('refuses %s', (_, offset, shape, strides) => {
    refused(rebuilt(storage(), offset, shape, strides), 'tensor has')
  })

  it('refuses what is no storage, and views out of theirs', () => {
    refused(rebuilt(null, 0, tuple(), tuple()), 'no storage')
    refused(rebuilt(storage(tuple('1', 4, 3)), 0, tuple(), tuple()), 'out of its storage')
    refused(rebuilt(storage(null, null), 0, tuple(), tuple()), 'no storage')
    for (const id of [
      tuple('storage', new PyGlobal('torch', 'float32'), '0', 'cpu', 6),
      tuple('module', 1),
      tuple(),
      tuple('storage', new PyGlobal('torch', 'FloatStorage'), 0, 'cpu', 6),
      tuple('storage', new PyGlobal('torch', 'FloatStorage'), '0', 'cpu', -1),
    ]) {
      refused(bytes(pickle(id).subarray(0, -1), 'Q.'), 'no storage')
    }
  })
})
