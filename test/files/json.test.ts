import { expect, test } from 'vitest'
import { parseJson } from '../../lib/files/json.ts'

test.each(['{"a": [1, "[{,:\\"", null], "b\\\\": {"c": -1e3}}', '"x"', '3', ' [] ', '{"a":"]]]]}}"}'])('%s is as JSON.parse has it', (text) => {
  expect(parseJson(text)).toEqual(JSON.parse(text))
})

test.each(['', '[', '"', '"\\', '{"a"', ']', '[1,]'])('%j is no JSON', (text) => {
  expect(() => parseJson(text)).toThrow(SyntaxError)
})

test('parts are counted, not the signs in strings', () => {
  expect(parseJson('[1, 2, {"a": ",,,[[["}]', 5)).toHaveLength(3)
  expect(() => parseJson('[1, 2, {"a": ",,,[[["}]', 4)).toThrow(/more than 4 parts/)
})

test('a text that is nested without end is refused, however it goes on', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  expect(JSON.stringify(parseJson(nested(100)))).toBe(nested(100))
  expect(() => parseJson(nested(101))).toThrow(/more than 100 lists and objects/)
  expect(() => parseJson('{"a":'.repeat(200_000))).toThrow(/more than 100 lists and objects/)
})
