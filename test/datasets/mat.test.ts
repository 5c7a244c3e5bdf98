import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { parseMat, readMat } from '../../lib/datasets/mat.ts'
import { readFixations } from '../../lib/datasets/fixations.ts'
import { readGrey } from '../../lib/datasets/pictures.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { element, fixationMat, matFile, matrix, numbers, smallElement, write } from './trees.ts'

const values = [1, 0, 2, 0, 3, 250]

test.each([
  ['double', 6, 9, 'f64', Float64Array],
  ['double, stored in bytes', 6, 2, 'u8', Float64Array],
  ['single', 7, 7, 'f32', Float32Array],
  ['uint8', 9, 2, 'u8', Uint8Array],
  ['int16', 10, 3, 'i16', Int16Array],
  ['uint32, stored in shorts', 13, 4, 'u16', Uint32Array],
  ['logical', 9 + 0x200, 2, 'u8', Uint8Array],
] as const)('%s, plain, compressed and from a big-endian machine', async (_name, kind, type, stored, array) => {
  for (const options of [{}, { compress: true }, { big: true }]) {
    const data = element(type, numbers(stored, values, 'big' in options), 'big' in options)
    const [found, ...others] = await parseMat(matFile([matrix('eyeMap', [2, 3], kind, [data], 'big' in options)], options), 'a.mat')
    expect(others).toEqual([])
    expect(found).toEqual({ name: 'eyeMap', shape: [2, 3], data: array.from(values) })
  }
})

test('64-bit integers become doubles', async () => {
  const data = Buffer.concat([numbers('u32', [5, 0]), numbers('u32', [0xffffffff, 0xffffffff])])
  const [found] = await parseMat(matFile([matrix('n', [1, 2], 14, [element(12, data)])]), 'a.mat')
  expect(found!.data).toEqual(Float64Array.of(5, -1))
})

test('short elements: a name and data of at most four bytes', async () => {
  const head = Buffer.concat([element(6, numbers('u32', [9, 0])), element(5, numbers('i32', [1, 3])), smallElement(1, Buffer.from('abc'))])
  const [found] = await parseMat(matFile([element(14, Buffer.concat([head, smallElement(2, Buffer.of(7, 8, 9))]))]), 'a.mat')
  expect(found).toEqual({ name: 'abc', shape: [1, 3], data: Uint8Array.of(7, 8, 9) })
})

test('sparse matrices are filled in', async () => {
  const [rows, columns] = [numbers('i32', [1, 0, 2]), numbers('i32', [0, 1, 1, 3])]
  const data = [element(5, rows), element(5, columns), element(9, numbers('f64', [4, 5, 6]))]
  const [found] = await parseMat(matFile([matrix('s', [3, 3], 5, data)]), 'a.mat')
  expect([...found!.data]).toEqual([0, 4, 0, 0, 0, 0, 5, 0, 6])
})

test('texts and structures are passed over; several matrices come in order', async () => {
  const one = (name: string, value: number): Buffer => matrix(name, [1, 1], 6, [element(9, numbers('f64', [value]))])
  const text = matrix('title', [1, 2], 4, [element(16, Buffer.from('hi'))])
  const found = await parseMat(matFile([one('a', 1), text, one('b', 2)], { compress: true }), 'a.mat')
  expect(found.map(({ name, data }) => [name, ...data])).toEqual([
    ['a', 1],
    ['b', 2],
  ])
})

test.each([
  ['nothing', Buffer.alloc(0), /not a MAT-file of version 5, or is cut off/],
  ['a text', Buffer.from('hello'.repeat(100)), /not a MAT-file of version 5/],
  ['version 7.3', Buffer.from('MATLAB 7.3 MAT-file, Platform: GLNXA64'.padEnd(512)), /-v7/],
  ['an HDF5 file', Buffer.concat([Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), Buffer.alloc(200)]), /-v7/],
  ['a cut file', fixationMat(12, 16, []).subarray(0, -20), /cut off/],
  ['no room for a tag', Buffer.concat([matFile([]), Buffer.alloc(5)]), /cut off/],
  ['damaged compression', matFile([Buffer.concat([numbers('u32', [15, 24]), Buffer.alloc(24, 1)])]), /cannot be unpacked/],
  ['too few elements', matFile([matrix('m', [5, 5], 9, [element(2, Buffer.alloc(24))])]), /24 elements, not 25/],
  ['a matrix of exabytes', matFile([matrix('m', [2 ** 30, 2 ** 30], 9, [element(2, Buffer.alloc(8))])]), /impossible size/],
  ['a negative size', matFile([matrix('m', [-1, -25], 9, [element(2, Buffer.alloc(25))])]), /impossible size/],
  ['an unknown type', matFile([matrix('m', [1, 8], 9, [element(77, Buffer.alloc(8))])]), /unknown type 77/],
  [
    'a sparse index outside',
    matFile([matrix('m', [2, 1], 5, [element(5, numbers('i32', [9])), element(5, numbers('i32', [0, 1])), element(9, numbers('f64', [1]))])]),
    /impossible index/,
  ],
])('%s is refused with the reason', async (_name, bytes, why) => {
  await expectDiffSalError(() => parseMat(bytes, 'fixMap.mat'), 'ERR_DIFFSAL_MEDIA', /'fixMap\.mat'/, why)
})

test('damage anywhere gives an error or other numbers, never anything else', async () => {
  const whole = fixationMat(6, 8, [[1, 2]])
  for (let at = 116; at < whole.length; at++) {
    for (const flip of [1, 0x80, 0xff]) {
      const bytes = Buffer.from(whole)
      bytes[at]! ^= flip
      await parseMat(bytes, 'a.mat').catch((error: unknown) => expect(error).toMatchObject({ code: 'ERR_DIFFSAL_MEDIA' }))
    }
  }
})

test('a file that is missing is named', async () => {
  await expectDiffSalError(() => readMat(temporaryPath('none.mat')), 'ERR_DIFFSAL_FILE', /none\.mat.*does not exist/)
})

test('fixations: rows and columns as the picture has them, whatever the variable is called if it is alone', async () => {
  const path = temporaryPath('fix.mat')
  await write(
    path,
    fixationMat(3, 4, [
      [0, 3],
      [2, 1],
    ]),
  )
  expect(await readFixations(path)).toEqual({ dtype: 'uint8', shape: [3, 4], data: Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0) })
  const other = (name: string): Buffer => matrix(name, [1, 2], 6, [element(9, numbers('f64', [0, 3]))])
  await write(path, matFile([other('other')]))
  expect((await readFixations(path)).data).toEqual(Uint8Array.of(0, 1))
  await write(path, matFile([other('a'), other('EyeMap')]))
  expect((await readFixations(path)).data).toEqual(Uint8Array.of(0, 1))
  await write(path, matFile([other('a'), other('b')]))
  await expectDiffSalError(() => readFixations(path), 'ERR_DIFFSAL_MEDIA', /no matrix 'eyeMap', but 'a', 'b'/)
  await write(path, matFile([matrix('eyeMap', [0, 0], 6, [element(9, Buffer.alloc(0))])]))
  await expectDiffSalError(() => readFixations(path), 'ERR_DIFFSAL_MEDIA', /0 × 0/)
})

describe('a small file that would become large', () => {
  const packed = (plain: Buffer): Buffer => {
    const data = deflateSync(plain, { level: 9 })
    return Buffer.concat([numbers('u32', [15, data.length]), data])
  }
  const zeros = (rows: number, columns: number, kind = 6): Buffer => matrix('x', [rows, columns], kind, [element(2, Buffer.alloc(rows * columns))])
  const sparse = (shape: number[], rows: number[], columns: number[]): Buffer =>
    matrix('eyeMap', shape, 5, [element(5, numbers('i32', rows)), element(5, numbers('i32', columns)), element(9, Buffer.alloc(8 * rows.length))])

  test.each([
    ['one large matrix of small numbers', () => matFile([packed(zeros(8192, 8192))]), /more than 256 MiB/],
    ['many matrices', () => matFile(Array<Buffer>(8).fill(packed(zeros(2048, 8192)))), /more than 256 MiB/],
    ['many variables', () => matFile([packed(Buffer.concat(Array<Buffer>(300_000).fill(zeros(1, 1, 9))))]), /more than 256 MiB/],
    ['what is packed twice', () => matFile([packed(Buffer.concat(Array<Buffer>(60).fill(packed(zeros(64, 64)))))]), /compressed again/],
    ['a sparse matrix of no elements', () => matFile([sparse([65_536, 65_536], [], Array<number>(65_537).fill(0))]), /more than 256 MiB/],
    ['a sparse matrix of three dimensions', () => matFile([sparse([65_536, 65_536, 0], [], [0])]), /impossible size/],
    ['a sparse matrix whose columns are not there', () => matFile([sparse([1, 2 ** 31 - 1], [], [0])]), /impossible index/],
    ['a sparse matrix whose columns overlap', () => matFile([sparse([4, 3], [0, 1, 2], [0, 3, 0, 3])]), /impossible index/],
    ['a negative row', () => matFile([sparse([4, 1], [-1], [0, 1])]), /impossible index/],
    [
      'a size that is no integer',
      () =>
        matFile([
          element(
            14,
            Buffer.concat([
              element(6, numbers('u32', [9, 0])),
              element(9, numbers('f64', [1.5, 2])),
              element(1, Buffer.from('x')),
              element(2, Buffer.alloc(3)),
            ]),
          ),
        ]),
      /impossible size/,
    ],
  ])('%s is refused', async (_name, bytes, why) => {
    await expectDiffSalError(() => parseMat(bytes(), 'fixMap.mat'), 'ERR_DIFFSAL_MEDIA', /'fixMap\.mat'/, why)
  })

  test('large maps that there are are read: 4096 × 4096 doubles, packed', async () => {
    const [found] = await parseMat(matFile([packed(zeros(4096, 4096))]), 'a.mat')
    expect(found!.shape).toEqual([4096, 4096])
  })

  test('many variables are named by a few of them', async () => {
    const path = temporaryPath('many.mat')
    await write(path, matFile([packed(Buffer.concat(Array<Buffer>(5_000).fill(zeros(1, 1, 9))))]))
    await expectDiffSalError(() => readFixations(path), 'ERR_DIFFSAL_MEDIA', /but ('x', ){7}'x' and 4992 more\.$/)
  })
})

describe('fixation pictures', () => {
  const blackPng = (width: number, height: number): Promise<Buffer> =>
    sharp({ create: { width, height, channels: 3, background: 'black' } })
      .png()
      .toBuffer()

  test('of more pixels than a map has are refused', async () => {
    const path = temporaryPath('large.png')
    await write(path, await blackPng(9000, 9000))
    for (const read of [readFixations, readGrey]) await expectDiffSalError(() => read(path), 'ERR_DIFFSAL_MEDIA', /large\.png/, /8192 × 8192/)
  })

  test('of millions of pixels are read', async () => {
    const path = temporaryPath('wide.png')
    const pixels = Buffer.alloc(2000 * 2000)
    pixels[1_234_567] = 1
    await write(
      path,
      await sharp(pixels, { raw: { width: 2000, height: 2000, channels: 1 } })
        .png()
        .toBuffer(),
    )
    const { shape, data } = await readFixations(path)
    expect(shape).toEqual([2000, 2000])
    expect([data.indexOf(1), data.lastIndexOf(1)]).toEqual([1_234_567, 1_234_567])
  })
})
