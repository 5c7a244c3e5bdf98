import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { DiffSalError } from '../../lib/errors.ts'
import { FileLock, type LockOwner } from '../../lib/files/lock.ts'
import { makeFolders } from '../../lib/files/output-place.ts'
import { checkWritable } from '../../lib/files/write-whole.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

let folders = 0

function lockOf(owner: object, secondsAgo: number): string {
  const folder = temporaryPath(`beating-${folders++}`)
  mkdirSync(folder)
  const path = join(folder, 'one.lock')
  writeFileSync(path, JSON.stringify(owner))
  const then = Date.now() / 1000 - secondsAgo
  utimesSync(path, then, then)
  return path
}

const taken = ({ pid, host }: LockOwner) => new DiffSalError('ERR_DIFFSAL_INVALID_ARGUMENT', `${pid} of ${host} has it.`)
const elsewhere = { pid: 1, began: null, host: 'elsewhere', machine: '01234567', since: '' }

test("another machine's lock is taken over after eight signs of life that did not come, and not before", async () => {
  await expectDiffSalError(() => FileLock.take(lockOf({ ...elsewhere, beat: 20 }, 150), { taken }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /^1 of elsewhere has it/)
  const path = lockOf({ ...elsewhere, beat: 20 }, 170)
  const lock = await FileLock.take(path, { taken })
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid })
  await lock.release()
  expect(readdirSync(join(path, '..'))).toEqual([])
  // One that gives none may live for ever.
  await expectDiffSalError(() => FileLock.take(lockOf(elsewhere, 1e6), { taken }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /has it/)
})

test("a container's lock is no dead process's of this one, though both have one host's name", async () => {
  const path = lockOf({ ...elsewhere, host: hostname(), pid: 999_999_999, beat: 20 }, 1)
  await expectDiffSalError(() => FileLock.take(path, { taken }), 'ERR_DIFFSAL_INVALID_ARGUMENT', /has it/)
})

test('signs of life change the time of the file and nothing else, and go to no other file of its name', async () => {
  const path = join(temporaryPath('living'), 'one.lock')
  const lock = await FileLock.take(path, { taken, beat: 0.05 })
  const [text, before] = [readFileSync(path, 'utf8'), statSync(path).mtimeMs]
  await vi.waitUntil(() => statSync(path).mtimeMs > before)
  expect(readFileSync(path, 'utf8')).toBe(text)
  rmSync(path)
  writeFileSync(path, 'another')
  await sleep(200)
  await lock.release()
  expect(readFileSync(path, 'utf8')).toBe('another')
})

test('folders that another one made, and removes since nothing is in them, are made again', async () => {
  const folder = join(temporaryPath('removed'), 'made/twice')
  let times = 0
  const made = await makeFolders(folder, async () => {
    if ((times += 1) < 3) rmSync(join(folder, '..'), { recursive: true })
    await writeFile(join(folder, 'one'), '')
  })
  expect([made.at(-1), times, readdirSync(folder)]).toEqual([resolve(folder), 3, ['one']])
  // Many at once, each of which removes what is empty.
  const other = join(temporaryPath('removed-by-many'), 'made/twice')
  await Promise.all(
    Array.from({ length: 16 }, async (_, i) => {
      for (let times = 0; times < 40; times++) {
        if (i % 2 === 0) await checkWritable(join(other, `${i}.json`))
        else await (await FileLock.take(join(other, `${i}.lock`), { taken })).release()
      }
    }),
  )
})
