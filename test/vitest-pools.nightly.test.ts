import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { packageFolder } from './support/run-program.ts'
import { temporaryPath } from './support/temporary.ts'

const program = (name: string) => `
import { expect, test } from 'vitest'
import { createModel, inputs, noise } from '${join(import.meta.dirname, 'support/programs/package.mjs')}'

test('${name}', async () => {
  const model = await createModel()
  const { data } = await model.predict(inputs, { steps: 2, noise })
  expect(data.every((value) => value >= 0 && value <= 1)).toBe(true)
  // Left as it is: a test's model need not be disposed for its worker to end.
  model.predict(inputs, { steps: 20, noise }).catch(() => {})
}, 50_000)
`

test.each(['forks', 'threads'])("tests of a user's that predict pass in vitest's pool '%s', and it ends by itself", async (pool) => {
  const root = temporaryPath(`project-${pool}`)
  mkdirSync(root)
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'))
  for (const name of ['one', 'two']) writeFileSync(join(root, `${name}.test.mjs`), program(name))
  const child = spawn(process.execPath, [resolve('node_modules/vitest/vitest.mjs'), 'run', `--pool=${pool}`, '--maxWorkers=2', '--reporter=json'], {
    cwd: root,
    env: { ...process.env, DIFFSAL_PACKAGE: join(packageFolder(), 'dist/index.js'), VITEST_POOL_ID: undefined, VITEST_WORKER_ID: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 55_000,
    killSignal: 'SIGKILL',
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect({ code, signal, stderr }, stdout).toEqual({ code: 0, signal: null, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({ numPassedTests: 2, numFailedTests: 0 })
})
