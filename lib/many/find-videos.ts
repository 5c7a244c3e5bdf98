import { readdir, stat } from 'node:fs'
import { realpath, stat as statOf } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { escapePath, glob, isDynamicPattern } from 'tinyglobby'
import { fileError, invalidArgument, invalidArgumentText } from '../errors.ts'
import { isIn } from '../files/is-in.ts'
import { isElsewhere, pathOf } from './are-many.ts'

/** A video among many. */
export interface FoundVideo {
  /** As it can be opened from the current folder. */
  readonly path: string
  /** Below the folder that all inputs share. */
  readonly below: string
}

/** What several inputs are. */
export interface FoundVideos {
  /** In the order of their names: the same in every process that sees the same files. */
  readonly videos: readonly FoundVideo[]
  /** The folders that were searched. */
  readonly searched: readonly string[]
}

/** What is a video in a folder, by its name. For other names there are patterns. */
const endings = ['mp4', 'm4v', 'mov', 'mkv', 'webm', 'avi', 'mpg', 'mpeg', 'ts', 'mts', 'm2ts', 'wmv', 'flv', 'ogv', '3gp', 'mxf'] as const

type Source =
  | { readonly kind: 'file'; readonly path: string; readonly root: string }
  | {
      readonly kind: 'search'
      readonly input: string
      /** Whether all videos of a folder are meant. */
      readonly whole: boolean
      /** Below `cwd`. */
      readonly pattern: string
      readonly cwd: string
      readonly root: string
    }

/**
 * The videos that files, folders and patterns are, each once. A pattern has `*`, `**`, `?`, `[…]` and `{…,…}`; one that begins with `!` leaves out.
 * Names that begin with a dot are not searched, nor is the folder `except` where it lies in one that is.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for an address, and for what nothing is found by; ERR_DIFFSAL_FILE for a folder that cannot be read
 */
export async function findVideos(inputs: readonly string[], except: string, signal?: AbortSignal): Promise<FoundVideos> {
  const left = inputs.filter((input) => input.startsWith('!') && !isElsewhere(input)).map((input) => input.slice(1))
  const sources = await Promise.all(inputs.filter((input) => !input.startsWith('!')).map(sourceOf))
  if (sources.length === 0) throw invalidArgumentText('input', 'a file, a folder or a pattern besides those that leave out', inputs.join(' '))
  const base = commonFolder(sources.map(({ root }) => root))
  const found = new Map<string, string>()
  for (const source of sources) {
    const paths = source.kind === 'file' ? [source.path] : await search(source, left, signal)
    const place = source.kind === 'search' ? await placeIn(source.root, except) : undefined
    const kept = place !== undefined ? paths.filter((path) => !isIn(path, place)) : paths
    if (kept.length === 0) throw nothingFound(source as Source & { kind: 'search' }, paths.length)
    for (const path of kept) found.set(resolve(path), path)
  }
  const videos = [...found].map(([whole, path]) => ({ path, below: relative(base, whole) })).sort(byName)
  return { videos: await eachOnce(videos), searched: sources.flatMap((source) => (source.kind === 'search' ? [source.root] : [])) }
}

/** Where a folder lies in another one, by that one's name, also where a link leads to it; undefined where it does not, or is the same. */
async function placeIn(outer: string, folder: string): Promise<string | undefined> {
  const [place, real, root] = [resolve(folder), ...(await Promise.all([folder, outer].map((each) => realpath(each).catch(() => resolve(each)))))] as const
  const found = isIn(place, outer) ? place : isIn(real!, root!) ? join(outer, relative(root!, real!)) : undefined
  return found === resolve(outer) ? undefined : found
}

async function sourceOf(input: string): Promise<Source> {
  if (isElsewhere(input)) throw invalidArgument('input', 'files, folders and patterns where there are several: an address and standard input go alone', input)
  const path = pathOf(input)
  const found = await statOf(path).catch(() => undefined)
  if (found?.isDirectory()) return { kind: 'search', input, whole: true, pattern: `**/*.{${endings.join(',')}}`, cwd: path, root: resolve(path) }
  // One that is missing is told with the others that cannot be predicted.
  if (found !== undefined || !isDynamicPattern(input)) return { kind: 'file', path, root: dirname(resolve(path)) }
  const { cwd, pattern } = divided(input)
  return { kind: 'search', input, whole: false, pattern, cwd, root: resolve(cwd) }
}

/** The folder before the first part of a pattern that is one, and the rest. */
function divided(input: string): { readonly cwd: string; readonly pattern: string } {
  const parts = input.split('/')
  const first = parts.findIndex((part) => isDynamicPattern(part))
  const cwd = parts.slice(0, first).join('/').replace(/\\(.)/g, '$1')
  return { cwd: cwd || (isAbsolute(input) ? '/' : '.'), pattern: parts.slice(first).join('/') }
}

async function search({ whole, pattern, cwd }: Source & { kind: 'search' }, left: readonly string[], signal: AbortSignal | undefined): Promise<string[]> {
  const failed: { path: string; error: NodeJS.ErrnoException }[] = []
  const paths = await glob([pattern], {
    cwd,
    expandDirectories: false,
    caseSensitiveMatch: !whole,
    ignore: left.map((each) => (isAbsolute(each) ? each : join(escapePath(relative(cwd, '.')), each))),
    // What cannot be read would be passed over in silence.
    fs: {
      stat,
      readdir: ((path: string, options: { withFileTypes: true }, done: (error: NodeJS.ErrnoException | null, entries: unknown) => void) =>
        readdir(path, options, (error, entries) => {
          if (error !== null && error.code !== 'ENOENT' && error.code !== 'ENOTDIR') failed.push({ path, error })
          done(error, entries)
        })) as unknown as typeof readdir,
    },
    ...(signal && { signal }),
  })
  signal?.throwIfAborted()
  if (failed[0] !== undefined) throw fileError('read', failed[0].path, failed[0].error)
  return paths.map((path) => join(cwd, path))
}

function nothingFound({ input, whole }: Source & { kind: 'search' }, left: number): Error {
  const expected = whole ? `a folder with videos in it (${endings.join(', ')}; give a pattern for others)` : 'a pattern that matches a file'
  return invalidArgumentText('input', expected, left > 0 ? `'${input}', where all lies in the output folder` : `'${input}'`)
}

function commonFolder(folders: readonly string[]): string {
  return folders.reduce((common, folder) => {
    let shared = common
    while (!isIn(folder, shared)) shared = dirname(shared)
    return shared
  })
}

/** Leaves out the names that lead to a file that a shorter one leads to: links may go round in a circle. */
async function eachOnce(videos: readonly FoundVideo[]): Promise<FoundVideo[]> {
  const places = await Promise.all(videos.map(({ path }) => realpath(path).catch(() => resolve(path))))
  const first = new Map<string, FoundVideo>()
  for (const [at, video] of videos.entries()) {
    const known = first.get(places[at]!)
    if (known === undefined || video.below.split(sep).length < known.below.split(sep).length) first.set(places[at]!, video)
  }
  return videos.filter((video, at) => first.get(places[at]!) === video)
}

function byName(a: FoundVideo, b: FoundVideo): number {
  return a.below < b.below ? -1 : a.below > b.below ? 1 : 0
}
