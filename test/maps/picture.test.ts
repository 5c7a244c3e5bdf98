import sharp from 'sharp'
import { expect, test } from 'vitest'
import { maps, type Tensor } from '../../lib/index.ts'
import { colourTable } from '../../lib/maps/colour-maps.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

const map = (...data: number[]) => ({ dtype: 'float32', shape: [1, data.length], data: Float32Array.from(data) }) as const
const grey: Tensor<'uint8'> = { dtype: 'uint8', shape: [4, 6, 3], data: new Uint8Array(72).fill(100) }

async function pixels(image: Buffer): Promise<number[][]> {
  const { data, info } = await sharp(image).raw().toBuffer({ resolveWithObject: true })
  return Array.from({ length: info.width * info.height }, (_, i) => [...data.subarray(i * info.channels, (i + 1) * info.channels)])
}

const colour = (name: Parameters<typeof colourTable>[0], i: number): number[] => [...colourTable(name).subarray(3 * i, 3 * i + 3)]

test('a grey PNG of 8 or 16 bits, of any size', async () => {
  const png = await maps.toPng(map(0, 0.2, 1))
  expect(await sharp(png).metadata()).toMatchObject({ format: 'png', width: 3, height: 1, channels: 1, depth: 'uchar' })
  expect(await sharp(png).toColourspace('b-w').raw().toBuffer()).toEqual(Buffer.from([0, 51, 255]))
  const deep = await maps.toPng(map(0, 1e-3, 1), { bits: 16, scale: [0, 1] })
  const raw = await sharp(deep).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer()
  expect([...new Uint16Array(raw.buffer, raw.byteOffset, 3)]).toEqual([0, 66, 65_535])
  expect(await sharp(await maps.toPng(map(0, 1), { size: [30, 40] })).metadata()).toMatchObject({ width: 40, height: 30 })
})

test('a flat map, and one that is hardly above zero, are black unless each is scaled by itself', async () => {
  for (const one of [map(0.5, 0.5), map(0, 3e-6)])
    expect(
      await sharp(await maps.toPng(one))
        .toColourspace('b-w')
        .raw()
        .toBuffer(),
    ).toEqual(Buffer.from([0, 0]))
  expect(
    await sharp(await maps.toPng(map(0, 3e-6), { scale: 'each' }))
      .toColourspace('b-w')
      .raw()
      .toBuffer(),
  ).toEqual(Buffer.from([0, 255]))
})

test('one running range makes the maps of a video comparable', async () => {
  const scale = new maps.RunningRange()
  const value = async (one: ReturnType<typeof map>) =>
    (
      await sharp(await maps.toPng(one, { scale }))
        .toColourspace('b-w')
        .raw()
        .toBuffer()
    )[1]
  expect([await value(map(0, 1)), await value(map(0, 0.2)), scale.range]).toEqual([255, 51, 1])
})

test('by itself a map is opaque, in the colours that are asked for', async () => {
  expect(await pixels(await maps.colourise(map(0, 1)))).toEqual([
    [0, 0, 0],
    [255, 255, 255],
  ])
  expect(await pixels(await maps.colourise(map(0, 1), { colourMap: 'viridis' }))).toEqual([colour('viridis', 0), colour('viridis', 255)])
})

test('over a picture, by the opacity', async () => {
  const one = { dtype: 'float32', shape: [1, 1, 4, 6], data: Float32Array.from({ length: 24 }, (_, i) => (i % 6 < 3 ? 0 : 1)) } as const
  const laid = await pixels(await maps.colourise(one, { over: grey, opacity: 0.5 }))
  expect(laid).toHaveLength(24)
  expect(laid[0]).toEqual([100, 100, 100])
  for (const [c, value] of colour('heat', 255).entries()) expect(Math.abs(laid[5]![c]! - (100 + value) / 2)).toBeLessThanOrEqual(2)
})

test('the bytes of a picture are those of the call, whatever becomes of them after it', async () => {
  const png = new Uint8Array(await maps.toPng(map(0, 1), { size: [8, 8] }))
  const expected = await pixels(await maps.colourise(map(0, 1), { over: png }))
  const laid = maps.colourise(map(0, 1), { over: png })
  png.fill(0)
  expect(await pixels(await laid)).toEqual(expected)
})

test('over the bytes of a picture, beside it, and as another format', async () => {
  const jpeg = await sharp(grey.data, { raw: { width: 6, height: 4, channels: 3 } })
    .jpeg()
    .toBuffer()
  const both = await maps.colourise(map(0, 1), { over: jpeg, sideBySide: true, format: 'webp' })
  expect(await sharp(both).metadata()).toMatchObject({ format: 'webp', width: 12, height: 4 })
  const exact = await pixels(await maps.colourise(map(0, 1), { over: jpeg, sideBySide: true, opacity: 1 }))
  expect(
    exact
      .slice(0, 6)
      .flat()
      .every((value) => Math.abs(value - 100) < 3),
  ).toBe(true)
  expect(exact[11]).toEqual(colour('heat', 255))
})

test('a grey picture and one with transparency are taken', async () => {
  const faint = await sharp({ create: { width: 2, height: 1, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
    .png()
    .toBuffer()
  const black = await sharp(Uint8Array.of(9, 9), { raw: { width: 2, height: 1, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer()
  expect(await pixels(await maps.colourise(map(0, 0), { over: faint }))).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ])
  expect(await pixels(await maps.colourise(map(0, 0), { over: black }))).toEqual([
    [9, 9, 9],
    [9, 9, 9],
  ])
})

test('lines', async () => {
  const ramp = { dtype: 'float32', shape: [8, 32], data: Float32Array.from({ length: 256 }, (_, i) => (i % 32) / 31) } as const
  const row = (await pixels(await maps.colourise(ramp, { colourMap: 'viridis', contours: [0.5], size: [80, 320] }))).slice(320 * 40, 320 * 41)
  const white = row.flatMap((value, x) => (Math.min(...value) > 160 ? [x] : []))
  expect(white.length).toBeGreaterThan(0)
  for (const x of white) expect(Math.abs(x - 160)).toBeLessThan(4)
})

test('what cannot be painted is refused by name', async () => {
  const refused = (options: object, ...words: string[]) =>
    expectDiffSalError(() => maps.colourise(map(0, 1), options as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', ...words)
  await refused({ over: Buffer.from('no picture') }, "'over'", 'a picture')
  await refused({ over: { dtype: 'uint8', shape: [2, 2], data: new Uint8Array(4) } }, "'over.shape'", '(h, w, 3)')
  await refused({ over: grey, size: [2, 2] }, "'size'")
  await refused({ sideBySide: true }, "'sideBySide'")
  await refused({ colourMap: 'jet' }, "'colourMap'", 'viridis')
  await refused({ opacity: 2 }, "'opacity'")
  await refused({ contours: [0] }, "'contours[0]'")
  await refused({ scale: 'all' }, "'scale'")
  await refused({ scale: [1, 1] }, "'scale'")
  await refused({ format: 'gif' }, "'format'")
  await expectDiffSalError(() => maps.toPng(map(0, 1), { bits: 12 as never }), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'bits'")
  await expectDiffSalError(() => maps.toPng(map(Number.NaN)), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'map.data[0]'")
})
