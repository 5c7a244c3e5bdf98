import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type CheckpointTensor, readPth } from '../../lib/checkpoint/pth.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { orderedDict, pickle, PyCall, PyGlobal, PyPersistent, tuple, uint64 } from '../support/pickle-writer.ts'
import { magicPickle, pthLegacy, pthZip, PyStorage, PyTensor, rowMajor, storage, tensor, type ZipOptions } from '../support/pth-writer.ts'
import { writePth } from '../support/write-pth.ts'
import { temporaryPath } from '../support/temporary.ts'
import type { ZipRecord } from '../support/torch-zip.ts'

const range = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i)
const one = () => new Map([['a.weight', tensor(range(6), [2, 3])]])

const formats: [string, (value: unknown) => Buffer][] = [
  ['the zip format', (value) => pthZip(value)],
  ['the legacy format', (value) => pthLegacy(value)],
]

async function read(bytes: Uint8Array): Promise<{ tensors: Map<string, CheckpointTensor>; floats: (name: string) => number[] }> {
  const path = await writePth(bytes)
  const tensors = await readPth(path)
  const file = await readFile(path)
  /** The elements that `begin`, `end`, `strides` and `data` lead to. */
  const floats = (name: string): number[] => {
    const { shape, begin, end, strides = rowMajor(shape), data } = tensors.get(name)!
    const own = Uint8Array.from((data ?? file).subarray(begin, end))
    const values = new Float32Array(own.buffer)
    const out: number[] = []
    const walk = (axis: number, offset: number): void => {
      if (axis === shape.length) out.push(values[offset]!)
      else for (let i = 0; i < shape[axis]!; i++) walk(axis + 1, offset + i * strides[axis]!)
    }
    walk(0, 0)
    return out
  }
  return { tensors, floats }
}

const refused = async (bytes: Uint8Array, ...parts: (string | RegExp)[]): Promise<void> => {
  const path = await writePth(bytes)
  const error = await expectDiffSalError(() => readPth(path), 'ERR_DIFFSAL_CHECKPOINT', path, ...parts)
  expect(error).toMatchObject({ argument: path, expected: expect.any(String) as string, received: expect.any(String) as string })
  expect(error.message.length).toBeLessThan(800)
}

/** A zip with one of its records changed, or left out. */
const withRecord = (name: string, change: (record: ZipRecord) => ZipRecord | undefined, value: unknown = one(), options: ZipOptions = {}): Buffer => {
  const bytes = pthZip(value, {
    ...options,
    change: (records) => {
      const changed = records.flatMap((record) => (record.name === `archive/${name}` ? (change(record) ?? []) : record))
      if (changed.every((record, i) => record === records[i])) throw new Error(`there is no record '${name}'`)
      return changed
    },
  })
  return bytes
}

describe.each(formats)('readPth, of %s', (_, save) => {
  it('finds tensors of every type where they are', async () => {
    const { tensors, floats } = await read(
      save(
        orderedDict([
          ['f32', tensor(range(6), [2, 3])],
          ['f64', tensor(new Float64Array(2), [2])],
          ['f16', tensor(new Uint16Array(3), [3], 'HalfStorage')],
          ['bf16', tensor(new Uint16Array(3), [3, 1], 'BFloat16Storage')],
          ['i64', tensor(new BigInt64Array([7n]), [])],
          ['i32', tensor(new Int32Array(1), [1])],
          ['bool', tensor(new Uint8Array(4), [4], 'BoolStorage')],
          ['empty', tensor(new Float32Array(0), [0, 3])],
        ]),
      ),
    )
    expect([...tensors].map(([name, { dtype, shape, begin, end }]) => [name, dtype, shape, end - begin])).toEqual([
      ['f32', 'F32', [2, 3], 24],
      ['f64', 'F64', [2], 16],
      ['f16', 'F16', [3], 6],
      ['bf16', 'BF16', [3, 1], 6],
      ['i64', 'I64', [], 8],
      ['i32', 'I32', [1], 4],
      ['bool', 'BOOL', [4], 4],
      ['empty', 'F32', [0, 3], 0],
    ])
    expect([...tensors.values()].filter(({ strides, data }) => strides ?? data)).toEqual([])
    expect(floats('f32')).toEqual([0, 1, 2, 3, 4, 5])
  })

  it.each(['state_dict', 'model', 'model_state', 'model_state_dict'])('finds the weights under %s, beside an optimiser', async (name) => {
    const state = new Map([
      [
        0,
        new Map<string, unknown>([
          ['step', 1],
          ['exp_avg', tensor(range(6), [2, 3])],
        ]),
      ],
    ])
    const checkpoint = new Map<string, unknown>([
      ['epoch', 3],
      [
        'optim_dict',
        new Map<string, unknown>([
          ['state', state],
          ['param_groups', [new Map([['lr', 1]])]],
        ]),
      ],
      [name, orderedDict([['a.weight', tensor(range(2), [2])]], new Map([['_metadata', orderedDict()]]))],
      ['args', new PyCall(new PyGlobal('argparse', 'Namespace'), tuple(), [], new Map([['lr', 1]]))],
      ['best', new PyCall(new PyGlobal('numpy.core.multiarray', 'scalar'), tuple(new PyGlobal('numpy', 'dtype'), 1))],
    ])
    const { tensors, floats } = await read(save(checkpoint))
    expect([...tensors.keys()]).toEqual(['a.weight'])
    expect(floats('a.weight')).toEqual([0, 1])
  })

  it('joins the names of dicts in dicts, but for those of an optimiser', async () => {
    const { tensors } = await read(
      save(
        new Map<string, unknown>([
          [
            'visual_net',
            orderedDict([
              ['a', tensor(range(1), [1])],
              ['b', orderedDict([['c', tensor(range(1), [1])]])],
            ]),
          ],
          ['optimizer', new Map([['state', new Map([['x', tensor(range(1), [1])]])]])],
          ['step', 7],
        ]),
      ),
    )
    expect([...tensors.keys()]).toEqual(['visual_net.a', 'visual_net.b.c'])
  })

  it('takes views as they are: transposed, in steps, repeated, one after the other in one storage', async () => {
    const base = storage(range(12))
    const { tensors, floats } = await read(
      save(
        new Map([
          ['transposed', new PyTensor(base, [2, 3], [1, 2], 1)],
          ['whole', new PyTensor(base, [12], [1])],
          ['steps', new PyTensor(storage(range(6)), [3], [2], 1)],
          ['repeated', new PyTensor(storage(range(2)), [3, 2], [0, 1])],
          ['ones', new PyTensor(storage(range(2)), [1, 2, 1], [77, 1, 99])],
        ]),
      ),
    )
    expect(floats('transposed')).toEqual([1, 3, 5, 2, 4, 6])
    expect(tensors.get('transposed')).toMatchObject({ strides: [1, 2] })
    expect(floats('whole')).toEqual([...range(12)])
    expect(floats('steps')).toEqual([1, 3, 5])
    expect(floats('repeated')).toEqual([0, 1, 0, 1, 0, 1])
    // A dimension of one element has no step.
    expect(tensors.get('ones')!.strides).toBeUndefined()
  })

  it('lets tensors that share no byte of a storage stay where they are, and separates those that do', async () => {
    const base = storage(range(12))
    const { tensors, floats } = await read(
      save(
        new Map([
          ['first', new PyTensor(base, [4], [1])],
          ['second', new PyTensor(base, [2, 2], [2, 1], 4)],
          ['third', new PyTensor(base, [4], [1], 7)],
          ['fourth', new PyTensor(base, [1], [1], 11)],
        ]),
      ),
    )
    expect([...tensors].map(([name, { strides }]) => [name, strides])).toEqual([
      ['first', undefined],
      ['second', [2, 1]],
      ['third', [1]],
      ['fourth', undefined],
    ])
    expect(floats('second')).toEqual([4, 5, 6, 7])
    expect(floats('third')).toEqual([7, 8, 9, 10])
  })

  it('refuses a tensor out of its storage', async () => {
    const small = () => storage(range(6))
    for (const view of [
      new PyTensor(small(), [7], [1]),
      new PyTensor(small(), [6], [1], 1),
      new PyTensor(small(), [2, 3], [4, 1]),
      new PyTensor(small(), [2], [2 ** 52]),
      new PyTensor(small(), [1], [1], 2 ** 52),
      new PyTensor(small(), [2 ** 32, 2 ** 32], [1, 1]),
    ]) {
      await refused(save(new Map([['a.weight', view]])), /'a.weight' reaches out of its storage|larger than the file/)
    }
  })

  it('refuses tensors that are a hundred gigabytes of the same few bytes', async () => {
    await refused(save(new Map([['a.weight', new PyTensor(storage(range(1)), [2 ** 20, 2 ** 15], [0, 0])]])), "'a.weight'", 'larger than the file')
    const base = storage(range(2 ** 20))
    const all = new Map(Array.from({ length: 20 }, (__, i) => [`w${i}`, new PyTensor(base, [2 ** 20], [1])]))
    await refused(save(all), 'larger than the file')
  })

  it('refuses a name that would run code', async () => {
    const marker = temporaryPath('was-here')
    const call = new PyCall(new PyGlobal('posix', 'system'), tuple(`touch ${marker}`))
    for (const value of [
      call,
      new Map<string, unknown>([
        ['a', tensor(range(1), [1])],
        ['b', call],
      ]),
      new Map([['optim_dict', [call]]]),
    ]) {
      await refused(save(value), "'posix.system'", 'not run', 'state_dict()')
    }
    await refused(save(new PyCall(new PyGlobal('builtins', 'eval'), tuple('1'))), "'builtins.eval'")
    await refused(save(new PyCall(new PyGlobal('__main__', 'Model'), tuple())), "'__main__.Model'")
    expect(existsSync(marker)).toBe(false)
  })

  it('refuses what holds no tensors by name', async () => {
    await refused(save([tensor(range(1), [1])]), 'no tensors by name')
    await refused(save(new Map([['epoch', 1]])), 'no tensors by name')
    await refused(save(new Map([['optim_dict', new Map([['x', tensor(range(1), [1])]])]])), 'no tensors by name')
    await refused(save(null), 'no tensors by name')
  })

  it('refuses a tensor of a type that is no number here, by name', async () => {
    await refused(
      save(new Map([['a.weight', new PyTensor(new PyStorage('ComplexDoubleStorage', new Uint8Array(16), 1), [1], [1])]])),
      "'a.weight'",
      'complex128',
    )
  })

  it('refuses two tensors of one name', async () => {
    const value = new Map<string, unknown>([
      ['a.b', tensor(range(1), [1])],
      ['a', new Map([['b', tensor(range(1), [1])]])],
    ])
    await refused(save(value), "'a.b'", 'two')
  })

  it('does not walk the same dicts for ever', async () => {
    let dict: Map<string, unknown> = new Map([['x', 1]])
    for (let i = 0; i < 7; i++) dict = new Map(Array.from({ length: 30 }, (__, k) => [`k${k}`, dict]))
    await refused(save(dict), 'too many names')
  })

  it('refuses every truncation', async () => {
    const whole = save(one())
    expect((await read(whole)).tensors.size).toBe(1)
    for (let size = whole.length - 1; size >= 2; size -= size > 1200 ? 97 : 7) await refused(whole.subarray(0, size))
  })
})

describe('readPth, of a zip', () => {
  it('takes the folder for what it is called', async () => {
    expect((await read(pthZip(one(), { name: 'best model (3)' }))).tensors.size).toBe(1)
  })

  it('reads a zip without the 64-bit directory, and one with a comment', async () => {
    const bytes = pthZip(one())
    // The old record of the directory's end alone.
    const end = bytes.subarray(-22)
    const plain = Buffer.concat([bytes.subarray(0, bytes.indexOf('PK\x06\x06')), end])
    expect((await read(plain)).tensors.size).toBe(1)
    const comment = Buffer.from(end)
    comment.writeUInt16LE(5, 20)
    expect((await read(Buffer.concat([plain.subarray(0, -22), comment, Buffer.from('hello')]))).tensors.size).toBe(1)
  })

  it('reads 64-bit sizes', async () => {
    const bytes = pthZip(one(), { change: (records) => records.map((record) => ({ ...record, wide: true })) })
    expect((await read(bytes)).floats('a.weight')).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('reads small records that were compressed', async () => {
    const bytes = pthZip(one(), { change: (records) => records.map((record) => ({ ...record, deflate: true })) })
    const { tensors, floats } = await read(bytes)
    expect(tensors.get('a.weight')).toMatchObject({ begin: 0, end: 24 })
    expect(tensors.get('a.weight')!.data).toHaveLength(24)
    expect(floats('a.weight')).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('does not need what older versions did not write, nor the checksums that torch.save may leave out', async () => {
    const old = pthZip(one(), { change: (records) => records.filter(({ name }) => /data\.pkl|data\/\d|\/version/.test(name)) })
    expect((await read(old)).tensors.size).toBe(1)
    const unchecked = pthZip(one(), { change: (records) => records.map((record) => ({ ...record, claims: { crc: 0 } })) })
    expect((await read(unchecked)).tensors.size).toBe(1)
  })

  it('does not read the storages of what it leaves out', async () => {
    const value = new Map<string, unknown>([
      ['state_dict', one()],
      ['optim_dict', new Map([['x', tensor(range(6), [6])]])],
    ])
    expect((await read(withRecord('data/1', () => undefined, value))).tensors.size).toBe(1)
    await refused(
      withRecord('data/0', () => undefined, value),
      'data/0',
      'missing',
    )
  })

  it('refuses bombs: records that unpack to more than they claim, than their storage, or than is sensible', async () => {
    const zeros = new Float32Array(2 ** 20)
    const value = new Map([['a.weight', tensor(zeros, [2 ** 20])]])
    const deflated = (record: ZipRecord): ZipRecord => ({ ...record, deflate: true })
    expect((await read(withRecord('data/0', deflated, value))).tensors.size).toBe(1)
    const bomb = withRecord('data/0', (record) => ({ ...deflated(record), data: Buffer.alloc(2 ** 22), claims: { size: 24 } }))
    await refused(bomb, "'archive/data/0' cannot be unpacked")
    const huge = new Map([['a.weight', new PyTensor(new PyStorage('FloatStorage', Buffer.alloc(16), 2 ** 28), [4], [1])]])
    await refused(
      withRecord('data/0', (record) => ({ ...deflated(record), claims: { size: 2 ** 30 } }), huge),
      'compressed',
      'zip -0',
    )
    await refused(
      withRecord('data.pkl', (record) => ({ ...deflated(record), data: Buffer.alloc(2 ** 25, 'N') })),
      'data.pkl',
      'too long',
    )
    await refused(
      withRecord('data/0', (record) => ({ ...deflated(record), claims: { size: 2 ** 20 } })),
      'another size than its storage',
    )
  })

  it('holds all that it unpacks to one limit', async () => {
    const value = new Map(Array.from({ length: 5 }, (_, i) => [`w${i}`, tensor(new Float32Array(2 ** 22), [2 ** 22])]))
    const bytes = pthZip(value, { change: (records) => records.map((record) => ({ ...record, deflate: /data\/\d/.test(record.name) })) })
    await refused(bytes, /larger than the file|too large to unpack/)
  })

  it('refuses a compressed record that is damaged', async () => {
    await refused(
      withRecord('data/0', (record) => ({ ...record, deflate: true, claims: { crc: 1 } })),
      'checksum',
    )
    await refused(
      withRecord('data/0', (record) => ({ ...record, claims: { method: 8 } })),
      'cannot be unpacked',
    )
    await refused(
      withRecord('data/0', (record) => ({ ...record, claims: { method: 12 } })),
      'method 12',
    )
  })

  it.each(['../../etc/passwd', '/etc/passwd', 'archive/../../x', '..\\x', 'C:/x', 'archive/./data/9', 'a\0b'])('refuses a record named %j', async (name) => {
    const bytes = pthZip(one(), { change: (records) => [...records, { name, data: Buffer.from('x') }] })
    await refused(bytes, 'file elsewhere')
  })

  it('looks for no file beside the archive, whatever key a storage has', async () => {
    const id = tuple('storage', new PyGlobal('torch', 'FloatStorage'), '../../../etc/hostname', 'cpu', 1)
    const value = new Map([
      ['a', new PyCall(new PyGlobal('torch._utils', '_rebuild_tensor_v2'), tuple(new PyPersistent(id), 0, tuple(1), tuple(1), false, orderedDict()))],
    ])
    await refused(pthZip(value), 'etc/hostname', 'missing')
  })

  it('refuses records that are there twice', async () => {
    await refused(pthZip(one(), { change: (records) => [...records, records[0]!] }), "'archive/data.pkl' is there twice")
    await refused(pthZip(one(), { change: (records) => [...records, records[4]!] }), "'archive/data/0' is there twice")
  })

  it('refuses records that overlap', async () => {
    const value = new Map([
      ['a', tensor(range(6), [6])],
      ['b', tensor(range(6), [6])],
    ])
    const bytes = pthZip(value)
    const second = bytes.indexOf('archive/data/1') - 30
    const shared = withRecord('data/0', (record) => ({ ...record, claims: { header: second } }), value)
    await refused(shared, "overlaps 'archive/data/")
  })

  it('refuses offsets and sizes out of the file', async () => {
    for (const header of [2 ** 31, 2 ** 32 - 2])
      await refused(
        withRecord('data/0', (record) => ({ ...record, claims: { header } })),
        'data/0',
      )
    await refused(
      withRecord('data/0', (record) => ({ ...record, claims: { header: 1 } })),
      'no header',
    )
    await refused(
      withRecord('data/0', (record) => ({ ...record, wide: true, claims: { header: 2 ** 60 } })),
      'data/0',
    )
    await refused(
      withRecord('data/0', (record) => ({ ...record, wide: true, claims: { compressedSize: 2 ** 60 } })),
      'truncated',
    )
    await refused(
      withRecord('data/0', (record) => ({ ...record, claims: { size: 20 } })),
      'another size than its storage',
    )
    await refused(
      withRecord('data/0', (record) => ({ ...record, claims: { compressedSize: 20 } })),
      'another size than it has',
    )
    await refused(
      withRecord('data/0', (record) => ({ ...record, claims: { size: 0xffffffff } })),
      '64-bit',
    )
  })

  it.each([0x1, 0x40, 0x2000])('refuses a record that is encrypted (flag %i)', async (flags) => {
    await refused(
      withRecord('data/0', (record) => ({ ...record, claims: { flags } })),
      "'archive/data/0' is encrypted",
    )
    await refused(
      withRecord('data.pkl', (record) => ({ ...record, claims: { flags } })),
      'encrypted',
    )
  })

  it('refuses a directory that is damaged, in the old record and in the 64-bit one', async () => {
    const change = (patch: (bytes: Buffer) => void): Buffer => {
      const bytes = pthZip(one())
      patch(bytes)
      return bytes
    }
    const end64 = (bytes: Buffer) => bytes.indexOf('PK\x06\x06')
    const locator = (bytes: Buffer) => bytes.indexOf('PK\x06\x07')
    for (const value of [2n ** 64n - 1n, 2n ** 53n + 1n, 2n ** 40n, 0n]) {
      await refused(
        change((bytes) => bytes.writeBigUInt64LE(value, locator(bytes) + 8)),
        '64-bit directory',
      )
      if (value > 0n)
        await refused(
          change((bytes) => bytes.writeBigUInt64LE(value, end64(bytes) + 48)),
          'directory',
        )
      if (value > 0n)
        await refused(
          change((bytes) => bytes.writeBigUInt64LE(value, end64(bytes) + 32)),
          'directory is damaged',
        )
      await refused(
        change((bytes) => bytes.writeBigUInt64LE(value, end64(bytes) + 40)),
        /directory|torch\.save/,
      )
    }
    await refused(
      change((bytes) => bytes.writeUInt16LE(1, bytes.length - 18)),
      'part of a zip',
    )
    await refused(
      change((bytes) => bytes.fill(0, bytes.indexOf('PK\x01\x02'), bytes.indexOf('PK\x01\x02') + 4)),
      'directory is damaged',
    )
    await refused(
      change((bytes) => bytes.writeUInt16LE(60_000, bytes.indexOf('PK\x01\x02') + 28)),
      'directory is damaged',
    )
    await refused(Buffer.concat([pthZip(one()), Buffer.from('x')]), 'truncated')
  })

  it('refuses a zip of something else', async () => {
    await refused(
      withRecord('data.pkl', () => undefined),
      'no file of torch.save',
    )
    await refused(pthZip(one(), { change: (records) => [...records, { name: 'other/data.pkl', data: records[0]!.data }] }), 'no file of torch.save')
    const constants = { name: 'archive/constants.pkl', data: pickle(tuple()) }
    await refused(pthZip(one(), { change: (records) => [...records, constants] }), 'TorchScript')
    await refused(
      withRecord('byteorder', (record) => ({ ...record, data: Buffer.from('big') })),
      'big-endian',
    )
    await refused(
      withRecord('byteorder', (record) => ({ ...record, data: Buffer.alloc(1000) })),
      'too long',
    )
  })
})

describe('readPth, of a legacy file', () => {
  const legacy = (value: unknown, keys: unknown, storages: Uint8Array, version = 1001) =>
    Buffer.concat([magicPickle, pickle(version), pickle(new Map()), pickle(value), pickle(keys), storages])
  const view = (key: unknown, count: number, part: unknown = null, type = 'FloatStorage') =>
    new PyPersistent(tuple('storage', new PyGlobal('torch', type), key, 'cpu', count, part))
  const rebuilt = (id: PyPersistent, offset: number, shape: number[]) =>
    new PyCall(new PyGlobal('torch._utils', '_rebuild_tensor_v2'), tuple(id, offset, tuple(...shape), tuple(...rowMajor(shape)), false, orderedDict()))
  const six = Buffer.concat([uint64(6), Buffer.from(range(6).buffer)])

  it('reads views of a storage, as versions before 0.4 wrote them', async () => {
    const value = new Map([
      ['whole', rebuilt(view('7', 6), 0, [6])],
      ['part', rebuilt(view('7', 6, tuple('8', 2, 3)), 1, [2])],
    ])
    const { floats } = await read(legacy(value, ['7'], six))
    expect(floats('whole')).toEqual([0, 1, 2, 3, 4, 5])
    expect(floats('part')).toEqual([3, 4])
    const beyond = new Map([['part', rebuilt(view('7', 6, tuple('8', 2, 3)), 1, [3])]])
    await refused(legacy(beyond, ['7'], six), "'part' reaches out of its storage")
  })

  it('reads a pickle of a megabyte', async () => {
    const value = new Map<string, unknown>([['a.weight', tensor(range(6), [6])]])
    value.set(
      'notes',
      Array.from({ length: 40_000 }, (_, i) => `a note with the number ${i}`),
    )
    const { floats } = await read(pthLegacy(value))
    expect(floats('a.weight')).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('refuses another magic number and version', async () => {
    await refused(pickle(one().size), 'not of torch.save')
    await refused(pickle(new Map([['a', 1]])), 'not of torch.save')
    await refused(legacy(new Map([['a', rebuilt(view('7', 6), 0, [6])]]), ['7'], six, 1002), 'another version', '1002')
  })

  it('refuses storages that are not as the pickle says', async () => {
    const value = new Map([['a', rebuilt(view('7', 6), 0, [6])]])
    expect((await read(legacy(value, ['7'], six))).tensors.size).toBe(1)
    await refused(legacy(value, [], six), "'7' is missing")
    await refused(legacy(value, ['7', '9'], six), "'9'", 'no tensor is in')
    await refused(legacy(value, ['7', '7'], Buffer.concat([six, six])), "'7' twice")
    await refused(legacy(value, [7], six), 'list of storages')
    await refused(legacy(value, new Map(), six), 'list of storages')
    await refused(legacy(value, ['7'], six.subarray(0, -1)), 'truncated')
    await refused(legacy(value, ['7'], six.subarray(0, 7)), 'truncated')
    for (const count of [5n, 7n, 0n, 2n ** 64n - 1n]) {
      await refused(legacy(value, ['7'], Buffer.concat([uint64(count), six.subarray(8)])), "'7' is of another size", `${count}`)
    }
    const two = (other: PyPersistent) => new Map([...value, ['b', rebuilt(other, 0, [1])]])
    await refused(legacy(two(view('7', 5)), ['7'], six), 'two types or sizes')
    await refused(legacy(two(view('7', 6, null, 'DoubleStorage')), ['7'], six), 'two types or sizes')
    await refused(legacy(new Map([['a', rebuilt(view('7', 2 ** 50), 0, [6])]]), ['7'], Buffer.concat([uint64(2 ** 50), six])), 'truncated')
  })
})

describe('readPth, of what is no file', () => {
  it('names it', async () => {
    await expectDiffSalError(() => readPth(temporaryPath('absent.pth')), 'ERR_DIFFSAL_FILE', 'absent.pth', 'does not exist')
    const folder = temporaryPath('folder.pth')
    await mkdir(folder)
    await expectDiffSalError(() => readPth(folder), 'ERR_DIFFSAL_FILE', folder, 'is a directory')
  })
})
