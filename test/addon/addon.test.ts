import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { addonPaths } from '../../lib/addon/addon.ts'
import { packageRoot } from '../../lib/files/package-root.ts'
import { compile, makeAddon, makeLibtorch } from '../support/fake-addon.ts'
import { copyPackage } from '../support/package-copy.ts'
import { temporaryPath } from '../support/temporary.ts'

const folder = temporaryPath('package')
const whole = temporaryPath('whole')
const cache = temporaryPath('cache')
const libtorch = join(cache, 'libtorch-2.13.0-cpu', 'torch')
const release = join(folder, 'build', 'Release')

beforeAll(() => {
  copyPackage(folder)
  makeLibtorch(libtorch)
  makeAddon(folder, libtorch)
  cpSync(release, whole, { recursive: true })
})

beforeEach(() => {
  rmSync(release, { recursive: true })
  cpSync(whole, release, { recursive: true })
})

/** What a program that has `loadAddon` prints as JSON; an error it throws as { code, message }. */
function run(body: string, env: NodeJS.ProcessEnv = {}): Record<string, unknown> {
  const program = `
    import { Worker } from 'node:worker_threads'
    const { loadAddon, addonPaths } = await import('${join(folder, 'dist/addon/addon.js')}')
    const answer = await (async () => { ${body} })().catch(({ name, code, message }) => ({ name, code, message }))
    console.log(JSON.stringify(answer))`
  const { stdout, stderr, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, DIFFSAL_LIBTORCH: '', DIFFSAL_CACHE: cache, ...env },
  })
  expect({ stderr, signal }).toEqual({ stderr: '', signal: null })
  return JSON.parse(stdout) as Record<string, unknown>
}

const load = 'return { number: loadAddon().number, same: loadAddon() === loadAddon() }'

test('opens libtorch, then the core that names it by soname, once', () => {
  expect(run(load)).toEqual({ number: 42, same: true })
  expect(run(load, { DIFFSAL_LIBTORCH: libtorch, DIFFSAL_CACHE: temporaryPath('none') })).toEqual({ number: 42, same: true })
})

test('opens in worker threads, before and after the main thread does', () => {
  const answer = run(`
    const source = "import('${join(folder, 'dist/addon/addon.js')}').then(async ({ loadAddon }) => " +
      "(await import('node:worker_threads')).parentPort.postMessage(loadAddon().number))"
    const inWorker = () => new Promise((resolve, reject) => {
      let number
      new Worker(source, { eval: true }).on('message', (value) => (number = value)).on('error', reject).on('exit', () => resolve(number))
    })
    const alone = await inWorker()
    const both = await Promise.all([inWorker(), inWorker()])
    return { alone, both, main: loadAddon().number, after: await inWorker() }`)
  expect(answer).toEqual({ alone: 42, both: [42, 42], main: 42, after: 42 })
})

test('without the addon, or half of it', () => {
  rmSync(join(release, 'diffsal_core.so'))
  expect(run(load)).toMatchObject({
    name: 'DiffSalError',
    code: 'ERR_DIFFSAL_ADDON_MISSING',
    message: expect.stringMatching(/diffsal_core\.so is not beside .*npm run build:native/) as string,
  })
  rmSync(release, { recursive: true })
  mkdirSync(release)
  expect(run(load)).toMatchObject({
    code: 'ERR_DIFFSAL_ADDON_MISSING',
    message: expect.stringMatching(/no native addon for linux-x64 in .*npm run build:native/) as string,
  })
})

test('without libtorch', () => {
  const nowhere = temporaryPath('nowhere')
  expect(run(load, { DIFFSAL_CACHE: nowhere })).toMatchObject({
    code: 'ERR_DIFFSAL_LIBTORCH_MISSING',
    message: expect.stringMatching(new RegExp(`libtorch 2.13 was not found.*'${nowhere}'.*npx diffsal setup`)) as string,
  })
  expect(run(load, { DIFFSAL_LIBTORCH: nowhere })).toMatchObject({
    code: 'ERR_DIFFSAL_LIBTORCH_MISSING',
    message: expect.stringMatching(`DIFFSAL_LIBTORCH is '${nowhere}'`) as string,
  })
})

test('another release than the addon was compiled with is never opened', () => {
  const other = makeLibtorch(temporaryPath('other'), '2.12.0+cpu')
  writeFileSync(join(other, 'lib/libtorch.so'), 'opening this would be another error')
  const refused = {
    code: 'ERR_DIFFSAL_LIBTORCH_VERSION',
    message: expect.stringMatching(/compiled with libtorch 2\.13\.0.* is 2\.12\.0/) as string,
  }
  expect(run(load, { DIFFSAL_LIBTORCH: other })).toMatchObject(refused)
  writeFileSync(join(release, 'libtorch.json'), '{"version":"2.12.1"}')
  expect(run(load, { DIFFSAL_LIBTORCH: libtorch })).toMatchObject({ code: 'ERR_DIFFSAL_LIBTORCH_VERSION' })
})

test('the note beside the addon says where its libtorch was', () => {
  writeFileSync(join(release, 'libtorch.json'), JSON.stringify({ version: '2.13.0+cpu', dir: libtorch }))
  expect(run(load, { DIFFSAL_CACHE: temporaryPath('none') })).toEqual({ number: 42, same: true })
  expect(run('return addonPaths()')).toMatchObject({ root: folder, builtWith: { version: '2.13.0+cpu', dir: libtorch } })
})

test('files that cannot be opened are errors with a sentence', () => {
  const broken = makeLibtorch(temporaryPath('broken'))
  writeFileSync(join(broken, 'lib/libtorch_cpu.so'), 'no library')
  expect(run(load, { DIFFSAL_LIBTORCH: broken })).toMatchObject({
    code: 'ERR_DIFFSAL_LIBTORCH_MISSING',
    message: expect.stringMatching(/^libtorch cannot be opened: .*libtorch_cpu\.so.*npx diffsal setup/) as string,
  })
  rmSync(join(release, 'diffsal_core.so'))
  compile(join(release, 'diffsal_core.so'), 'extern "C" int a_symbol_of_another_release(); int x = a_symbol_of_another_release();', [])
  expect(run(load)).toMatchObject({
    code: 'ERR_DIFFSAL_ADDON_MISSING',
    message: expect.stringMatching(/^The native addon cannot be opened: .*a_symbol_of_another_release.*npm run build:native/) as string,
  })
  writeFileSync(join(release, 'diffsal.node'), 'no library')
  expect(run(load)).toMatchObject({ code: 'ERR_DIFFSAL_ADDON_MISSING', message: expect.stringContaining('diffsal.node') as string })
})

test('a failure is not kept: the next call tries again', () => {
  const answer = run(
    `
    const missing = process.env.DIFFSAL_LIBTORCH
    const failed = (() => { try { loadAddon() } catch ({ code }) { return code } })()
    process.env.DIFFSAL_LIBTORCH = ''
    return { failed, number: loadAddon().number }`,
    { DIFFSAL_LIBTORCH: '/none' },
  )
  expect(answer).toEqual({ failed: 'ERR_DIFFSAL_LIBTORCH_MISSING', number: 42 })
})

test('the loader throws plain errors for what it cannot open', () => {
  const answer = run(`
    const { openLibrary } = (await import('node:module')).createRequire('${folder}/')('${join(release, 'diffsal.node')}')
    const messageOf = (path) => { try { openLibrary(path) } catch ({ message }) { return message } }
    return [undefined, 1, '', 'a\\0b', '/none/libnone.so'].map(messageOf)`)
  const usage = 'openLibrary takes the path of a library'
  expect(answer).toEqual([usage, usage, usage, usage, expect.stringContaining('/none/libnone.so: cannot open shared object file')])
})

test("this checkout's own addon is found from its sources", () => {
  expect(existsSync(join(packageRoot(), 'CMakeLists.txt'))).toBe(true)
  expect(addonPaths().root).toBe(packageRoot())
})
