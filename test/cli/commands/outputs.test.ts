import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { planOutputs } from '../../../lib/cli/commands/outputs.ts'
import { expectDiffSalError } from '../../support/expect-error.ts'
import { failingDisk } from '../../support/failing-disk.ts'
import { fakeCli, fakeCliHere } from '../../support/fake-cli.ts'
import { temporaryPath } from '../../support/temporary.ts'

it('one path for two outputs is refused', async () => {
  await expectDiffSalError(() => planOutputs('clip.mp4', { output: 'out/a.mp4', maps: './out/../out/a.mp4' }), 'ERR_DIFFSAL_INVALID_ARGUMENT', '--maps')
  expect(planOutputs('clip.mp4', { output: 'out/a.mp4', maps: 'out/a' })).toHaveLength(2)
})

const cli = fakeCli()
const predict = ['predict', resolve('examples/scene.mp4'), '--random-weights', '1', '--stride', '20', '--steps', '1', '-o', 'a.mp4']

it.each([true, false])('where the second cannot be put in its place, the first is as it was; there before: %s', async (before) => {
  const cwd = temporaryPath(`both-${before}`)
  mkdirSync(cwd)
  if (before) for (const name of ['a.mp4', 'a.npy']) writeFileSync(join(cwd, name), 'of before')
  const env = { LD_PRELOAD: failingDisk(), DISK_FAULT: 'rename 13 2' }
  const { code, stderr } = await cli([...predict, '--maps', 'a.npy'], { cwd, env })
  expect(stderr).toMatch(/^diffsal: Cannot write 'a\.npy': permission is denied\.$/m)
  expect(code).toBe(6)
  expect(readdirSync(cwd)).toEqual(before ? ['a.mp4', 'a.npy'] : [])
  for (const name of readdirSync(cwd)) expect(readFileSync(join(cwd, name), 'utf8')).toBe('of before')
})

it('of pictures one cannot be put in its place: all are as they were, and the video too', async () => {
  const cwd = temporaryPath('pictures')
  mkdirSync(join(cwd, 'maps/000020.png'), { recursive: true })
  writeFileSync(join(cwd, 'maps/000000.png'), 'of before')
  const { code, stderr } = await fakeCliHere([...predict, '--maps', 'maps'], { cwd })
  expect(stderr).toMatch(/^diffsal: Cannot write 'maps': /m)
  expect(code).toBe(6)
  expect([readdirSync(cwd), readdirSync(join(cwd, 'maps'))]).toEqual([['maps'], ['000000.png', '000020.png']])
  expect(readFileSync(join(cwd, 'maps/000000.png'), 'utf8')).toBe('of before')
})

it('outputs whose names are symbolic links go to what these lead to', async () => {
  const cwd = temporaryPath('links')
  mkdirSync(join(cwd, 'there'), { recursive: true })
  writeFileSync(join(cwd, 'there/maps.npy'), 'of before')
  symlinkSync('there/b.mp4', join(cwd, 'a.mp4'))
  symlinkSync(join(cwd, 'there/maps.npy'), join(cwd, 'maps.npy'))
  const { code, stderr } = await fakeCliHere([...predict, '--maps', 'maps.npy'], { cwd })
  expect(code, stderr).toBe(0)
  expect([readdirSync(cwd), readdirSync(join(cwd, 'there'))]).toEqual([
    ['a.mp4', 'maps.npy', 'there'],
    ['b.mp4', 'maps.npy'],
  ])
  expect(readlinkSync(join(cwd, 'a.mp4'))).toBe('there/b.mp4')
  expect(lstatSync(join(cwd, 'maps.npy')).isSymbolicLink()).toBe(true)
  expect(readFileSync(join(cwd, 'there/maps.npy')).subarray(1, 6).toString()).toBe('NUMPY')
})

it('an output that is a pipe or a device, by a link too, is refused at once', async () => {
  const cwd = temporaryPath('pipe')
  mkdirSync(cwd)
  execFileSync('mkfifo', [join(cwd, 'pipe')])
  symlinkSync('pipe', join(cwd, 'a.mp4'))
  const { code, stderr } = await cli(predict, { cwd })
  expect(stderr).toMatch(/^diffsal: Cannot write 'a\.mp4': it is not a regular file\.$/m)
  expect(code).toBe(6)
  expect(lstatSync(join(cwd, 'pipe')).isFIFO()).toBe(true)
  expect(readdirSync(cwd)).toEqual(['a.mp4', 'pipe'])
})
