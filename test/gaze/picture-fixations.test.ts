import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readPictureFixations } from '../../lib/gaze/picture-fixations.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { collectWarnings } from '../support/warnings.ts'

const warnings = collectWarnings()
let files = 0

function list(text: string): string {
  const path = temporaryPath(`fixations-${files++}.json`)
  writeFileSync(path, text)
  return path
}

test('fixations are read in their order, with their viewers, however often', async () => {
  const path = list('\ufeff{"1.jpg": [[0, 0.5, 0.25, 246], ["b", 0, 1, 10], [0, 0.5, 0.25, 246]], "__proto__": [], "2.jpg": [["constructor", 1, 1]]}')
  expect([...(await readPictureFixations(path, { faults: 'error' }))]).toEqual([
    [
      '1.jpg',
      [
        { viewer: '0', x: 0.5, y: 0.25 },
        { viewer: 'b', x: 0, y: 1 },
        { viewer: '0', x: 0.5, y: 0.25 },
      ],
    ],
    ['__proto__', []],
    ['2.jpg', [{ viewer: 'constructor', x: 1, y: 1 }]],
  ])
})

test.each([
  'null',
  '3',
  '[]',
  '[0]',
  '[0, 0.5]',
  '[0, null, 0.5]',
  '[0, "0.5", 0.5]',
  '[{}, 0.5, 0.5]',
  '["", 0.5, 0.5]',
  '{"x": 0.5}',
  '[0, 1.01, 0.5]',
  '[0, 0.5, -2, 9]',
  '[0, 1e999, 0]',
])('a fixation that is %s is left out with its place, or refused', async (fixation) => {
  const path = list(`{"1.jpg": [[0, 0.1, 0.1, 5], ${fixation}], "2.jpg": [[1, 0.2, 0.2, 5]]}`)
  const read = await readPictureFixations(path, { faults: 'skip' })
  expect([...read.values()].map(({ length }) => length)).toEqual([1, 1])
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatch(/^Fixation 1 of '1\.jpg' of '.*' (is not \[viewer, x, y, milliseconds\]|lies outside the picture) \('.*'\); it is left out\.$/)
  await expectDiffSalError(() => readPictureFixations(path, { faults: 'error' }), 'ERR_DIFFSAL_FILE', /Fixation 1 of '1\.jpg'/)
})

test.each<[string, RegExp]>([
  ['', /no list of pictures' fixations/],
  ['[]', /must be an object of pictures/],
  ['null', /must be an object of pictures/],
  ['{"1.jpg": 3}', /'1\.jpg' must have a list of fixations/],
  ['{"1.jpg": [[0, NaN, 0.5, 3]]}', /no list of pictures' fixations/],
  ['{"1.jpg": [', /no list of pictures' fixations/],
])('%j is refused', async (text, message) => {
  const path = list(text)
  const error = await expectDiffSalError(() => readPictureFixations(path, { faults: 'skip' }), 'ERR_DIFFSAL_FILE', message)
  expect(error.message).toContain(path)
})

test('a short list that becomes much, by its depth or by how many it has, is refused', async () => {
  const nested = list(`{"1.jpg": [${'['.repeat(200_000)}${']'.repeat(200_000)}]}`)
  for (const faults of ['skip', 'error'] as const)
    await expectDiffSalError(() => readPictureFixations(nested, { faults }), 'ERR_DIFFSAL_FILE', /lists and objects in each other/)
  await expectDiffSalError(
    () => readPictureFixations(list(`{"1.jpg": [[]${',[]'.repeat(2 ** 23)}]}`), { faults: 'skip' }),
    'ERR_DIFFSAL_FILE',
    /more than 16777216 parts/,
  )
  const many = (count: number) => list(`{"1.jpg": [${Array(count).fill('[0,0.5,0.5]').join()}]}`)
  expect((await readPictureFixations(many(10_000), { faults: 'error' })).get('1.jpg')).toHaveLength(10_000)
  await expectDiffSalError(() => readPictureFixations(many(10_001), { faults: 'skip' }), 'ERR_DIFFSAL_FILE', /'1\.jpg' has more than 10000 fixations/)
}, 60_000)
