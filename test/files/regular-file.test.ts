import { execFileSync } from 'node:child_process'
import { symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readCheckpoint } from '../../lib/checkpoint/checkpoint.ts'
import { readFixations } from '../../lib/datasets/fixations.ts'
import { readFoldList } from '../../lib/datasets/fold-lists.ts'
import { readMat } from '../../lib/datasets/mat.ts'
import { readGrey, readRgb } from '../../lib/datasets/pictures.ts'
import { WavFile } from '../../lib/datasets/wav.ts'
import { bytesAt, readText, readWhole, withRegularFile } from '../../lib/files/regular-file.ts'
import { readPictureFixations } from '../../lib/gaze/picture-fixations.ts'
import { readGaze } from '../../lib/gaze/read-gaze.ts'
import { readRunConfig } from '../../lib/run/config.ts'
import { RunLog } from '../../lib/run/log.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

const readers: Readonly<Record<string, readonly [suffix: string, read: (path: string) => unknown]>> = {
  'a MAT-file': ['.mat', readMat],
  'fixations of a MAT-file': ['.mat', readFixations],
  'fixations of a picture': ['.png', readFixations],
  'a frame': ['.jpg', (path) => readRgb(path, [8, 8])],
  'a map': ['.jpg', (path) => readGrey(path)],
  'a sound': ['.wav', (path) => WavFile.open(path)],
  'a fold list': ['.txt', readFoldList],
  'a table of gaze': ['.csv', (path) => readGaze(path, { rate: 25, faults: 'error' })],
  'a packed table of gaze': ['.csv.gz', (path) => readGaze(path, { rate: 25, faults: 'error' })],
  'fixations of pictures': ['.json', (path) => readPictureFixations(path, { faults: 'error' })],
  weights: ['.safetensors', readCheckpoint],
  'a configuration': ['.json', readRunConfig],
  "a run's log": ['.jsonl', (path) => RunLog.open(path, 0)],
}

let made = 0
const kinds: Readonly<Record<string, (path: string) => void>> = {
  'a pipe': (path) => void execFileSync('mkfifo', [path]),
  'a link to a pipe': (path) => {
    execFileSync('mkfifo', [`${path}.pipe`])
    symlinkSync(`${path}.pipe`, path)
  },
  'a link to a device that never ends': (path) => symlinkSync('/dev/zero', path),
  'a link to a terminal': (path) => symlinkSync('/dev/tty', path),
  'a folder': (path) => void execFileSync('mkdir', [path]),
}

const all = Object.entries(readers).flatMap(([reader, [suffix, read]]) => Object.entries(kinds).map(([kind, make]) => ({ reader, kind, suffix, read, make })))

test.each(all)('$kind in the place of $reader is refused, and named', async ({ suffix, read, make }) => {
  const path = temporaryPath(`${made++}${suffix}`)
  make(path)
  await expectDiffSalError(() => read(path), 'ERR_DIFFSAL_FILE', new RegExp(`'${path}'.*(not a regular file|is a directory)`))
})

test('a file that is longer than anything that is read there is not read', async () => {
  const path = temporaryPath('long.txt')
  writeFileSync(path, '')
  truncateSync(path, 2 ** 40)
  for (const read of [readText, readFoldList, readMat]) await expectDiffSalError(() => read(path), 'ERR_DIFFSAL_FILE', path, /at most \d+ bytes/)
})

test('parts and wholes of files', async () => {
  const path = temporaryPath('whole.txt')
  const text = 'abc'.repeat(3_000_000)
  writeFileSync(path, text)
  expect(await readText(path)).toBe(text)
  expect((await withRegularFile(path, (file) => bytesAt(file, 4, 5))).toString()).toBe('bcabc')
  expect((await withRegularFile(path, (file) => bytesAt(file, text.length - 2, 5))).toString()).toBe('bc')
  writeFileSync(path, '')
  expect(await readWhole(path)).toHaveLength(0)
  expect(await readText('/proc/self/status')).toMatch(/VmRSS/)
})
