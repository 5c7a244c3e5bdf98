import { mkdirSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { wantsJson } from '../../lib/cli/json-failure.ts'
import { fakeCli, fakeCliHere } from '../support/fake-cli.ts'
import { inProcessCli } from '../support/in-process-cli.ts'
import { temporaryPath } from '../support/temporary.ts'

const cli = fakeCli()
const scene = resolve('examples/scene.mp4')

test.each([
  ['a file that is missing', ['predict', 'nowhere.mp4'], 3, { code: 'ERR_DIFFSAL_FILE', argument: 'nowhere.mp4' }],
  ['weights that are missing', ['predict', scene, '--weights', 'missing.safetensors'], 1, { code: 'ERR_DIFFSAL_INTERNAL' }],
  ['an option that is none', ['predict', scene, '--strides', '5'], 2, { code: 'ERR_DIFFSAL_INVALID_ARGUMENT' }],
  ['a value that is none', ['predict', scene, '--stride', '0'], 2, { code: 'ERR_DIFFSAL_INVALID_ARGUMENT' }],
  ['an output that is none', ['predict', scene, '--maps', 'out.json'], 2, { code: 'ERR_DIFFSAL_INVALID_ARGUMENT', argument: '--maps', received: "'out.json'" }],
  ['no input', ['predict'], 2, { code: 'ERR_DIFFSAL_INVALID_ARGUMENT' }],
  ['a file that inspect cannot read', ['inspect', 'nowhere.pth'], 4, { code: 'ERR_DIFFSAL_FILE' }],
])('%s: with --json, one object with code, message and exit code', async (_, args, exitCode, error) => {
  const cwd = temporaryPath(`failure-${args.join('').replace(/\W/g, '')}`.slice(0, 80))
  mkdirSync(cwd)
  const { code, stdout, stderr } = await fakeCliHere([...args, '--json'], { cwd })
  expect(code, stderr).toBe(exitCode)
  const printed = JSON.parse(stdout) as { error: { message: string } }
  expect(printed).toMatchObject({ error: { ...error, exitCode } })
  expect(Object.keys(printed)).toEqual(['error'])
  expect(stdout.trim().split('\n')).toHaveLength(1)
  // The sentence is on standard error as well.
  expect(printed.error.message.length).toBeGreaterThan(10)
  expect(stderr).toContain(printed.error.message.split('\n')[0])
  expect(readdirSync(cwd)).toEqual([])
  const quiet = await fakeCliHere(args, { cwd })
  expect(quiet).toMatchObject({ code: exitCode, stdout: '' })
})

test('an interrupted command says so in JSON too', async () => {
  const cwd = temporaryPath('interrupted')
  mkdirSync(cwd)
  let sent = false
  const { code, stdout } = await cli(['predict', scene, '--random-weights', '1', '-o', 'a.mp4', '--json'], {
    cwd,
    delay: 200,
    onStderr: (child) => {
      if (!sent) setTimeout(() => child.kill('SIGINT'), 1500)
      sent = true
    },
  })
  expect(code).toBe(130)
  expect(JSON.parse(stdout)).toEqual({ error: { code: 'INTERRUPTED', message: 'Interrupted.', exitCode: 130 } })
})

test('what is behind -- asks for nothing', () => {
  const of = (...args: string[]) => wantsJson(['node', 'diffsal', ...args])
  expect([of('predict', 'a', '--json'), of('predict', '--', '--json'), of('predict', 'a')]).toEqual([true, false, false])
})

test('predict takes --threads, and refuses none', async () => {
  const cwd = temporaryPath('threads')
  mkdirSync(cwd)
  const { code, stderr } = await fakeCliHere(['predict', scene, '--threads', '0'], { cwd })
  expect([code, /--threads .*integer from 1 to 1024/.test(stderr)]).toEqual([2, true])
  const run = await inProcessCli(['predict', scene, '--preset', 'scenes', '--threads', '1', '--stride', '100', '--steps', '1', '--maps', `${cwd}/maps.npy`])
  expect(run.code, run.stderr).toBe(0)
})
