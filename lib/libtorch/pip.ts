import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DiffSalError } from '../errors.ts'
import { openZip } from './open-zip.ts'
import type { OnProgress } from './progress.ts'
import type { Release, Variant } from './releases.ts'

/** What {@link pipDownload} can be told. */
export interface PipOptions {
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly onProgress?: OnProgress | undefined
  readonly log?: ((line: string) => void) | undefined
  readonly signal?: AbortSignal
  /** The processor that libtorch is for, `x64` or `arm64`. Default: this one. */
  readonly arch?: NodeJS.Architecture
}

// The wheel of one fixed Python, so that any Python's pip does: only the libraries in it are used. pip takes platform tags
// literally, and each of CUDA's wheels is tagged for another, older system than torch's.
const glibcs = Array.from({ length: 24 }, (_, i) => `manylinux_2_${28 - i}`)
const systems = [...glibcs, 'manylinux2014', 'manylinux2010', 'manylinux1', 'linux']
const common = ['download', '--only-binary=:all:', '--python-version=311', '--implementation=cp', '--abi=cp311']
const quiet = ['--disable-pip-version-check', '--no-input', '--no-cache-dir', '--quiet', '--retries=1', '--progress-bar=off']

/**
 * Has pip download the wheel of `release` into `folder`, and for CUDA the wheels of CUDA's libraries that it names. pip's own
 * settings (index, proxy, find-links) hold. First without any index, which answers at once where the wheel is at hand.
 *
 * @returns the wheels' paths, torch's first
 * @throws DiffSalError ERR_DIFFSAL_LIBTORCH_MISSING in a few words, or ERR_DIFFSAL_NO_SPACE
 */
export async function pipDownload(release: Release, variant: Variant, folder: string, options: PipOptions = {}): Promise<string[]> {
  const pip = await findPip(folder, options)
  if (!pip) throw missing('there is no pip (looked for `python3 -m pip`, pip3, pip)')
  const exact = `torch==${release.version}+${variant}`
  const attempts = [
    { torch: exact, sources: ['--no-index'] },
    { torch: exact, sources: [] },
    { torch: exact, sources: [`--extra-index-url=${release.builds[variant].index}`] },
    // The public index has the CUDA build without a label. Whether it is the right one shows when it is there.
    ...(variant === 'cpu' ? [] : [{ torch: `torch==${release.version}`, sources: [] }]),
  ]
  const failures: string[] = []
  for (const [number, { torch, sources }] of attempts.entries()) {
    const target = join(folder, `wheels-${number}`)
    try {
      return await attempt(pip, folder, torch, sources, target, release.builds[variant].archive?.bytes, options)
    } catch (error) {
      if ((error as DiffSalError).code === 'ERR_DIFFSAL_NO_SPACE' || options.signal?.aborted) throw error
      rmSync(target, { recursive: true, force: true })
      failures.push(`${[torch, ...sources].join(' ')}: ${(error as Error).message}`)
    }
  }
  throw missing(failures.join('; '))
}

async function attempt(
  pip: Command,
  folder: string,
  torch: string,
  sources: string[],
  target: string,
  bytes: number | undefined,
  options: PipOptions,
): Promise<string[]> {
  mkdirSync(join(target, 'tmp'), { recursive: true })
  const dest = join(target, 'dest')
  const machine = (options.arch ?? process.arch) === 'arm64' ? 'aarch64' : 'x86_64'
  const platforms = systems.map((name) => `--platform=${name}_${machine}`)
  const get = async (args: string[]): Promise<void> => {
    options.log?.(`pip download ${args.join(' ')}`)
    await watching(target, bytes, options.onProgress, () =>
      run([...pip, ...common, ...platforms, ...quiet, `--dest=${dest}`, ...args], folder, {
        ...options,
        env: { ...(options.env ?? process.env), TMPDIR: join(target, 'tmp') },
      }),
    )
  }
  await get(['--no-deps', ...sources, torch])
  const first = readdirSync(dest).find((name) => name.startsWith('torch-') && name.endsWith('.whl'))
  if (first === undefined) throw new Error('pip ended well but left no wheel')
  const libraries = await cudaRequirements(join(dest, first))
  if (libraries.length > 0) await get([...sources, ...libraries])
  const others = readdirSync(dest).filter((name) => name !== first && name.endsWith('.whl'))
  return [first, ...others].map((name) => join(dest, name))
}

/** The requirements of a wheel that are CUDA's libraries. Its others are for Python. */
async function cudaRequirements(wheel: string): Promise<string[]> {
  const zip = await openZip(wheel)
  try {
    for await (const entry of zip.eachEntry()) {
      if (!/^[^/]+\.dist-info\/METADATA$/.test(entry.fileName)) continue
      const pieces: Buffer[] = []
      for await (const piece of await zip.openReadStreamPromise(entry)) pieces.push(piece as Buffer)
      const lines = Buffer.concat(pieces)
        .toString('utf8')
        .matchAll(/^Requires-Dist: *((?:nvidia-|cuda-toolkit)[^\r\n]*)/gm)
      return [...lines].map((match) => match[1]!).filter((line) => !/\bextra\b/.test(line.split(';').slice(1).join()))
    }
    return []
  } finally {
    zip.close()
  }
}

type Command = readonly [string, ...string[]]

/**
 * Isolated, for `python3 -m` looks for modules in the working folder first, whosever it is: there a file pip.py, or one that is called as a module
 * that pip uses, would be run.
 */
async function findPip(folder: string, options: PipOptions): Promise<Command | undefined> {
  for (const command of [['python3', '-I', '-m', 'pip'], ['pip3'], ['pip']] as const) {
    try {
      await run([...command, '--version'], folder, options)
      return command
    } catch {
      options.signal?.throwIfAborted()
    }
  }
  return undefined
}

/**
 * Runs a command to its end; a failure is an error with the command's own last word.
 *
 * @param cwd a folder of ours, where nobody else's files are
 */
function run([file, ...args]: Command, cwd: string, { env = process.env, signal }: PipOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: { ...env, PYTHONSAFEPATH: '1' }, stdio: ['ignore', 'ignore', 'pipe'], ...(signal ? { signal } : {}) })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-8192)))
    child.on('error', reject)
    child.on('close', (code, killer) => {
      if (code === 0) return resolve()
      if (/No space left on device|Disk quota exceeded/.test(said)) {
        return reject(
          new DiffSalError('ERR_DIFFSAL_NO_SPACE', 'The disk is full: pip cannot write libtorch. Nothing was left behind; free some space and try again.'),
        )
      }
      const lines = said.split('\n').filter((line) => line.trim() !== '')
      const word = lines.findLast((line) => line.startsWith('ERROR:')) ?? lines.at(-1) ?? `it ended with ${killer ?? code}`
      reject(new Error(word.replace(/^ERROR: */, '').slice(0, 300) + connectionFault(said)))
    })
  })
}

/** Why pip reached nothing: its last word is then only that it found no version. */
function connectionFault(said: string): string {
  const fault = /connection broken by '.*(?:\[Errno -?\d+\] |Tunnel connection failed: )([^'")]+)/.exec(said)?.[1]
  if (fault === undefined) return ''
  const where = said.includes("ProxyError('") ? 'the proxy of HTTPS_PROXY or of pip' : 'the index'
  const remedy = fault.startsWith('407') ? '; give it a name and a password, as in HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT' : ''
  return ` (${where}: ${fault}${remedy})`
}

/** pip tells no machine how far it is, but its files grow. */
async function watching<T>(folder: string, total: number | undefined, onProgress: OnProgress | undefined, work: () => Promise<T>): Promise<T> {
  if (!onProgress) return work()
  const timer = setInterval(() => {
    const done = Math.min(size(folder), total ?? Infinity)
    onProgress({ phase: 'download', done, ...(total === undefined ? {} : { total }) })
  }, 500)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

function size(folder: string): number {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    return names.reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0)
  } catch {
    return 0 // pip removed one of its folders meanwhile
  }
}

function missing(why: string): DiffSalError {
  return new DiffSalError('ERR_DIFFSAL_LIBTORCH_MISSING', why)
}
