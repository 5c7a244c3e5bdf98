import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runFolder, type RunFolder } from '../../lib/run/folder.ts'
import { lockRun } from '../../lib/run/lock.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

let folders = 0

/** A folder with a lock that says `owner`. */
function lockedBy(owner: string | object): RunFolder {
  const folder = runFolder(temporaryPath(`locked-${folders++}`))
  mkdirSync(folder.path)
  writeFileSync(folder.lock, typeof owner === 'string' ? owner : JSON.stringify(owner))
  return folder
}

const since = '2026-01-01T00:00:00.000Z'

function deadProcess(): object {
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  return { pid, began: null, host: hostname(), since }
}

const refused = (folder: RunFolder, message: RegExp): Promise<unknown> => expectDiffSalError(() => lockRun(folder), 'ERR_DIFFSAL_INVALID_ARGUMENT', message)

describe('a lock', () => {
  test('is had by one, and goes with the folders that were made for it', async () => {
    const above = temporaryPath('above')
    const folder = runFolder(join(above, 'run'))
    const lock = await lockRun(folder)
    await refused(folder, new RegExp(`the process ${process.pid} is training, since 2`))
    expect(readdirSync(folder.path)).toEqual(['run.lock'])
    await lock.release()
    expect(existsSync(above)).toBe(false)
    const again = await lockRun(folder)
    writeFileSync(folder.config, '{}')
    await again.release()
    expect(readdirSync(folder.path)).toEqual(['config.json'])
  })

  test('of a dead process, or one that says nothing, is taken over by one of many', async () => {
    for (const owner of [deadProcess(), '']) {
      const folder = lockedBy(owner)
      const taken = await Promise.allSettled(Array.from({ length: 12 }, () => lockRun(folder)))
      const locks = taken.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      expect(locks).toHaveLength(1)
      expect(readdirSync(folder.path)).toEqual(['run.lock'])
      expect(JSON.parse(readFileSync(folder.lock, 'utf8'))).toMatchObject({ pid: process.pid })
      await locks[0]!.release()
      expect(readdirSync(folder.path)).toEqual([])
    }
  })

  test('of a process whose number another one has now is taken over', { skip: process.platform !== 'linux' }, async () => {
    const folder = lockedBy({ pid: process.pid, began: '1 of another start of the machine', host: hostname(), since })
    await (await lockRun(folder)).release()
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('that was left when the machine went down is taken over', { skip: process.platform !== 'linux' }, async () => {
    const folder = runFolder(temporaryPath('went-down'))
    const lock = await lockRun(folder)
    const own = JSON.parse(readFileSync(folder.lock, 'utf8')) as { began: string }
    await lock.release()
    mkdirSync(folder.path)
    // As another start of this machine wrote it; and what it is in a container of that host's name, on the same start.
    const began = `${own.began.split(' ')[0]} 00000000-0000-4000-8000-000000000000`
    writeFileSync(folder.lock, JSON.stringify({ ...own, machine: '01234567', began }))
    await (await lockRun(folder)).release()
    mkdirSync(folder.path, { recursive: true })
    writeFileSync(folder.lock, JSON.stringify({ ...own, machine: '01234567' }))
    await refused(folder, /is training/)
  })

  test('of another machine stays, and its message says what to remove', async () => {
    const folder = lockedBy({ pid: 1, began: null, host: 'elsewhere', since })
    await refused(
      folder,
      /the process 1 on the machine elsewhere is training, since 2026-01-01T00:00:00\.000Z\. .*If it does not run any more, remove '.*run\.lock'/,
    )
    expect(readdirSync(folder.path)).toEqual(['run.lock'])
  })

  test('that is not its own any more is left alone', async () => {
    const folder = runFolder(temporaryPath('lost'))
    const lock = await lockRun(folder)
    writeFileSync(folder.lock, 'another')
    await lock.release()
    expect(readFileSync(folder.lock, 'utf8')).toBe('another')
  })

  test('cannot be where there is a file', async () => {
    const file = temporaryPath('file')
    writeFileSync(file, '')
    await expectDiffSalError(() => lockRun(runFolder(join(file, 'run'))), 'ERR_DIFFSAL_FILE', /Cannot write/)
  })
})
