import sharp from 'sharp'
import { expect, test } from 'vitest'
import { lineChart, type LineChart } from '../../lib/report/line-chart.ts'

const base: Omit<LineChart, 'points' | 'kind'> = { title: 'Loss', unit: 'squared error', range: [1, 100], dividers: [50] }
const points = Array.from({ length: 100 }, (_, i) => [i + 1, 10 + 90 / (i + 1)] as const)

/** The points of a chart's path of a class. */
function path(text: string, name: string): [number, number][] {
  const d = new RegExp(`class="${name}" d="M([^"]*)"`).exec(text)![1]!
  return d.split('L').map((place) => place.split(' ').map(Number) as [number, number])
}

test('a noisy curve has each point, pale, and a smoothed line that ends in its value', () => {
  const { text } = lineChart({ ...base, points, kind: 'noisy' })
  expect(text).toContain('<figcaption><b>Loss</b> squared error. Pale: each step; line: mean of 5 steps.</figcaption>')
  const pale = path(text, 'pale')
  expect(pale).toHaveLength(100)
  // Steps go to the right, higher values up, in the frame.
  expect(pale[0]![0]).toBe(50)
  expect(pale.at(-1)![0]).toBe(372)
  expect(pale[0]![1]).toBeLessThan(pale.at(-1)![1])
  for (const [x, y] of pale) expect(x >= 50 && x <= 372 && y >= 18 && y <= 184).toBe(true)
  expect(text).toMatch(/<text class="label"[^>]*>10\.9<\/text>/)
  expect(text.match(/class="divider"/g)).toHaveLength(1)
})

test('what spans far is on a log scale, and says so; 0 is not', () => {
  const wide = lineChart({
    ...base,
    points: [
      [1, 0.001],
      [50, 1],
      [100, 1000],
    ],
    kind: 'noisy',
  }).text
  expect(wide).toContain('squared error, log scale.')
  const [low, middle, high] = path(wide, 'line').map(([, y]) => y) as [number, number, number]
  expect(low - middle).toBeCloseTo(middle - high, 0)
  expect(
    lineChart({
      ...base,
      points: [
        [1, 0],
        [100, 1000],
      ],
      kind: 'noisy',
    }).text,
  ).not.toContain('log scale')
})

test('the learning rate holds each value until the next', () => {
  const rates = Array.from({ length: 100 }, (_, i) => [i + 1, i < 50 ? 1e-4 : 1e-5] as const)
  const { text } = lineChart({ ...base, points: rates, kind: 'steps' })
  expect(/class="line" d="M[\d.]+ [\d.]+(.*?)"/.exec(text)![1]).toMatch(/^(H[\d.]+V[\d.]+){3}$/)
  expect(text).toContain('>1e-5</text>')
})

test('marks name the best, which has a shape of its own', () => {
  const marks = [
    [10, 0.2],
    [50, 0.5],
    [100, 0.4],
  ] as const
  const { text } = lineChart({ ...base, points: marks, kind: 'marks', best: 50, text: (value) => value.toFixed(3) })
  expect(text.match(/<circle class="mark"/g)).toHaveLength(3)
  expect(text.match(/class="best"/g)).toHaveLength(1)
  expect(text).toContain('<title>best, step 50: 0.500</title>')
  expect(text).toMatch(/class="label bestlabel"[^>]*>0\.500</)
  expect(text).toMatch(/class="label" [^>]*>0\.400</)
  const last = lineChart({ ...base, points: marks, kind: 'marks', best: 100 }).text
  expect(last.match(/class="label/g)).toHaveLength(1)
})

test('no value, one value and equal values are drawn', () => {
  expect(lineChart({ ...base, points: [[1, Number.NaN]], kind: 'marks' }).text).toContain('No values yet.')
  const one = lineChart({ ...base, range: [1, 1], points: [[1, 5]], kind: 'noisy' }).text
  expect(one).toContain('<circle')
  for (const kind of ['noisy', 'steps', 'marks'] as const) {
    for (const value of [0, -2, 5]) {
      const { text } = lineChart({
        ...base,
        points: [
          [1, value],
          [100, value],
        ],
        kind,
      })
      expect(text).not.toMatch(/NaN|Infinity/)
    }
  }
  expect(one).not.toMatch(/NaN|Infinity/)
})

test('100 000 steps make a small chart', () => {
  const many = Array.from({ length: 100_000 }, (_, i) => [i + 1, Math.random()] as const)
  expect(lineChart({ ...base, range: [1, 100_000], points: many, kind: 'noisy' }).text.length).toBeLessThan(30_000)
})

test('it is a picture that a renderer accepts', async () => {
  const { text } = lineChart({ ...base, title: 'A <name> & "more"', points, kind: 'noisy' })
  const svg = /<svg[\s\S]*<\/svg>/
    .exec(text)![0]
    .replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"')
    .replaceAll('class="line"', 'fill="none" stroke="black"')
  const { info, data } = await sharp(Buffer.from(svg)).flatten({ background: 'white' }).greyscale().raw().toBuffer({ resolveWithObject: true })
  expect([info.width, info.height]).toEqual([430, 220])
  expect(data.some((value) => value < 50)).toBe(true)
})
