import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { fileLimitSentence } from '../../lib/cli/terminal/file-limit.ts'
import { sweep, temporaryName } from '../../lib/files/leftovers.ts'
import { writeWhole } from '../../lib/files/write-whole.ts'
import { runFolder } from '../../lib/run/folder.ts'
import { lockRun } from '../../lib/run/lock.ts'
import { packageFolder } from '../support/run-program.ts'
import { temporaryPath } from '../support/temporary.ts'

/** What a process that has ended would have left in a folder: a file, a video, a folder. */
function leftBehind(folder: string): string[] {
  const dead = spawnSync('true').pid
  const model = basename(temporaryName(temporaryPath('elsewhere'))).replace(`-${process.pid}-`, `-${dead}-`)
  const names = [model, `${model}.video`, `${model}.77.tmp`, model.replace(/[\da-f]{12}\.tmp$/, `${'0'.repeat(12)}.tmp`)]
  for (const name of names.slice(0, 3)) writeFileSync(join(folder, name), 'x')
  mkdirSync(join(folder, names[3]!, 'inside'), { recursive: true })
  return names
}

function folderOf(name: string): string {
  const path = temporaryPath(name)
  mkdirSync(path)
  return path
}

test('what a killed process left is swept; what is of a living one, of another machine or not ours stays', () => {
  const folder = folderOf('swept')
  leftBehind(folder)
  const stays = [
    basename(temporaryName(folder)),
    '.diffsal-00000000-1-0123456789ab.tmp',
    '.diffsal-0123456789ab.tmp',
    '.diffsal-notes.tmp',
    'a.tmp',
    '.diffsal-0123456789ab.tmpx',
  ]
  for (const name of stays) writeFileSync(join(folder, name), 'x')
  sweep(folder)
  expect(readdirSync(folder).sort()).toEqual([...stays].sort())
  // Of another machine, or of an older version: after a day.
  for (const name of stays) utimesSync(join(folder, name), new Date(0), new Date(0))
  sweep(folder)
  expect(readdirSync(folder).sort()).toEqual([stays[0]!, ...stays.slice(3)].sort())
})

test('the next process that writes there sweeps: a run, an output', async () => {
  const run = folderOf('run')
  leftBehind(run)
  const lock = await lockRun(runFolder(run))
  expect(readdirSync(run)).toEqual(['run.lock'])
  await lock.release()
  const out = folderOf('out')
  const left = leftBehind(out)
  const written = join(out, 'report.html')
  const program = `import { writeWhole } from ${JSON.stringify(join(packageFolder(), 'dist/files/write-whole.js'))}; await writeWhole(${JSON.stringify(written)}, 'x')`
  expect(spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  expect(left.some((name) => existsSync(join(out, name)))).toBe(false)
  expect(readdirSync(out)).toEqual(['report.html'])
  await writeWhole(written, 'y')
  expect(readdirSync(dirname(written))).toEqual(['report.html'])
})

test('a process that may open few files says so in a sentence', () => {
  const main = join(packageFolder(), 'dist/cli/main.js')
  for (const limit of [24, 32, 40, 48]) {
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', `ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, main, 'predict', 'none.mp4'], {
      encoding: 'utf8',
    })
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' })
    expect(stderr).toMatch(/^diffsal: .*may not open as many files.*`ulimit -n 1024`.*\n$/)
  }
  expect(fileLimitSentence(new Error('x'))).toBeUndefined()
  expect(fileLimitSentence(Object.assign(new Error('x'), { code: 'ERR_MODULE_NOT_FOUND' }))).toBeUndefined()
  expect(fileLimitSentence(Object.assign(new Error('x'), { code: 'ENFILE' }))).toMatch(/too many files/)
})
