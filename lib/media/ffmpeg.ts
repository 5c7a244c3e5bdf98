import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { DiffSalError } from '../errors.ts'

/** Where {@link findFfmpeg} found the program. */
export type FfmpegSource = 'DIFFSAL_FFMPEG' | 'PATH' | '@ffmpeg-installer/ffmpeg'

/** An ffmpeg that runs. */
export interface FfmpegBinary {
  readonly path: string
  readonly source: FfmpegSource
  /** What the program says its version is: `7.1.1`, `N-47683-g0e8eb07980-static`. */
  readonly version: string
}

const remedy =
  'Install ffmpeg from your system\'s packages (Debian: apt install ffmpeg), or run "npm install @ffmpeg-installer/ffmpeg", ' +
  'or set DIFFSAL_FFMPEG to the path of an ffmpeg program.'

let found: { readonly key: string; readonly binary: Promise<FfmpegBinary> } | undefined

/**
 * The ffmpeg to use: what the environment variable DIFFSAL_FFMPEG names, else the first `ffmpeg` on PATH that runs, else the
 * one of the optional peer package `@ffmpeg-installer/ffmpeg`. The answer is kept until the environment changes.
 *
 * @throws DiffSalError ERR_DIFFSAL_FFMPEG_MISSING when there is none, or when DIFFSAL_FFMPEG names one that does not run.
 */
export function findFfmpeg(): Promise<FfmpegBinary> {
  const key = `${process.env.DIFFSAL_FFMPEG ?? ''}\0${process.env.PATH ?? ''}`
  if (found?.key === key) return found.binary
  const binary = search()
  found = { key, binary }
  binary.catch(() => {
    if (found?.binary === binary) found = undefined
  })
  return binary
}

async function search(): Promise<FfmpegBinary> {
  const named = process.env.DIFFSAL_FFMPEG
  if (named) {
    try {
      return { path: named, source: 'DIFFSAL_FFMPEG', version: await versionOf(named) }
    } catch (cause) {
      throw new DiffSalError(
        'ERR_DIFFSAL_FFMPEG_MISSING',
        `DIFFSAL_FFMPEG is set to '${named}', which does not run as ffmpeg: ${reason(cause)}. Set it to a program that does, or unset it.`,
        { argument: 'DIFFSAL_FFMPEG', expected: 'the path of an ffmpeg program', received: named, cause },
      )
    }
  }
  const failures: string[] = []
  for (const { path, source } of await candidates()) {
    try {
      return { path, source, version: await versionOf(path) }
    } catch (cause) {
      failures.push(`'${path}' does not run (${reason(cause)})`)
    }
  }
  const why = failures.length > 0 ? `: ${failures.join('; ')}` : ' on PATH'
  throw new DiffSalError('ERR_DIFFSAL_FFMPEG_MISSING', `No ffmpeg was found${why}. ${remedy}`)
}

/** What to try, in order, when the environment names nothing. Empty PATH entries (the current folder) are not looked into. */
async function candidates(): Promise<{ path: string; source: FfmpegSource }[]> {
  const list: { path: string; source: FfmpegSource }[] = []
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue
    const path = join(folder, 'ffmpeg')
    if (await executable(path)) list.push({ path, source: 'PATH' })
  }
  const path = fromPeer()
  if (path !== undefined) list.push({ path, source: '@ffmpeg-installer/ffmpeg' })
  return list
}

async function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** The peer package's program. The package throws (even a string) where it has none for this platform. */
function fromPeer(): string | undefined {
  try {
    const { path } = createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg') as { path?: unknown }
    return typeof path === 'string' ? path : undefined
  } catch {
    return undefined
  }
}

function versionOf(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(path, ['-version'], { timeout: 20_000, killSignal: 'SIGKILL' }, (error, stdout) => {
      if (error) return reject(error)
      const version = /^ffmpeg version (\S+)/.exec(stdout)?.[1]
      if (version === undefined) return reject(new Error('it does not answer -version as ffmpeg does'))
      resolve(version)
    })
  })
}

function reason(cause: unknown): string {
  const { code, message, signal } = cause as NodeJS.ErrnoException & { signal?: string | null }
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'it is not executable'
  if (signal) return `it was ended by ${signal}`
  if (typeof code === 'number') return `it ended with code ${String(code)}`
  return message.split('\n')[0] ?? message
}
