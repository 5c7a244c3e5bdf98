import { expect, test } from 'vitest'
import { parseFoldList, readFoldList } from '../../lib/datasets/fold-lists.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { write } from './trees.ts'

const two = [
  { name: 'V1_Speech1', frames: 250, rate: { num: 25, den: 1 } },
  { name: 'V2', frames: 101, rate: { num: 30_000, den: 1001 } },
]

test.each([
  ['as it should be', 'V1_Speech1 250 25.00\nV2 101 29.97\n'],
  ['without a last newline', 'V1_Speech1 250 25\nV2 101 29.97'],
  ['with Windows line ends', 'V1_Speech1 250 25\r\nV2 101 29.97\r\n'],
  ['with a byte order mark, tabs, blanks and blank lines', '\uFEFF\n  V1_Speech1\t250 25  \n\n   \nV2  101\t29.970030\n\n'],
])('a list %s', (_name, text) => {
  expect(parseFoldList(text, 'a.txt')).toEqual(two)
})

test('a name may have spaces, and an empty list is empty', () => {
  expect(parseFoldList('a video 10 24\n', 'a.txt')).toEqual([{ name: 'a video', frames: 10, rate: { num: 24, den: 1 } }])
  expect(parseFoldList('\n', 'a.txt')).toEqual([])
})

test.each([
  ['V1 250', /Line 2.*fewer than three words/],
  ['V1 many 25', /Line 2.*'many'.*number of frames/],
  ['V1 2.5 25', /Line 2.*number of frames/],
  ['V1 250 0', /Line 2.*'0' for the frames a second/],
  ['V1 250 fast', /Line 2.*'fast'/],
  ['../V1 250 25', /Line 2.*a path for a name/],
  ['V0 250 25', /Line 2.*'V0' again, which line 1/],
])('%s is refused', async (line, why) => {
  await expectDiffSalError(() => parseFoldList(`V0 10 25\r\n${line}\r\n`, 'fold_lists/a.txt'), 'ERR_DIFFSAL_FILE', /fold_lists\/a\.txt/, why)
})

test('a list is read from its file; a missing one is named', async () => {
  const path = temporaryPath('list.txt')
  await write(path, 'V1_Speech1 250 25\nV2 101 29.97')
  expect(await readFoldList(path)).toEqual(two)
  await expectDiffSalError(() => readFoldList(temporaryPath('none.txt')), 'ERR_DIFFSAL_FILE', /none\.txt.*does not exist/)
})

test('the time that a line takes grows with its length alone', () => {
  const blank = ' '.repeat(400_000)
  expect(() => parseFoldList(`a${blank}x`, 'list.txt')).toThrow(/fewer than three words/)
  expect(() => parseFoldList(`${blank}x${blank}y`, 'list.txt')).toThrow(/fewer than three words/)
  expect(parseFoldList(`a${blank}b${blank}10${blank}25${blank}`, 'list.txt')).toEqual([{ name: `a${blank}b`, frames: 10, rate: { num: 25, den: 1 } }])
  expect(() => parseFoldList(`${'a'.repeat(400_000)}/ 1 25`, 'list.txt')).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^.{100,2000}$/) as unknown }),
  )
})
