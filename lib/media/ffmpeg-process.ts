import { spawn, type ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { DiffSalError } from '../errors.ts'
import { findFfmpeg } from './ffmpeg.ts'

/** How a process ended. */
export interface FfmpegEnd {
  /** The exit code; null when a signal ended it. */
  readonly code: number | null
  /** The signal that ended it, if one did. */
  readonly killedBy: NodeJS.Signals | null
  /** The last of what it wrote to standard error. */
  readonly log: string
}

/** What {@link FfmpegProcess.start} takes beyond the arguments. */
export interface FfmpegOptions {
  /** Kills the process. */
  readonly signal?: AbortSignal | undefined
  /** Whether standard input is a pipe (else it is closed). */
  readonly input?: boolean
  /** Whether standard output is a pipe (else it is discarded). */
  readonly output?: boolean
  /** How many characters of standard error to keep. Default 8192. */
  readonly keep?: number
}

const running = new Set<ChildProcess>()
let hooked = false

/** A process that ends with `process.exit()` takes its ffmpegs along. */
function killAtExit(child: ChildProcess): void {
  if (!hooked) {
    hooked = true
    process.on('exit', () => running.forEach((one) => one.kill('SIGKILL')))
  }
  running.add(child)
}

/**
 * A local file as ffmpeg must be told of it: absolute and under the `file` protocol, so that a name that starts with a dash or
 * looks like `concat:…` is a name and nothing else.
 */
export function fileUrl(path: string): string {
  return `file:${resolve(path)}`
}

/** One run of ffmpeg. No shell is involved: arguments reach it as they are. */
export class FfmpegProcess {
  /** How it ended. Never rejects, but for an ffmpeg that could not be started. */
  readonly ended: Promise<FfmpegEnd>
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #log = ''

  private constructor(path: string, args: readonly string[], options: FfmpegOptions) {
    const { signal, keep = 8192 } = options
    // A group of its own: Ctrl-C in a terminal reaches this program alone, which then decides what happens to its children.
    const child = spawn(path, ['-nostdin', '-hide_banner', ...args], {
      stdio: [options.input ? 'pipe' : 'ignore', options.output ? 'pipe' : 'ignore', 'pipe'],
      env: { ...process.env, AV_LOG_FORCE_NOCOLOR: '1' },
      detached: true,
    })
    this.#child = child
    killAtExit(child)
    child.stderr!.setEncoding('utf8')
    child.stderr!.on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-keep)
    })
    // A broken pipe is only the shadow of the process's end, which `ended` tells of.
    child.stdin?.on('error', () => undefined)
    child.stdout?.on('error', () => undefined)
    const kill = (): void => void child.kill('SIGKILL')
    signal?.addEventListener('abort', kill, { once: true })
    this.ended = new Promise((resolve, reject) => {
      child.once('error', (cause) => {
        const message = `ffmpeg ('${path}') cannot be started: ${cause.message}. Check that it runs by hand.`
        reject(new DiffSalError('ERR_DIFFSAL_FFMPEG_MISSING', message, { cause }))
      })
      child.once('close', (code, killedBy) => resolve({ code, killedBy, log: this.#log }))
    })
    this.#exited = new Promise((resolve) => {
      child.once('exit', resolve)
      child.once('error', resolve)
    }).finally(() => {
      running.delete(child)
      signal?.removeEventListener('abort', kill)
    })
    this.ended.catch(() => undefined)
  }

  /** Starts ffmpeg with these arguments after its own `-nostdin -hide_banner`. */
  static async start(args: readonly string[], options: FfmpegOptions = {}): Promise<FfmpegProcess> {
    const { path } = await findFfmpeg()
    options.signal?.throwIfAborted()
    return new FfmpegProcess(path, args, options)
  }

  /** Standard output. Reading slowly holds ffmpeg back. */
  get output(): Readable {
    return this.#child.stdout!
  }

  /**
   * Writes to standard input and resolves when the pipe has taken it. False when ffmpeg takes no more, because it has ended or
   * is about to: `ended` then tells why.
   */
  write(data: Uint8Array): Promise<boolean> {
    const stdin: Writable = this.#child.stdin!
    return new Promise((resolve) => stdin.write(data, (error) => resolve(!error)))
  }

  /** Closes standard input and waits for the end. */
  async finish(): Promise<FfmpegEnd> {
    this.#child.stdin?.end()
    return this.ended
  }

  /** Ends it now, if it still runs, and resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    this.#child.stdin?.destroy()
    this.#child.stdout?.destroy()
    await this.#exited
  }
}

/** Runs ffmpeg to its end, without input or output. */
export async function runFfmpeg(args: readonly string[], options: Pick<FfmpegOptions, 'signal' | 'keep'> = {}): Promise<FfmpegEnd> {
  const child = await FfmpegProcess.start(args, options)
  const end = await child.ended
  options.signal?.throwIfAborted()
  return end
}

/**
 * What ffmpeg writes to its standard output, chunk by chunk, and at last how it ended. Leaving the loop early kills it;
 * aborting rejects with the signal's reason.
 */
export async function* readFfmpeg(args: readonly string[], signal?: AbortSignal): AsyncGenerator<Buffer, FfmpegEnd, undefined> {
  const child = await FfmpegProcess.start(args, { signal, output: true })
  try {
    for await (const chunk of child.output) {
      signal?.throwIfAborted()
      yield chunk as Buffer
    }
    const end = await child.ended
    signal?.throwIfAborted()
    return end
  } finally {
    await child.kill()
  }
}

/** What ffmpeg said last, without its `[component @ address]` prefixes, or else how it ended. */
export function lastWords({ code, killedBy, log }: FfmpegEnd): string {
  const lines = log.split(/[\r\n]+/).filter((line) => line.trim() !== '' && !/^Conversion failed|^\s*Last message repeated/.test(line))
  const line = lines.at(-1)?.replace(/^\s*(\[[^\]]*\]\s*)+/, '').trim() ?? ''
  if (killedBy !== null) return `it was ended by ${killedBy}`
  return line === '' ? `it ended with code ${code}` : line
}
