import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { readGaze, readGazeWithin } from '../../lib/gaze/read-gaze.ts'
import { RowBudget } from '../../lib/gaze/row-budget.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { collectWarnings } from '../support/warnings.ts'

const warnings = collectWarnings()
let files = 0

function table(content: string | Uint8Array, suffix = '.csv'): string {
  const path = temporaryPath(`gaze-${files++}${suffix}`)
  writeFileSync(path, content)
  return path
}

const looksOf = async (content: string | Uint8Array, suffix?: string) => (await readGaze(table(content, suffix), { rate: 25 })).looks

describe('each form', () => {
  test('fixations are looks', async () => {
    expect(await looksOf('viewer,start_ms,duration_ms,x,y\n9,0,63,0.7452,0.1542\n9,70,280,0.4062,0.4542\n')).toEqual([
      { viewer: '9', start: 0, duration: 63, x: 0.7452, y: 0.1542 },
      { viewer: '9', start: 70, duration: 280, x: 0.4062, y: 0.4542 },
    ])
  })

  test('a sample lasts until the next row of its viewer, at most 50 ms', async () => {
    const looks = await looksOf('viewer,time_ms,x,y\na,0,0.1,0.1\nb,4,0.2,0.2\na,16,0.3,0.3\na,200,0.4,0.4\n')
    expect(looks.map(({ viewer, start, duration }) => [viewer, start, duration])).toEqual([
      ['a', 0, 16],
      ['b', 4, 50],
      ['a', 16, 50],
      ['a', 200, 50],
    ])
  })

  test('a frame is looked at from half a frame before it to half a frame after', async () => {
    const recording = await readGaze(table('viewer,frame,x,y\n1,0,0.1,0.1\n1,1,0.2,0.2\n2,1,0.3,0.3\n1,3,0.4,0.4\n'), { rate: 30000 / 1001 })
    const at = (frame: number) => recording.at((frame * 1001) / 30).map(({ x }) => x)
    expect([0, 1, 2, 3, 4].map(at)).toEqual([[0.1], [0.2, 0.3], [], [0.4], []])
  })

  test('columns stand in any order, others beside them; of two times those that are no frames count', async () => {
    expect(await looksOf('Y,pupil,Frame,X,TIME_MS,Viewer\n0.2,7,3,0.1,40,"Ann, B."\n')).toEqual([
      { viewer: 'Ann, B.', start: 40, duration: 50, x: 0.1, y: 0.2 },
    ])
  })
})

const rows = 'viewer,time_ms,x,y\r\na,0,0.1,0.2\r\n\r\n"a", 20 ,0.3,1\r\n'

test.each<[string, string | Uint8Array, string?]>([
  ['CRLF, empty lines, quotes and spaces', rows],
  ['a byte-order mark', `\ufeff${rows}`],
  ['UTF-16 with its mark', Buffer.from(`\ufeff${rows}`, 'utf16le')],
  ['UTF-16 of the other order', Buffer.from(`\ufeff${rows}`, 'utf16le').swap16()],
  ['no newline at the end', rows.trimEnd()],
  ['a packed file', gzipSync(rows), '.csv.gz'],
  ['one packed in two parts', Buffer.concat([gzipSync(rows.slice(0, 30)), gzipSync(rows.slice(30))]), '.CSV.GZ'],
])('%s is read', async (_, content, suffix) => {
  expect(await looksOf(content, suffix)).toEqual([
    { viewer: 'a', start: 0, duration: 20, x: 0.1, y: 0.2 },
    { viewer: 'a', start: 20, duration: 50, x: 0.3, y: 1 },
  ])
  expect(warnings).toEqual([])
})

describe('a row that cannot be used', () => {
  const good = 'a,1,0.5,0.5\n'
  test.each<[string, string, number, RegExp]>([
    ['NaN', 'a,2,NaN,0.5', 2, /Row 3 of '.*' has no number in the column 'x' \('a,2,NaN,0\.5'\); it is left out/],
    ['a gap', 'a,2,,', 2, /Row 3 of '.*' has no number in the column 'x'/],
    ['a word for a time', 'a,soon,0.1,0.1', 2, /has no number in the column 'time_ms'/],
    ['an endless time', 'a,Infinity,0.1,0.1', 2, /has no number in the column 'time_ms'/],
    ['outside', 'a,2,1.2,0.5', 2, /lies outside the picture \('a,2,1\.2,0\.5'\)/],
    ['pixels', 'a,2,960,540', 2, /lies outside the picture/],
    ['back in time', 'a,0.5,0.1,0.1', 2, /goes back in time/],
    ['nobody', ',2,0.1,0.1', 2, /names no viewer in the column 'viewer'/],
    ['too few cells', 'a,2', 2, /does not have 4 cells/],
    ['decimal commas', 'a,2,0,25,0,5', 2, /does not have 4 cells/],
  ])('%s is left out with its place, or refused', async (_, row, kept, message) => {
    const path = table(`viewer,time_ms,x,y\n${good}${row}\nb,0,0.2,0.2\n`)
    expect((await readGaze(path)).looks).toHaveLength(kept)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(message)
    const place = new RegExp(`Row 3 of '${path}'`)
    expect((await expectDiffSalError(() => readGaze(path, { faults: 'error' }), 'ERR_DIFFSAL_FILE', place)).argument).toBe(path)
  })

  test('a negative duration, a frame between two and one before the first', async () => {
    await looksOf('viewer,start_ms,duration_ms,x,y\na,0,10,0.1,0.1\na,10,-5,0.1,0.1\n')
    await looksOf('viewer,frame,x,y\na,0,0.1,0.1\na,1.5,0.1,0.1\n')
    await looksOf('viewer,frame,x,y\na,-1,0.1,0.1\na,1,0.1,0.1\n')
    expect(warnings.map((one) => /Row \d.*?(?= \()/.exec(one)![0].replace(/of '.*?'/, ''))).toEqual([
      "Row 3  has a negative duration in the column 'duration_ms'",
      "Row 3  has a frame that is no whole number from 0 on in the column 'frame'",
      "Row 2  has a frame that is no whole number from 0 on in the column 'frame'",
    ])
  })

  test("many of a kind are one warning, and the row is the file's, empty lines counted", async () => {
    await looksOf('viewer,time_ms,x,y\n\n\na,1,0.1,0.1\na,2,5,5\na,3,6,6\na,4,7,7\n')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/Row 5 of '.*' lies outside the picture \('a,2,5,5'\), as do 2 more; they are left out/)
  })

  test('a shut eye ends the look before it', async () => {
    const looks = await looksOf('viewer,time_ms,x,y\na,0,0.1,0.1\na,10,,\na,20,,\na,30,0.3,0.3\n')
    expect(looks.map(({ start, duration }) => [start, duration])).toEqual([
      [0, 10],
      [30, 50],
    ])
  })
})

describe('a file that is no table', () => {
  test.each<[string, string | Uint8Array, RegExp, string?]>([
    ['an empty one', '', /it is empty/],
    ['only a mark', '\ufeff', /it is empty/],
    ['only a header', 'viewer,time_ms,x,y\n', /none of its 0 rows can be used/],
    [
      'unknown columns',
      'subject,t,gx,gy\n1,2,3,4\n',
      /must name the columns, such as 'viewer,start_ms,duration_ms,x,y'.*but it is 'subject', 't', 'gx', 'gy'; say columns: \{ x: 'NAME' \}/,
    ],
    ['a column twice', 'viewer,time_ms,x,x,y\na,0,0.1,0.1,0.1\n', /names the column 'x' twice/],
    ['only rows that cannot be used', 'viewer,time_ms,x,y\na,0,5,5\n', /none of its 1 rows can be used/],
    ['a quote that never ends', `viewer,time_ms,x,y\na,0,0.1,0.1\n"a,1,${'x'.repeat(1 << 20)}`, /Max Record Size|Quote Not Closed/],
    ['a quote in the middle', 'viewer,time_ms,x,y\n"a"b,0,0.1,0.1\n', /line 2/],
    ['a picture', Uint8Array.from({ length: 3000 }, (_, i) => (i * 89) % 256), /no table/],
    ['what is not packed', rows, /cannot be unpacked/, '.csv.gz'],
    ['a cut packed file', gzipSync(rows).subarray(0, 20), /cannot be unpacked/, '.csv.gz'],
  ])('%s', async (_, content, message, suffix) => {
    const path = table(content, suffix)
    const error = await expectDiffSalError(() => readGaze(path), 'ERR_DIFFSAL_FILE', message)
    expect(error.message).toContain(path)
    expect(error.message.length).toBeLessThan(1000)
  })

  test('one that would unpack to more than memory is for', async () => {
    const path = table(gzipSync(Buffer.alloc(129 << 20, '\n'), { level: 1 }), '.csv.gz')
    await expectDiffSalError(() => readGaze(path), 'ERR_DIFFSAL_FILE', /more than 134217728 bytes/)
  })

  test('a folder, a pipe, nothing', async () => {
    const [folder, pipe] = [temporaryPath('folder.csv'), temporaryPath('pipe.csv')]
    mkdirSync(folder)
    execFileSync('mkfifo', [pipe])
    await expectDiffSalError(() => readGaze(folder), 'ERR_DIFFSAL_FILE', /it is a directory/)
    await expectDiffSalError(() => readGaze(pipe), 'ERR_DIFFSAL_FILE', /not a regular file/)
    await expectDiffSalError(() => readGaze(temporaryPath('none.csv')), 'ERR_DIFFSAL_FILE', /does not exist/)
  })
})

test('a viewer may be called anything', async () => {
  const names = ['__proto__', 'constructor', 'toString', '', 'a'].map((name, i) => `${name},${i},0.5,0.5`)
  expect((await readGaze(table(`viewer,time_ms,x,y\n${names.join('\n')}\n`))).viewers).toEqual(['__proto__', 'constructor', 'toString', 'a'])
})

test('many rows, one of which lasts as long as all, are found by their times', async () => {
  const lines = ['viewer,start_ms,duration_ms,x,y', 'long,0,1e9,0.9,0.9', ...Array.from({ length: 20_000 }, (_, i) => `v${i % 50},${i * 20},15,0.1,0.1`)]
  const recording = await readGaze(table(lines.join('\n')))
  expect(recording.viewers).toHaveLength(51)
  for (let frame = 0; frame < 4000; frame++) expect(recording.at(frame * 100 + 5)).toHaveLength(2)
})

test('options are checked', async () => {
  const path = table('viewer,frame,x,y\na,0,0.1,0.1\n')
  await expectDiffSalError(() => readGaze(path), 'ERR_DIFFSAL_INVALID_ARGUMENT', /'rate' must be the video's frames a second/)
  await expectDiffSalError(() => readGaze(path, { rate: 0 }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'rate')
  await expectDiffSalError(() => readGaze(path, { faults: 'ignore' as never }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'faults')
  await expectDiffSalError(() => readGaze(path, { fps: 3 } as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'fps')
})

test('tables that are read together share the rows that they may have: packed ones are a thousandth of what they become', async () => {
  const budget = new RowBudget()
  const path = table(gzipSync('viewer,time_ms,x,y\na,0,0.5,0.5\na,4,0.5,0.5\n'), '.csv.gz')
  for (let i = 4; i < 5_000_000; i++) budget.take()
  expect((await readGazeWithin(budget, path)).looks).toHaveLength(2)
  expect((await readGazeWithin(budget, path)).looks).toHaveLength(2)
  await expectDiffSalError(() => readGazeWithin(budget, path), 'ERR_DIFFSAL_FILE', /there are more than 5000000 rows/)
  expect((await readGaze(path)).looks).toHaveLength(2)
})

test('a table has a bound of viewers, each of whom may look at every frame', async () => {
  const of = (count: number) => table(`viewer,time_ms,x,y\n${Array.from({ length: count }, (_, i) => `${i},0,0.5,0.5\n${i},9,0.5,0.5\n`).join('')}`)
  expect((await readGaze(of(10_000))).viewers).toHaveLength(10_000)
  await expectDiffSalError(() => readGaze(of(10_001)), 'ERR_DIFFSAL_FILE', /more than 10000 viewers/)
})

test('what the reader of CSV quotes of a file is shortened', async () => {
  const error = await expectDiffSalError(() => readGaze(table(`viewer,time_ms,x,y\n"${'a,'.repeat(9000)}"b\n`)), 'ERR_DIFFSAL_FILE', /no table/)
  expect(error.message.length).toBeLessThan(2000)
})
