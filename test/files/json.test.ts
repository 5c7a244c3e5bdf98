import { expect, test } from 'vitest'
import { parseJson, parseJsonFile } from '../../lib/files/json.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

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

test.each([
  ['{\n  "a": 1,\n  "b" 2\n}', 3, 7],
  ['[\n  { "x": tru }\n]', 2, 13],
  ['[{"name": logo}]', 1, 11],
  ['[{"x": 1}]]', 1, 11],
  ['[{"x": 1},', 1, 11],
  ['', 1, 1],
  [`[${'{"x": 1},\n'.repeat(500)}{"x": NaN}]`, 501, 7],
])('the place where %j is no JSON', async (text, line, column) => {
  const error = await expectDiffSalError(
    () => parseJsonFile('areas.json', text),
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    /^'areas\.json' is not JSON: /,
    new RegExp(`\\(line ${line}, column ${column}\\)\\.$`),
  )
  expect(error.message.length).toBeLessThan(150)
})

test('a mark of the byte order is no part of a file, and too many parts have no place', async () => {
  expect(parseJsonFile('a.json', '\ufeff[1]')).toEqual([1])
  await expectDiffSalError(
    () => parseJsonFile('a.json', '['.repeat(200)),
    'ERR_DIFFSAL_INVALID_ARGUMENT',
    /'a\.json' is not JSON: it has more than 100 lists and objects in each other\.$/,
  )
})
