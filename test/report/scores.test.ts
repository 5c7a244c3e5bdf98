import { expect, test } from 'vitest'
import { scoresText } from '../../lib/report/scores.ts'

const none = { cc: 0, sim: 0, nss: 0, aucJudd: 0, kl: 0 }
const mean = { cc: 0.5, sim: 0.25, nss: 1, aucJudd: 0.75, kl: 2 }

test('a terminal obeys no name in the table', () => {
  const scores = { videos: { 'a\u001b[2J\rb': mean, 'c\u202ed\u2066': mean, 'Grüße_視頻👩‍🔬': mean }, mean, frames: 3, undefinedCount: none }
  const text = scoresText([{ title: 'set\u0007', scores }])
  expect(text).not.toMatch(/[^\n\P{Cc}]|\p{Bidi_Control}/u)
  const lines = text.split('\n')
  expect(lines[0]).toMatch(/^set\\u\{7\} +CC /)
  expect(lines[1]).toMatch(/^ {2}a\\u\{1b\}\[2J\\u\{d\}b +0\.500 +0\.250/)
  expect(lines[2]).toMatch(/^ {2}c\\u\{202e\}d\\u\{2066\} +0\.500/)
  expect(lines[3]).toMatch(/^ {2}Grüße_視頻👩‍🔬 +0\.500/)
  expect(new Set(lines.slice(0, 3).map((line) => line.length)).size).toBe(1)
})
