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
  /** What it was built with: `--enable-gpl --enable-libx264 …`. */
  readonly configuration: string
  /** libavcodec's version, major · 1000 + minor: 59037 is that of ffmpeg 5.1. */
  readonly codecs: number
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
  const key = environment()
  if (found?.key === key) return found.binary
  const binary = search(askVersion).then((one) => one.binary)
  found = { key, binary }
  binary.catch(() => {
    if (found?.binary === binary) found = undefined
  })
  return binary
}

/**
 * Does work by the ffmpeg to use. Where none is known yet, the work itself shows whether a program runs, by the banner that it
 * starts with: so the first file of a process costs no start of ffmpeg more than the others.
 *
 * @param work gives what the program wrote to standard error, which must be told not to hide its banner
 * @throws DiffSalError as {@link findFfmpeg}, and what the work throws for another reason than that the program does not run
 */
export async function byFfmpeg<T extends { readonly log: string }>(work: (path: string) => Promise<T>): Promise<T> {
  const key = environment()
  if (found?.key === key) {
    const { path, source } = await found.binary
    return work(path).catch((cause: unknown) => {
      throw cause instanceof NotRunning
        ? new DiffSalError('ERR_DIFFSAL_FFMPEG_MISSING', `ffmpeg ('${path}', of ${source}) does not run: ${cause.message}.`, { cause })
        : cause
    })
  }
  const { binary, done } = await search(async (path) => {
    const done = await work(path)
    return { done, text: done.log }
  })
  found = { key, binary: Promise.resolve(binary) }
  return done
}

function environment(): string {
  return `${process.env.DIFFSAL_FFMPEG ?? ''}\0${process.env.PATH ?? ''}`
}

/** A try of a program that gives a text with its banner in it; a {@link NotRunning} says that it does not run. */
type Trial<T> = (path: string) => Promise<T & { readonly text: string }>

/** Why a program is no ffmpeg. */
export class NotRunning extends Error {}

async function search<T>(trial: Trial<T>): Promise<T & { binary: FfmpegBinary }> {
  const attempt = async (path: string, source: FfmpegSource): Promise<T & { binary: FfmpegBinary }> => {
    const done = await trial(path)
    return { ...done, binary: { path, source, ...readBanner(done.text) } }
  }
  const named = process.env.DIFFSAL_FFMPEG
  if (named) {
    try {
      return await attempt(named, 'DIFFSAL_FFMPEG')
    } catch (cause) {
      if (!(cause instanceof NotRunning)) throw cause
      throw new DiffSalError(
        'ERR_DIFFSAL_FFMPEG_MISSING',
        `DIFFSAL_FFMPEG is set to '${named}', which does not run as ffmpeg: ${cause.message}. Set it to a program that does, or unset it.`,
        { argument: 'DIFFSAL_FFMPEG', expected: 'the path of an ffmpeg program', received: named, cause },
      )
    }
  }
  const failures: string[] = []
  for (const { path, source } of await candidates()) {
    try {
      return await attempt(path, source)
    } catch (cause) {
      if (!(cause instanceof NotRunning)) throw cause
      failures.push(`'${path}' does not run (${cause.message})`)
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

function askVersion(path: string): Promise<{ text: string }> {
  return new Promise((resolve, reject) => {
    execFile(path, ['-version'], { timeout: 20_000, killSignal: 'SIGKILL' }, (error, stdout) => {
      if (error) reject(new NotRunning(whyNotRunning(error), { cause: error }))
      else resolve({ text: stdout })
    })
  })
}

/** Reads the lines that ffmpeg begins with. */
function readBanner(text: string): Pick<FfmpegBinary, 'version' | 'configuration' | 'codecs'> {
  const version = /^ffmpeg version (\S+)/m.exec(text)?.[1]
  if (version === undefined) throw new NotRunning('it does not answer -version as ffmpeg does')
  const library = /^\s*libavcodec\s+(\d+)\.\s*(\d+)\./m.exec(text)
  return {
    version,
    configuration: /^\s*configuration:(.*)/m.exec(text)?.[1]?.trim() ?? '',
    codecs: Number(library?.[1] ?? 0) * 1000 + Number(library?.[2] ?? 0),
  }
}

/** Words for why a program could not be run. */
export function whyNotRunning(cause: unknown): string {
  const { code, message, signal } = cause as NodeJS.ErrnoException & { signal?: string | null }
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'it is not executable'
  if (signal) return `it was ended by ${signal}`
  if (typeof code === 'number') return `it ended with code ${String(code)}`
  return message.split('\n')[0] ?? message
}

/** The option that passes frames on with their own times, none repeated or dropped: `-vsync` is gone in ffmpeg 8. */
export function passthrough({ codecs }: FfmpegBinary): string[] {
  return codecs >= 59_037 ? ['-fps_mode', 'passthrough'] : ['-vsync', 'passthrough']
}

/** Whether it is before 4.2 (libavcodec 58.54), which brought the filter `setparams`, and MP4 that keeps the end of uneven frames. */
export function isOld({ codecs }: FfmpegBinary): boolean {
  return codecs < 58_054
}
