import { expect, test } from 'vitest'
import { colourTable } from '../../lib/maps/colour-maps.ts'

const heatColours = colourTable('heat')

/** CIE lightness of an sRGB colour, 0–100. */
function lightness([r, g, b]: number[]): number {
  const [lr, lg, lb] = [r!, g!, b!].map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4))
  const y = 0.2126 * lr! + 0.7152 * lg! + 0.0722 * lb!
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y
}

const colour = (i: number): number[] => [...heatColours.subarray(3 * i, 3 * i + 3)]

test('lightness rises all the way, in steps of nearly one size', () => {
  const levels = Array.from({ length: 256 }, (_, i) => lightness(colour(i)))
  expect(levels[0]).toBeLessThan(25)
  expect(levels[255]).toBeGreaterThan(90)
  const mean = (levels[255]! - levels[0]!) / 255
  for (let i = 8; i < 256; i++) {
    const step = (levels[i]! - levels[i - 8]!) / 8
    expect(step, `from ${i - 8} to ${i}`).toBeGreaterThan(0.3 * mean)
    expect(step, `from ${i - 8} to ${i}`).toBeLessThan(2 * mean)
  }
})

test('from violet over red to yellow, without a jump', () => {
  const [low, middle, high] = [colour(20), colour(128), colour(250)] as [number[], number[], number[]]
  expect(low[2]).toBeGreaterThan(low[1]!)
  expect(middle[0]).toBeGreaterThan(middle[2]! + 50)
  expect(Math.min(high[0]!, high[1]!)).toBeGreaterThan(high[2]! + 30)
  for (let i = 1; i < 256; i++) for (let c = 0; c < 3; c++) expect(Math.abs(colour(i)[c]! - colour(i - 1)[c]!)).toBeLessThanOrEqual(6)
})

const hex = (table: Uint8Array, i: number): string => Buffer.from(table.subarray(3 * i, 3 * i + 3)).toString('hex')

test('the published colour maps are those that others know, end to end', () => {
  const ends = {
    magma: ['000004', 'fcfdbf'],
    inferno: ['000004', 'fcffa4'],
    viridis: ['440154', 'fde725'],
    turbo: ['30123b', '7a0403'],
    grey: ['000000', 'ffffff'],
  } as const
  for (const [name, [least, greatest]] of Object.entries(ends)) {
    const table = colourTable(name as keyof typeof ends)
    expect([name, table.length, hex(table, 0), hex(table, 255)]).toEqual([name, 768, least, greatest])
  }
  // As each is printed in its papers: viridis passes a teal in the middle, magma a magenta.
  expect([hex(colourTable('viridis'), 128), hex(colourTable('magma'), 128)]).toEqual(['21918c', 'b73779'])
})

test.each(['magma', 'inferno', 'viridis', 'grey'] as const)('%s rises in lightness without a jump', (name) => {
  const table = colourTable(name)
  const levels = Array.from({ length: 256 }, (_, i) => lightness([...table.subarray(3 * i, 3 * i + 3)]))
  for (let i = 4; i < 256; i++) {
    expect(levels[i], `${i}`).toBeGreaterThan(levels[i - 4]!)
    expect(levels[i]! - levels[i - 4]!, `${i}`).toBeLessThan(4)
  }
})
