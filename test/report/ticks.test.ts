import { expect, test } from 'vitest'
import { linearTicks, logTicks, numberText, tickTexts } from '../../lib/report/ticks.ts'

test.each<[number, number, number, number[]]>([
  [0, 1, 4, [0, 0.5, 1]],
  [0.28, 0.55, 4, [0.3, 0.4, 0.5]],
  [0, 3200, 4, [0, 1000, 2000, 3000]],
  [-0.2, 0.25, 4, [-0.2, 0, 0.2]],
  [0.1, 0.4, 3, [0.1, 0.2, 0.3, 0.4]],
])('from %d to %d, about %d', (min, max, count, ticks) => {
  expect(linearTicks(min, max, count).map((tick) => tick + 0)).toEqual(ticks)
})

test.each<[number, number, number[]]>([
  [1e-6, 1e-4, [1e-6, 1e-5, 1e-4]],
  [3, 200, [5, 10, 20, 50, 100, 200]],
  [1e-9, 1e3, [1e-9, 1e-6, 1e-3, 1, 1e3]],
])('log, from %d to %d', (min, max, ticks) => {
  expect(logTicks(min, max)).toEqual(ticks)
})

test.each<[number, string]>([
  [0, '0'],
  [812.34, '812'],
  [1234.5, '1235'],
  [12_345.6, '12\u202f346'],
  [0.01234, '0.0123'],
  [0.001, '0.001'],
  [1e-4, '1e-4'],
  [1.25e-5, '1.25e-5'],
  [2e8, '2e8'],
  [-Math.PI, '-3.14'],
  [Number.NaN, '–'],
])('%d is %s', (value, text) => {
  expect(numberText(value)).toBe(text)
})

test('ticks that lie close have the digits that tell them apart', () => {
  expect(tickTexts([0.9992, 0.9994, 0.9996])).toEqual(['0.9992', '0.9994', '0.9996'])
  expect(tickTexts([0, 0.5, 1])).toEqual(['0', '0.5', '1'])
})
