import { execFileSync } from 'node:child_process'
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { byteLength, headerBytes, readHeader, type TensorKind } from '../../lib/checkpoint/safetensors.ts'
import { writeBytes, writeSafetensors } from '../support/damaged-safetensors.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

const entry = (begin: number, end: number, shape: unknown = [end - begin], dtype: unknown = 'U8') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})

async function refused(path: string, ...parts: (string | RegExp)[]): Promise<void> {
  const error = await expectDiffSalError(() => readHeader(path), 'ERR_DIFFSAL_CHECKPOINT', path, ...parts)
  expect(error.argument).toBe(path)
  expect(error.expected).toBeTruthy()
  expect(error.received).toBeTruthy()
}

describe('readHeader', () => {
  it('reads names, types, shapes, absolute offsets and metadata', async () => {
    const path = await writeSafetensors(
      {
        __metadata__: { format: 'pt' },
        second: entry(24, 28, [2, 1], 'F16'),
        first: entry(0, 24, [2, 3], 'F32'),
        empty: entry(24, 24, [3, 0], 'I64'),
      },
      28,
    )
    const header = await readHeader(path)
    const { dataStart } = header
    expect(header.metadata).toEqual({ format: 'pt' })
    expect(header.fileSize).toBe(dataStart + 28)
    expect([...header.tensors]).toEqual([
      ['first', { dtype: 'F32', shape: [2, 3], begin: dataStart, end: dataStart + 24 }],
      ['empty', { dtype: 'I64', shape: [3, 0], begin: dataStart + 24, end: dataStart + 24 }],
      ['second', { dtype: 'F16', shape: [2, 1], begin: dataStart + 24, end: dataStart + 28 }],
    ])
  })

  it('reads a golden file that another program wrote', async () => {
    const { tensors, fileSize, metadata } = await readHeader('test/fixtures/schedule.safetensors')
    expect(metadata).toEqual({})
    expect(tensors.get('betas')).toMatchObject({ dtype: 'F64', shape: [1000] })
    expect(tensors.get('alpha_bars')).toMatchObject({ dtype: 'F32', shape: [1000], end: fileSize })
  })

  it('reads a scalar, a file without tensors, and padding by spaces', async () => {
    expect((await readHeader(await writeSafetensors({ a: entry(0, 4, [], 'F32') }, 4))).tensors.get('a')).toMatchObject({ shape: [] })
    expect((await readHeader(await writeSafetensors('{}      '))).tensors.size).toBe(0)
  })

  it('takes words that an object inherits for the plain names they are', async () => {
    const path = await writeSafetensors('{"__metadata__":{"toString":"x"},"constructor":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1)
    const { tensors, metadata } = await readHeader(path)
    expect([...tensors.keys()]).toEqual(['constructor'])
    expect(metadata.toString).toBe('x')
    expect(metadata.constructor).toBeUndefined()
  })

  it.each(['BOOL', 'U8', 'I8', 'F8_E4M3', 'F8_E5M2'])('knows %s as one byte', async (dtype) => {
    expect((await readHeader(await writeSafetensors({ a: entry(0, 3, [3], dtype) }, 3))).tensors.get('a')?.dtype).toBe(dtype)
  })
})

describe('readHeader on what is not there', () => {
  it('names a file that does not exist', async () => {
    const path = temporaryPath('absent.safetensors')
    const error = await expectDiffSalError(() => readHeader(path), 'ERR_DIFFSAL_FILE', path, 'does not exist')
    expect(error.cause).toMatchObject({ code: 'ENOENT' })
  })

  it('names a directory', async () => {
    const path = temporaryPath('folder')
    await mkdir(path)
    await expectDiffSalError(() => readHeader(path), 'ERR_DIFFSAL_FILE', path, 'is a directory')
    await expectDiffSalError(() => readHeader(`${path}/../nothing/x`), 'ERR_DIFFSAL_FILE', 'does not exist')
  })

  it('does not wait for a pipe or read a device', async () => {
    const path = temporaryPath('pipe')
    execFileSync('mkfifo', [path])
    await expectDiffSalError(() => readHeader(path), 'ERR_DIFFSAL_FILE', path, 'not a regular file')
    await expectDiffSalError(() => readHeader('/dev/zero'), 'ERR_DIFFSAL_FILE', 'not a regular file')
  })

  it.each([[''], [undefined], [3], ['a\0b']])('refuses the path %j', async (path) => {
    await expectDiffSalError(() => readHeader(path as string), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'path'")
  })
})

describe('readHeader on a damaged file', () => {
  it('refuses an empty file and one shorter than the header length', async () => {
    await refused(await writeBytes(new Uint8Array(0)), 'is empty')
    await refused(await writeBytes(new Uint8Array(7)), 'at least 8 bytes', '7 bytes')
  })

  it.each([2n ** 24n + 1n, 100_000_001n, 2n ** 63n, 2n ** 64n - 1n])('refuses a header of %s bytes without reading it', async (length) => {
    await refused(await writeSafetensors('{}', 0, length), 'header is too long', `${length} bytes`)
  })

  it('refuses a long header in a file that is long enough', async () => {
    const path = await writeSafetensors('{}', 0, 2n ** 24n + 1n)
    await truncate(path, 2 ** 25)
    await refused(path, 'header is too long')
  })

  it.each([
    ['tensors', () => `{${Array.from({ length: 60_000 }, (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`).join()}}`],
    ['arrays in each other', () => `${'['.repeat(2 ** 22)}${']'.repeat(2 ** 22)}`],
    ['empty objects', () => `{"a":[${'{},'.repeat(2 ** 21)}0]}`],
    ['words of metadata', () => `{"__metadata__":{${Array.from({ length: 200_000 }, (_, i) => `"\\"${i}\\\\":""`).join()}}}`],
  ])('refuses a header of very many %s without parsing them', async (_, text) => {
    await refused(await writeSafetensors(text()), 'too many entries', '250000')
  })

  it('takes a long text in the metadata, quotes, brackets and commas in it as well', async () => {
    const text = '[{,:\\"'.repeat(300_000)
    expect((await readHeader(await writeSafetensors({ __metadata__: { text } }))).metadata.text).toBe(text)
  })

  it("refuses a header past the file's end", async () => {
    await refused(await writeSafetensors('{}', 0, 3n), "past the file's end", '2 bytes', '3 bytes')
    await refused(await writeBytes(Buffer.from([2, 0, 0, 0, 0, 0, 0, 0])), "past the file's end")
  })

  it.each([
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'not UTF-8'],
    ['UTF-8 cut in a character', Buffer.from('{"é').subarray(0, 3), 'not UTF-8'],
    ['nothing', '', 'not JSON'],
    ['half an object', '{"a":', 'not JSON'],
    ['a byte order mark', '\ufeff{}', 'not JSON'],
    ['two objects', '{}{}', 'not JSON'],
    ['an array', '[]', 'not an object'],
    ['a number', '7', 'not an object'],
    ['null', 'null', 'not an object'],
    ['nesting without end', '['.repeat(2e5), 'not JSON'],
  ])('refuses %s as header', async (_, header, part) => {
    await refused(await writeSafetensors(header), part)
  })

  it('refuses a name given twice, however it is spelt', async () => {
    const one = JSON.stringify(entry(0, 1))
    await refused(await writeSafetensors(`{"a.weight":${one},"a.weight":${one}}`, 1), "'a.weight' stands twice")
    await refused(await writeSafetensors(`{"ab":${one}, "a\\u0062" :${one}}`, 1), "'ab' stands twice")
    await refused(await writeSafetensors('{"a":{"dtype":"U8","shape":[1],"shape":[2],"data_offsets":[0,2]}}', 2), "'shape' stands twice")
    await refused(await writeSafetensors('{"__metadata__":{"k":"1","k":"2"}}'), "'k' stands twice")
  })

  it('is not misled by names inside of strings', async () => {
    const path = await writeSafetensors({ __metadata__: { config: '{"a":1,"a":2,"__proto__":{}}', 'a\\"': 'a', a: '\\' }, b: entry(0, 1) }, 1)
    expect((await readHeader(path)).metadata).toEqual({ config: '{"a":1,"a":2,"__proto__":{}}', 'a\\"': 'a', a: '\\' })
  })

  it.each(['{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', '{"__metadata__":{"__proto__":"x"}}', '{"a":{"\\u005f_proto__":{}}}'])(
    'refuses the reserved name in %s',
    async (header) => {
      await refused(await writeSafetensors(header, 1), "'__proto__' is reserved")
      expect(({} as Record<string, unknown>).dtype).toBeUndefined()
    },
  )

  it.each([
    [{ a: 1 }, /__metadata__\.a.*1 came/],
    [{ a: { b: 'c' } }, /__metadata__\.a.*an object came/],
    [['x'], /__metadata__.*'x'/],
    ['words', /__metadata__.*'words'/],
    [null, /__metadata__.*null/],
  ])('refuses the metadata %j', async (metadata, part) => {
    await refused(await writeSafetensors({ __metadata__: metadata }), part)
  })

  it.each([[3], [null], ['x'], [[1, 2]]])('refuses %j as entry of a tensor', async (value) => {
    await refused(await writeSafetensors({ 'a.weight': value }), "'a.weight'", 'data_offsets')
  })

  it.each([['F31'], ['f32'], ['toString'], [7], [undefined]])('refuses the dtype %j', async (dtype) => {
    await refused(await writeSafetensors({ 'a.weight': { ...entry(0, 1), dtype } }, 1), "'a.weight'", 'unknown dtype', 'F32', String(dtype))
  })

  it.each([[[-1]], [[1.5]], [['1']], [[2 ** 60]], [7], [undefined], [[null]], [{ length: 1 }]])('refuses the shape %j', async (shape) => {
    await refused(await writeSafetensors({ 'a.weight': { ...entry(0, 1), shape } }, 1), "'a.weight'", 'bad shape')
  })

  it.each([[[2 ** 30, 2 ** 30]], [[2 ** 52, 2 ** 52, 0]], [[2 ** 53 - 1]], [Array(400).fill(1000)], [[0, ...Array(400).fill(1000)]]])(
    'refuses a shape that overflows (%j)',
    async (shape) => {
      await refused(await writeSafetensors({ 'a.weight': entry(0, 0, shape, 'F32') }), "'a.weight'", 'too large')
    },
  )

  it.each([[[0]], [[0, 1, 2]], [[-1, 0]], [[0, 1.5]], [['0', '1']], [undefined], [[0, 2 ** 60]]])('refuses the data_offsets %j', async (offsets) => {
    await refused(await writeSafetensors({ 'a.weight': { dtype: 'U8', shape: [1], data_offsets: offsets } }, 1), "'a.weight'", 'bad data_offsets')
  })

  it('refuses reversed offsets', async () => {
    await refused(await writeSafetensors({ 'a.weight': entry(4, 0, [4]) }, 4), "'a.weight'", 'reversed', '[4, 0]')
  })

  it('refuses offsets that do not fit type and shape', async () => {
    await refused(await writeSafetensors({ 'a.weight': entry(0, 8, [3], 'F32') }, 8), "'a.weight'", '12 bytes for F32 [3]', '8 bytes')
  })

  it("refuses offsets past the file's end", async () => {
    await refused(await writeSafetensors({ a: entry(0, 4), 'b.weight': entry(4, 8) }, 7), "'b.weight'", "past the file's end", 'truncated')
    await refused(await writeSafetensors({ a: entry(0, 0), 'b.weight': entry(2 ** 53 - 5, 2 ** 53 - 1) }, 7), "'b.weight'", "past the file's end")
  })

  it('refuses tensors that overlap, naming both', async () => {
    await refused(await writeSafetensors({ 'a.weight': entry(0, 8), 'b.weight': entry(4, 12) }, 12), "'b.weight' overlaps tensor 'a.weight'")
    await refused(await writeSafetensors({ 'a.weight': entry(0, 8), 'b.weight': entry(0, 8) }, 8), "'b.weight' overlaps tensor 'a.weight'")
  })

  it('refuses a gap between tensors and before the first', async () => {
    await refused(await writeSafetensors({ 'a.weight': entry(0, 4), 'b.weight': entry(5, 8) }, 8), "'b.weight' leaves a gap after tensor 'a.weight'")
    await refused(await writeSafetensors({ 'a.weight': entry(1, 4) }, 4), "'a.weight' leaves a gap after the header")
  })

  it('refuses bytes that no tensor owns at the end', async () => {
    await refused(await writeSafetensors({ 'a.weight': entry(0, 4) }, 5), "no tensor owns the last 1 byte, after tensor 'a.weight'")
    await refused(await writeSafetensors({}, 9), 'last 9 bytes, after the header')
  })

  it('refuses every truncation of a small file', async () => {
    const tensors = new Map<string, TensorKind>([
      ['a', { dtype: 'F32', shape: [2] }],
      ['b', { dtype: 'U8', shape: [3] }],
    ])
    const whole = Buffer.concat([headerBytes(tensors), Buffer.alloc(11)])
    const path = temporaryPath('cut.safetensors')
    await writeFile(path, whole)
    expect((await readHeader(path)).tensors.size).toBe(2)
    for (let size = whole.length - 1; size >= 0; size--) {
      await truncate(path, size)
      await refused(path)
    }
  })
})

describe('headerBytes', () => {
  it('writes what readHeader reads, the data at a multiple of 64', async () => {
    const tensors = new Map<string, TensorKind>([
      ['visual_net.cls_token', { dtype: 'F32', shape: [1, 1, 96] }],
      ['7', { dtype: 'F16', shape: [] }],
      ['é"\\', { dtype: 'I64', shape: [2, 0] }],
    ])
    const metadata = { diffsal: JSON.stringify({ size: [64, 96] }) }
    const head = headerBytes(tensors, metadata)
    expect(head.length % 64).toBe(0)
    const header = await readHeader(await writeBytes(Buffer.concat([head, Buffer.alloc(96 * 4 + 2)])))
    expect(header.dataStart).toBe(head.length)
    expect(header.metadata).toEqual(metadata)
    let offset = head.length
    for (const [name, kind] of tensors) {
      const end = offset + byteLength(kind)
      expect(header.tensors.get(name)).toEqual({ ...kind, begin: offset, end })
      offset = end
    }
  })

  it('leaves out metadata that is not given', () => {
    expect(Buffer.from(headerBytes(new Map())).toString('utf8', 8).trimEnd()).toBe('{}')
  })
})
