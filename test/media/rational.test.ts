import { expect, test } from 'vitest'
import { rateFromDecimal, rational, rationalText, rationalValue } from '../../lib/media/rational.ts'

test('lowest terms and text', () => {
  expect(rational(60_000, 2_002)).toEqual({ num: 30_000, den: 1_001 })
  expect(rationalText(rational(50, 2))).toBe('25')
  expect(rationalText(rational(30_000, 1_001))).toBe('30000/1001')
  expect(rationalValue(rational(1, 8))).toBe(0.125)
})

test.each([
  [23.98, '24000/1001'],
  [24, '24'],
  [29.97, '30000/1001'],
  [59.94, '60000/1001'],
  [119.88, '120000/1001'],
  [12.5, '25/2'],
  [17.86, '893/50'],
  [0.5, '1/2'],
])('%f frames a second is %s', (decimal, text) => {
  expect(rationalText(rateFromDecimal(decimal))).toBe(text)
})
