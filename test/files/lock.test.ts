import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { DiffSalError } from '../../lib/errors.ts'
import { FileLock, type LockOwner } from '../../lib/files/lock.ts'
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
