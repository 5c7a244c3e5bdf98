import { closeSync, copyFileSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { checkChoice, checkOptions, checkString } from '../checks/options.ts'
import { DiffSalError, fileError, invalidArgument } from '../errors.ts'
import { cacheFolder, cacheRoot } from './cache.ts'
import { checkFile, download } from './download.ts'
import { cudaDriver, driverObstacle, neededCuda } from './driver.ts'
import { extractArchive, targetOf } from './extract.ts'
import type { CudaDriver } from './loader.ts'
import { checkSupported, findLibtorch, inspectLibtorch, librariesIn, libtorchFolder, type Libtorch, type LocatedLibtorch } from './locate.ts'
import { pipDownload } from './pip.ts'
import type { OnProgress } from './progress.ts'
import { cudaVariant, release as theRelease, variants, type Release, type Variant } from './releases.ts'
import { withStaging } from './staging.ts'

/** What {@link setupLibtorch} can be told. */
export interface SetupOptions {
  /**
   * The build; `auto` is `cu130` where NVIDIA's driver has a device for it, else `cpu`. Default: the variable DIFFSAL_VARIANT, else
   * whichever is there already, else `cpu`. With `from` it is what must come; `auto` and the variable then say nothing.
   */
  readonly variant?: Variant | 'auto' | undefined
  /**
   * Install this one, replacing what the cache has: a wheel or zip, a folder that holds libtorch or wheels (torch's and, for CUDA,
   * those of CUDA's libraries), or the http(s) address of a wheel or zip. An address may end in `#sha256=…` to have it checked.
   */
  readonly from?: string | undefined
  readonly onProgress?: OnProgress | undefined
  /** Receives a line at each step. */
  readonly log?: ((line: string) => void) | undefined
  /** The variables that are read (DIFFSAL_LIBTORCH, DIFFSAL_CACHE, DIFFSAL_VARIANT, HTTPS_PROXY, PATH for pip). Default: the process's. */
  readonly env?: NodeJS.ProcessEnv | undefined
  /** The release to install. Default: this package's. */
  readonly release?: Release | undefined
  /** Asks NVIDIA's driver. */
  readonly driver?: ((env?: NodeJS.ProcessEnv) => CudaDriver) | undefined
}

/** {@link SetupOptions} with the build decided: what is there or `cpu` where it is undefined. */
type Decided = Omit<SetupOptions, 'variant'> & { readonly variant: Variant | undefined }

const optionNames = ['variant', 'from', 'onProgress', 'log', 'env', 'release', 'driver'] as const

/**
 * Finds libtorch or installs it into the cache: `DIFFSAL_LIBTORCH`, the cache, the official archive, pip. With a variant, a
 * `DIFFSAL_LIBTORCH` of another one is passed over; with `from`, all of these are.
 *
 * An installation appears in the cache whole or not at all, also when two run at once or one is interrupted.
 *
 * @throws DiffSalError ERR_DIFFSAL_LIBTORCH_MISSING with everything that was tried; ERR_DIFFSAL_LIBTORCH_VERSION when what came is
 * another release; ERR_DIFFSAL_INVALID_ARGUMENT; ERR_DIFFSAL_FILE; ERR_DIFFSAL_NO_SPACE
 */
export async function setupLibtorch(given: SetupOptions = {}): Promise<LocatedLibtorch> {
  checkOptions('options', given, optionNames)
  const { from, env = process.env, release = theRelease } = given
  const options: Decided = { ...given, variant: decideVariant(given) }
  if (from !== undefined) return install(options, (folder, signal) => fetchFrom(checkString('from', from), folder, options, signal))

  const variant = options.variant ?? 'cpu'
  const found = present(options)
  if (found) return found
  return install(options, async (folder, signal) => {
    const tried = [
      env.DIFFSAL_LIBTORCH ? `DIFFSAL_LIBTORCH is another variant than ${variant}` : 'DIFFSAL_LIBTORCH is not set',
      `the cache '${cacheRoot(env)}' has none`,
    ]
    for (const [name, fetch] of [
      ['the official archive', fetchArchive],
      ['pip', fetchWithPip],
    ] as const) {
      const own = join(folder, name)
      mkdirSync(own)
      try {
        return await fetch(release, variant, own, options, signal)
      } catch (error) {
        if (signal.aborted || !(error instanceof DiffSalError) || error.code === 'ERR_DIFFSAL_NO_SPACE') throw error
        tried.push(`${name}: ${error.message}`)
        options.log?.(`${name} is not available: ${error.message}`)
        rmSync(own, { recursive: true, force: true })
      }
    }
    throw new DiffSalError(
      'ERR_DIFFSAL_LIBTORCH_MISSING',
      `libtorch ${release.version} (${variant}) could not be installed: ${tried.join('; ')}. ` +
        `${remedy(release, variant)}, or set DIFFSAL_LIBTORCH to a folder that holds lib/libtorch.so.`,
      { argument: 'libtorch', expected: `libtorch ${release.version} (${variant})` },
    )
  })
}

/** What is asked for by name, or what `auto` comes to, which the log is told with the reason. */
function decideVariant({ variant, from, env = process.env, log, driver: ask = cudaDriver }: SetupOptions): Variant | undefined {
  const variable = variant === undefined && from === undefined && env.DIFFSAL_VARIANT ? env.DIFFSAL_VARIANT : undefined
  const wish = variant ?? variable
  if (wish === undefined) return undefined
  const choice = checkChoice(variable === undefined ? 'variant' : 'DIFFSAL_VARIANT', wish, [...variants, 'auto'] as const)
  if (choice !== 'auto') return choice
  if (from !== undefined) return undefined
  const driver = ask(env)
  const obstacle = driverObstacle(driver, neededCuda(cudaVariant)!, env)
  if (obstacle) log?.(`auto: cpu, for ${obstacle.reason}`)
  else log?.(`auto: ${cudaVariant}, for the NVIDIA driver has ${driver.devices.map(({ name }) => name).join(', ')}`)
  return obstacle ? 'cpu' : cudaVariant
}

function remedy(release: Release, variant: Variant): string {
  const archive = release.builds[variant].archive?.url
  return archive === undefined
    ? `Where there is a network, run \`pip download torch==${release.version}+${variant} ` +
        `--extra-index-url ${release.builds[variant].index} --dest wheels\`, ` +
        'bring that folder here and run `npx diffsal setup --from wheels`'
    : `Fetch ${archive} where there is a network, bring it here and run \`npx diffsal setup --from FILE\``
}

/** What needs no installation. */
function present({ variant, env = process.env, release = theRelease, log, driver }: Decided): LocatedLibtorch | undefined {
  const found = findLibtorch({ env, builtWith: release, ...(driver && { driver }) })
  if (found && (variant === undefined || found.variant === variant)) {
    checkSupported(found)
    return found
  }
  if (variant === undefined) return undefined
  if (found?.source === 'DIFFSAL_LIBTORCH') {
    log?.(`DIFFSAL_LIBTORCH is libtorch ${found.version} (${found.variant}) and goes before the cache: unset it to use ${variant}`)
  }
  const cached = inspectLibtorch(join(cacheFolder(cacheRoot(env), release.version, variant), 'torch'))
  return cached && { ...cached, source: 'cache' }
}

/** Puts the needed files somewhere into `folder` and says where: the folder that holds `torch/`. */
type Fetch = (folder: string, signal: AbortSignal) => Promise<string>

/** Has `fetch` bring the files, checks what came and moves it into the cache. */
async function install(options: Decided, fetch: Fetch): Promise<LocatedLibtorch> {
  const { env = process.env, release = theRelease, variant, from } = options
  const root = cacheRoot(env)
  return withStaging(root, async (staging, signal) => {
    const tree = await fetch(staging, signal)
    const came = checkCame(inspectLibtorch(join(tree, 'torch')), release, from === undefined ? (variant ?? 'cpu') : variant)
    if (came.variant !== 'cpu' && !hasCuda(tree)) {
      options.log?.("CUDA's own libraries did not come with it; those of the system will be looked for")
    }
    const final = cacheFolder(root, release.version, came.variant === 'cuda' ? (variant ?? 'cuda') : came.variant)
    try {
      publish(tree, final, staging, from !== undefined)
    } catch (error) {
      throw fileError('write', final, error)
    }
    return { dir: join(final, 'torch'), version: came.version, variant: came.variant, source: 'cache' }
  })
}

function checkCame(came: Libtorch | undefined, release: Release, variant: Variant | undefined): Libtorch {
  const expected = `libtorch ${release.version}${variant === undefined ? '' : ` (${variant})`}`
  if (!came) {
    throw new DiffSalError(
      'ERR_DIFFSAL_LIBTORCH_MISSING',
      `What came is not a complete ${expected}: lib/libtorch.so, lib/libtorch_cpu.so or its version is not in it.`,
      {
        argument: 'libtorch',
        expected,
      },
    )
  }
  const sameRelease = came.version.split('+')[0] === release.version
  // A build that does not say which CUDA it is for is taken at the caller's word.
  const sameVariant = variant === undefined || came.variant === variant || (came.variant === 'cuda' && variant !== 'cpu')
  if (sameRelease && sameVariant) return came
  const received = `libtorch ${came.version} (${came.variant})`
  throw new DiffSalError(
    'ERR_DIFFSAL_LIBTORCH_VERSION',
    `${expected} was wanted, but ${received} came. ` +
      'To use another release, set DIFFSAL_LIBTORCH to its folder and run `npx diffsal setup` without --from, which compiles the addon for it.',
    { argument: 'libtorch', expected, received },
  )
}

function hasCuda(tree: string): boolean {
  return existsSync(join(tree, 'nvidia')) || readdirSync(join(tree, 'torch', 'lib')).some((name) => name.startsWith('libcudart'))
}

/** Renames the finished tree into the cache. A folder that is there already wins when whole, unless it is to be replaced. */
function publish(tree: string, final: string, staging: string, replace: boolean): void {
  flush(tree) // its files were flushed as they were written
  for (let turn = 0; ; turn++) {
    try {
      renameSync(tree, final)
      flush(dirname(final))
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error
    }
    if (!replace && inspectLibtorch(join(final, 'torch'))) return
    try {
      // A program that has the old one open keeps its files until it ends.
      renameSync(final, join(staging, `old-${turn}`))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** Makes a file, or the names in a folder, durable. */
function flush(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

async function fetchArchive(release: Release, variant: Variant, folder: string, options: SetupOptions, signal: AbortSignal): Promise<string> {
  const { archive } = release.builds[variant]
  if (!archive) throw new DiffSalError('ERR_DIFFSAL_LIBTORCH_MISSING', `there is none for ${variant} with a known checksum`)
  const file = join(folder, 'archive.whl')
  options.log?.(`fetching ${archive.url}`)
  await download(archive.url, file, { ...archive, onProgress: options.onProgress, env: options.env, signal })
  return unpack([file], folder, options, signal)
}

async function fetchWithPip(release: Release, variant: Variant, folder: string, options: SetupOptions, signal: AbortSignal): Promise<string> {
  const wheels = await pipDownload(release, variant, folder, { env: options.env, onProgress: options.onProgress, log: options.log, signal })
  const { archive } = release.builds[variant]
  // pip checks what its index states; a find-links folder states nothing.
  if (archive) await checkFile(wheels[0]!, archive.sha256)
  return unpack(wheels, folder, options, signal)
}

async function unpack(archives: readonly string[], folder: string, options: SetupOptions, signal: AbortSignal): Promise<string> {
  const tree = join(folder, 'tree')
  for (const archive of archives) await extractArchive(archive, tree, options.onProgress, signal)
  return tree
}

async function fetchFrom(from: string, folder: string, options: SetupOptions, signal: AbortSignal): Promise<string> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(from)) {
    const file = join(folder, 'archive.whl')
    await fetchAddress(from, file, options, signal)
    return unpack([file], folder, options, signal)
  }
  const path = resolve(from)
  let isFolder: boolean
  try {
    isFolder = statSync(path).isDirectory()
  } catch (error) {
    throw fileError('read', from, error)
  }
  if (!isFolder) return unpack([path], folder, options, signal)
  const wheels = readdirSync(path).filter((name) => /^(torch|nvidia_\w+)-.*\.whl$/.test(name))
  return wheels.length > 0
    ? unpack(
        wheels.map((name) => join(path, name)),
        folder,
        options,
        signal,
      )
    : copyFolder(from, path, join(folder, 'tree'))
}

async function fetchAddress(from: string, file: string, options: SetupOptions, signal: AbortSignal): Promise<void> {
  const address = URL.canParse(from) ? new URL(from) : undefined
  if (address?.protocol !== 'https:' && address?.protocol !== 'http:') {
    throw invalidArgument('from', 'a file, a folder, or an http or https address', from)
  }
  const sha256 = /^#sha256=([0-9a-f]{64})$/i.exec(address.hash)?.[1]?.toLowerCase()
  address.hash = ''
  const known = Object.values((options.release ?? theRelease).builds).find(({ archive }) => archive?.url === address.href)?.archive
  try {
    await download(address.href, file, {
      ...known,
      ...(sha256 ? { sha256 } : {}),
      onProgress: options.onProgress,
      env: options.env,
      signal,
    })
  } catch (error) {
    if (!(error instanceof DiffSalError) || error.code !== 'ERR_DIFFSAL_FILE') throw error
    const remedy = 'Try again, or bring the file here by other means and run `npx diffsal setup --from FILE`.'
    throw new DiffSalError('ERR_DIFFSAL_FILE', `Cannot fetch '${from}': ${error.message}. ${remedy}`, { argument: 'from', cause: error })
  }
}

/** Copies the needed files of a libtorch folder, and of the `nvidia/` beside it, which is where an installed wheel has CUDA. */
function copyFolder(from: string, path: string, tree: string): string {
  const source = libtorchFolder(path)
  if (source === undefined) {
    throw new DiffSalError(
      'ERR_DIFFSAL_LIBTORCH_MISSING',
      `'${from}' holds no libtorch: there is no lib/libtorch.so in it, in its torch/ or in its libtorch/, and no wheel of torch.`,
      { argument: 'from', expected: 'a folder that holds lib/libtorch.so or wheels', received: `'${from}'` },
    )
  }
  if (librariesIn(source) !== join(source, 'lib')) {
    throw new DiffSalError(
      'ERR_DIFFSAL_LIBTORCH_MISSING',
      `The libtorch in '${from}' is one of the system's packages and cannot be copied. Set DIFFSAL_LIBTORCH to '${source}' and run \`npx diffsal setup\` without --from.`,
      { argument: 'from', expected: 'a folder of libtorch alone', received: `'${from}'` },
    )
  }
  const copy = (root: string, name: string): void => {
    for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      const target = targetOf(`${name}/${file}`)
      if (target === undefined || !statSync(join(root, file)).isFile()) continue
      mkdirSync(dirname(join(tree, target)), { recursive: true })
      copyFileSync(join(root, file), join(tree, target))
      flush(join(tree, target))
    }
  }
  try {
    copy(source, 'torch')
    const nvidia = join(dirname(source), 'nvidia')
    if (existsSync(join(source, 'lib', 'libtorch_cuda.so')) && existsSync(nvidia)) copy(nvidia, 'nvidia')
  } catch (error) {
    throw fileError('write', tree, error)
  }
  return tree
}
