import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, cpSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { compile, makeAddon, makeLibtorch } from '../support/fake-addon.ts'
import { copyPackage } from '../support/package-copy.ts'
import { temporaryPath } from '../support/temporary.ts'
import { fakePip } from './fake-pip.ts'
import { half, serve } from './local-server.ts'
import { fakeWheel } from './zip.ts'

// What users meet when libtorch or the addon is not as it should be, each in a process of its own: the sentence it prints is the test.
const pristine = temporaryPath('pristine')
const folder = temporaryPath('package')
const cache = temporaryPath('cache')
const libtorch = join(cache, 'libtorch-2.13.0-cpu', 'torch')
const release = join(folder, 'build', 'Release')
const core = join(release, 'diffsal_core.so')
const loader = join(release, 'diffsal.node')
const other = temporaryPath('other')

beforeAll(() => {
  copyPackage(folder)
  makeLibtorch(libtorch)
  makeAddon(folder, libtorch)
  makeLibtorch(other, '2.12.0+cpu')
  cpSync(release, join(pristine, 'release'), { recursive: true })
  cpSync(cache, join(pristine, 'cache'), { recursive: true })
})

beforeEach(() => {
  for (const [from, to] of [
    ['release', release],
    ['cache', cache],
  ] as const) {
    rmSync(to, { recursive: true, force: true })
    cpSync(join(pristine, from), to, { recursive: true })
  }
})

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  /** Everything that it wrote. */
  readonly said: string
}

/** Runs the command line. */
async function diffsal(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, [join(folder, 'dist/cli/main.js'), ...args], {
    env: { ...process.env, DIFFSAL_LIBTORCH: '', DIFFSAL_CACHE: cache, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 50_000,
    killSignal: 'SIGKILL',
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { code, signal, said }
}

function cut(path: string, share: number): void {
  truncateSync(path, Math.floor(readFileSync(path).length * share))
}

/** Writes bytes over the beginning of a file, or over all of it. */
function overwrite(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, at)
  closeSync(file)
}

const zeros = (path: string): void => overwrite(path, 0, Buffer.alloc(readFileSync(path).length))
const forArm = (path: string): void => overwrite(path, 18, Buffer.from([183, 0]))
const lib = join(libtorch, 'lib')
const setup = /`npx diffsal setup`\.$/m
const build = /Compile it for this machine with `npm run build:native`\.$/m

interface Case {
  readonly name: string
  /** Makes the fault, and gives the variables that belong to it. */
  readonly fault: () => NodeJS.ProcessEnv | void
  /** What the sentence says, the remedy last. */
  readonly says: readonly (string | RegExp)[]
}

const cases: Case[] = [
  { name: 'no libtorch', fault: () => rmSync(cache, { recursive: true }), says: ['libtorch 2.13 was not found', setup] },
  { name: 'a variable that leads nowhere', fault: () => ({ DIFFSAL_LIBTORCH: '/none' }), says: ["DIFFSAL_LIBTORCH is '/none'", setup] },
  {
    name: 'the wrong version',
    fault: () => ({ DIFFSAL_LIBTORCH: other }),
    says: ['compiled with libtorch 2.13.0', '(DIFFSAL_LIBTORCH) is 2.12.0+cpu', 'Unset DIFFSAL_LIBTORCH and run `npx diffsal setup`, or run that with it set'],
  },
  {
    name: 'files of one version around the libraries of another',
    fault: () => {
      makeLibtorch(libtorch, '2.13.0+cpu', '2.12.1')
    },
    says: ['its files say that it is 2.13.0+cpu, but its libraries are 2.12.1', `Remove '${libtorch}'`, setup],
  },
  {
    name: "a CUDA libtorch without CUDA's own libraries",
    fault: () => {
      const bare = temporaryPath('libcublas.so.99')
      compile(bare, '', ['-Wl,-soname,libcublas.so.99'])
      compile(join(lib, 'libtorch.so'), '', ['-Wl,-soname,libtorch.so', '-Wl,--no-as-needed', bare, `-L${lib}`, '-ltorch_cpu', '-Wl,-rpath,$ORIGIN'])
      rmSync(bare)
    },
    says: ['libtorch cannot be opened: libcublas.so.99: cannot open shared object file', setup],
  },
  {
    name: 'another libtorch that is loaded before',
    fault: () => ({ LD_PRELOAD: join(other, 'lib/libtorch_cpu.so') }),
    says: ['Two libtorchs would be mixed', `'${lib}'`, `'${join(other, 'lib')}'`, 'Unset LD_PRELOAD, or set DIFFSAL_LIBTORCH'],
  },
  {
    name: "another libtorch on the loader's path",
    fault: () => ({ LD_LIBRARY_PATH: join(other, 'lib') }),
    says: ['Two libtorchs would be mixed', `'${join(other, 'lib')}'`, 'Unset LD_LIBRARY_PATH, or set DIFFSAL_LIBTORCH'],
  },
  {
    name: "another on the loader's path that lacks what ours needs",
    fault: () => {
      const lacking = temporaryPath('lacking')
      mkdirSync(lacking, { recursive: true })
      compile(join(lacking, 'libtorch_cpu.so'), '', ['-Wl,-soname,libtorch_cpu.so'])
      compile(join(lib, 'libtorch.so'), 'extern "C" int torch_number(); int x = torch_number();', [
        '-Wl,-soname,libtorch.so',
        `-L${lib}`,
        '-ltorch_cpu',
        '-Wl,-rpath,$ORIGIN',
      ])
      return { LD_LIBRARY_PATH: `/none:${lacking}` }
    },
    says: ['Two libtorchs would be mixed', `'${temporaryPath('lacking')}'`, 'Unset LD_LIBRARY_PATH'],
  },
  { name: 'no core', fault: () => rmSync(core), says: ['diffsal_core.so is not beside', '`npm run build:native`'] },
  { name: 'an empty core', fault: () => cut(core, 0), says: [`it is no shared library of a 64-bit Linux: '${core}'`, build] },
  ...[0.1, 0.5, 0.9].map((share) => ({
    name: `a core of which ${share * 100} % are there`,
    fault: () => cut(core, share),
    says: [/The native addon cannot be opened: it is cut short, \d+ bytes of at least \d+: '.*diffsal_core\.so'/, build],
  })),
  { name: 'a core of zeros', fault: () => zeros(core), says: ['it is no shared library', build] },
  { name: 'a core whose header leads out of it', fault: () => overwrite(core, 32, Buffer.alloc(8, 255)), says: [/it is cut short, .*core\.so'/, build] },
  { name: 'a core whose header has tables without end', fault: () => overwrite(core, 54, Buffer.alloc(4, 255)), says: ['it is cut short', build] },
  {
    name: 'a folder in the place of a library of libtorch',
    fault: () => mkdirSync(join(lib, 'libc10.so')),
    says: [/libtorch cannot be opened: it cannot be read \(EISDIR.*\): '.*libc10\.so'/, setup],
  },
  { name: 'a core for another machine', fault: () => forArm(core), says: [`it is for arm64, and this is ${process.arch}`, build] },
  { name: 'half a loader', fault: () => cut(loader, 0.5), says: [/it is cut short, .*diffsal\.node'/, build] },
  {
    name: 'half of a libtorch library',
    fault: () => cut(join(lib, 'libtorch_cpu.so'), 0.5),
    says: [/libtorch cannot be opened: it is cut short, .*libtorch_cpu\.so'/, `Remove '${libtorch}' and run`, setup],
  },
  { name: 'a libtorch library of zeros', fault: () => zeros(join(lib, 'libtorch.so')), says: [/no shared library.*libtorch\.so'/, setup] },
  {
    name: 'a libtorch for another machine, by its variable',
    fault: () => {
      forArm(join(lib, 'libtorch_cpu.so'))
      return { DIFFSAL_LIBTORCH: libtorch }
    },
    says: ['it is for arm64', 'Install it again there, or unset DIFFSAL_LIBTORCH and run `npx diffsal setup`'],
  },
]

test.each(cases)('$name: doctor says it in a sentence with its remedy', async ({ fault, says }) => {
  const { code, signal, said } = await diffsal(['doctor'], fault() ?? {})
  expect({ code, signal }, said).toEqual({ code: 5, signal: null })
  const sentence = /^missing {2}(?:addon|libtorch|devices) +(.*)$/m.exec(said)?.[1]
  for (const part of says) expect(sentence).toMatch(part)
})

test('the same libtorch twice on the way to it is no fault', async () => {
  const link = temporaryPath('link')
  symlinkSync(lib, link)
  const env = { LD_PRELOAD: join(link, 'libtorch_cpu.so'), LD_LIBRARY_PATH: `/none:${link}` }
  expect((await diffsal(['doctor'], env)).said).toMatch(/^ok {7}devices/m)
})

test('a link beside libtorch that leads nowhere is no fault', async () => {
  symlinkSync('/none', join(lib, 'libgomp.so.1'))
  expect((await diffsal(['doctor'])).said).toMatch(/^ok {7}devices/m)
})

test('in a folder that was removed, doctor says so', async () => {
  const gone = temporaryPath('gone')
  mkdirSync(gone)
  const script = 'rmdir "$1" && exec "$2" "$3" doctor'
  const child = spawn('sh', ['-c', script, 'sh', gone, process.execPath, join(folder, 'dist/cli/main.js')], {
    cwd: gone,
    env: { ...process.env, DIFFSAL_LIBTORCH: '', DIFFSAL_CACHE: cache },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  expect(await once(child, 'close')).toEqual([5, null])
  expect(said).toMatch(/^missing {2}devices +libtorch cannot be opened in a folder that is gone: '.*gone' was removed .* or call process\.chdir\(\) first\.$/m)
})

test('setup does not call well what cannot be opened', async () => {
  cut(join(lib, 'libtorch_cpu.so'), 0.5)
  const { code, said } = await diffsal(['setup'])
  expect(code).toBe(5)
  expect(said).toMatch(/^diffsal: libtorch cannot be opened: it is cut short, .* and run `npx diffsal setup`\.$/m)
  expect(said).not.toContain('The native addon is')
})

describe('setup', () => {
  const wheel = fakeWheel()
  const noPrograms = temporaryPath('no-programs')
  let server: string

  beforeAll(async () => {
    server = await serve((request, response) => {
      if (request.url === '/wheel') response.writeHead(200, { 'content-length': wheel.length }).end(wheel)
      else if (request.url === '/cut') half(wheel, 'end')(request, response)
      else if (request.url === '/stalled') half(wheel, 'silence')(request, response)
      else response.writeHead(404).end()
    })
  })

  beforeEach(() => rmSync(cache, { recursive: true }))

  test.each([
    ['below a file', () => join(folder, 'package.json', 'cache'), /a part of the path is not a directory|a file is in its place|ENOTDIR/],
    // What not even root can write to.
    ['in a file system that nobody writes to', () => '/sys/diffsal', /permission is denied|read-only/],
  ])('with a cache folder %s', async (_, place, why) => {
    const { code, said } = await diffsal(['setup'], { DIFFSAL_CACHE: place(), PATH: noPrograms })
    expect(code).toBe(5)
    expect(said).toMatch(`diffsal: Cannot write '${place()}': `)
    expect(said).toMatch(why)
    expect(said).toMatch('Set DIFFSAL_CACHE to a folder that can be written.')
  })

  test('in two processes at once: both end well, with one installation', async () => {
    const file = temporaryPath('two.whl')
    writeFileSync(file, wheel)
    const ends = await Promise.all([1, 2].map(() => diffsal(['setup', '--from', file])))
    for (const { code, said } of ends) expect(code, said).toBe(0)
    expect(readdirSync(cache)).toEqual(['libtorch-2.13.0-cpu'])
  })

  test('a download that is cut leaves nothing, and says what else to do', async () => {
    const { code, said } = await diffsal(['setup', '--from', `${server}/cut`])
    expect(code).toBe(5)
    expect(said).toMatch(/diffsal: Cannot fetch '.*': 127\.0\.0\.1 ended the connection early\. Try again, or .* `npx diffsal setup --from FILE`\.$/m)
    expect(readdirSync(cache)).toEqual([])
    expect((await diffsal(['setup', '--from', `${server}/wheel`])).code).toBe(0)
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s in the middle of a download ends it and leaves nothing', async (signal) => {
    const env = { ...process.env, DIFFSAL_LIBTORCH: '', DIFFSAL_CACHE: cache }
    const child = spawn(process.execPath, [join(folder, 'dist/cli/main.js'), 'setup', '--from', `${server}/stalled`], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    await once(child.stderr, 'data')
    expect(readdirSync(cache)).toHaveLength(1)
    child.kill(signal)
    expect((await once(child, 'close'))[1]).toBe(signal)
    expect(readdirSync(cache)).toEqual([])
  })

  test('a kill -9 in the middle leaves what the next one removes', async () => {
    const env = { ...process.env, DIFFSAL_LIBTORCH: '', DIFFSAL_CACHE: cache }
    const child = spawn(process.execPath, [join(folder, 'dist/cli/main.js'), 'setup', '--from', `${server}/stalled`], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    await once(child.stderr, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(readdirSync(cache)).toHaveLength(1)
    expect((await diffsal(['setup', '--from', `${server}/wheel`])).code).toBe(0)
    expect(readdirSync(cache)).toEqual(['libtorch-2.13.0-cpu'])
  })

  test.each([
    [
      'HTTPS_PROXY',
      'Tunnel connection failed: 407 Proxy Authentication Required',
      /407 Proxy Authentication Required; give it a name and a password, as in HTTPS_PROXY=/,
    ],
    [
      'https_proxy',
      "<pip object>: Failed to establish a new connection: [Errno 111] Connection refused'",
      /the proxy of HTTPS_PROXY or of pip: Connection refused/,
    ],
  ])('behind a proxy (%s) that lets nobody through: %s', async (variable, fault, says) => {
    const warning = `WARNING: Retrying after connection broken by 'ProxyError('Cannot connect to proxy.', OSError('${fault}'))': /simple/torch/`
    const pip = fakePip(temporaryPath(`pip-${variable}`), `cat >&2 <<'END'\n${warning}\nERROR: No matching distribution found for torch\nEND\nexit 1`)
    const { code, said } = await diffsal(['setup'], { [variable]: 'http://127.0.0.1:9', PATH: `${pip.PATH}:/usr/bin:/bin`, NO_PROXY: '', no_proxy: '' })
    expect(code).toBe(5)
    expect(said).toMatch(`the official archive: ${variable} is set and Node ${process.versions.node} does not fetch through a proxy`)
    expect(said).toMatch(says)
    expect(said).toMatch(/bring it here and run `npx diffsal setup --from FILE`/)
    expect(readdirSync(cache)).toEqual([])
  })
})
