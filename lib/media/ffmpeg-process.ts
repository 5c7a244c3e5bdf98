import { spawn, type ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { ownTurn } from '../async/own-turn.ts'
import { DiffSalError } from '../errors.ts'
import { byFfmpeg, findFfmpeg, NotRunning, whyNotRunning } from './ffmpeg.ts'
import { LastText } from './last-text.ts'
import { defaultStallLimit, StallWatch } from './stall-watch.ts'

/** How a process ended. */
export interface FfmpegEnd {
  /** The exit code; null when a signal ended it. */
  readonly code: number | null
  /** The signal that ended it, if one did. */
  readonly killedBy: NodeJS.Signals | null
  /** Seconds without a sign of life after which we ended it, if so. */
  readonly stalled?: number
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
  /** How many pipes more there are to read, `pipe:3`, `pipe:4`, …. Default 0. */
  readonly extra?: number
  /** How many characters of standard error to keep. Default 8192. */
  readonly keep?: number
  /** Seconds without a sign of life, while it is waited for, after which it is ended. Default {@link defaultStallLimit}. */
  readonly stallLimit?: number | undefined
  /** A file whose growing is a sign of life. */
  readonly grows?: string | undefined
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

/**
 * ffmpeg's options that open a local file as an input, which cannot make it open anything but files.
 *
 * @param far looks for streams that begin late in ten minutes or 100 MB, not in 5 MB: ffmpeg holds them in memory
 */
export function inputFile(path: string, far = false): string[] {
  return ['-protocol_whitelist', 'file', ...(far ? ['-analyzeduration', '600M', '-probesize', '100M'] : []), '-i', fileUrl(path)]
}

/** One run of ffmpeg. No shell is involved: arguments reach it as they are. */
export class FfmpegProcess {
  /** How it ended. Never rejects, but for an ffmpeg that could not be started. */
  readonly ended: Promise<FfmpegEnd>
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #watch: StallWatch
  readonly #log: LastText
  #stalled: number | undefined

  constructor(path: string, args: readonly string[], options: FfmpegOptions) {
    const { signal, keep = 8192, extra = 0, stallLimit = defaultStallLimit } = options
    this.#log = new LastText(keep)
    // A group of its own: Ctrl-C in a terminal reaches this program alone, which then decides what happens to its children.
    // No progress either, which would come into the lines that are read.
    const child = spawn(path, ['-nostdin', '-nostats', ...args], {
      stdio: [options.input ? 'pipe' : 'ignore', options.output ? 'pipe' : 'ignore', 'pipe', ...Array.from({ length: extra }, () => 'pipe' as const)],
      env: { ...process.env, AV_LOG_FORCE_NOCOLOR: '1' },
      detached: true,
    })
    this.#child = child
    killAtExit(child)
    const kill = (): void => void child.kill('SIGKILL')
    this.#watch = new StallWatch(
      stallLimit,
      () => {
        this.#stalled = stallLimit
        kill()
      },
      options.grows,
    )
    child.stderr!.setEncoding('utf8')
    child.stderr!.on('data', (text: string) => {
      this.#watch.spoke(text.length)
      this.#log.add(text)
    })
    // A broken pipe is only the shadow of the process's end, which `ended` tells of.
    for (const pipe of child.stdio) pipe?.on('error', () => undefined)
    signal?.addEventListener('abort', kill, { once: true })
    this.ended = new Promise((resolve, reject) => {
      child.once('error', (cause) => {
        const message = `ffmpeg ('${path}') cannot be started: ${cause.message}. Check that it runs by hand.`
        reject(new DiffSalError('ERR_DIFFSAL_FFMPEG_MISSING', message, { cause }))
      })
      child.once('close', (code, killedBy) => {
        resolve({ code, killedBy, log: this.log, ...(this.#stalled !== undefined && { stalled: this.#stalled }) })
      })
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

  /** Starts the ffmpeg to use with these arguments after its own and `-hide_banner`. */
  static async start(args: readonly string[], options: FfmpegOptions = {}): Promise<FfmpegProcess> {
    const { path } = await findFfmpeg()
    await ownTurn()
    options.signal?.throwIfAborted()
    return new FfmpegProcess(path, ['-hide_banner', ...args], options)
  }

  /** What it has written to standard error so far, the last of it. */
  get log(): string {
    return this.#log.toString()
  }

  /** Standard output. Reading slowly holds ffmpeg back. */
  get output(): Readable {
    return this.#child.stdout!
  }

  /** The chunks of standard output; leaving the loop closes it. */
  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    const chunks = this.output.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
    try {
      for (;;) {
        const next = await this.#watch.wait(chunks.next())
        if (next.done) return
        this.#watch.alive()
        yield next.value
      }
    } finally {
      await chunks.return?.()
    }
  }

  /** Hands on what comes from pipe 3, 4, … as text, line by line, as fast as it comes. */
  lines(pipe: number, take: (line: string) => void): void {
    const stream = this.#child.stdio[pipe] as Readable
    let rest = ''
    stream.setEncoding('latin1')
    stream.on('data', (text: string) => {
      this.#watch.alive()
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) take(line)
    })
  }

  /** As {@link ended}, but a process that shows no sign of life is ended. */
  end(): Promise<FfmpegEnd> {
    return this.#watch.wait(this.ended)
  }

  /** Waits for something that the process does; ended if it shows no sign of life. */
  wait<T>(work: Promise<T>): Promise<T> {
    return this.#watch.wait(work)
  }

  /**
   * Writes to standard input and resolves when the pipe has taken it. False when ffmpeg takes no more, because it has ended or
   * is about to: `ended` then tells why.
   */
  write(data: Uint8Array): Promise<boolean> {
    const stdin: Writable = this.#child.stdin!
    return this.#watch.wait(new Promise((resolve) => stdin.write(data, (error) => resolve(!error))))
  }

  /** Closes standard input and waits for the end. */
  finish(): Promise<FfmpegEnd> {
    this.#child.stdin?.end()
    return this.end()
  }

  /** Ends it now, if it still runs, and resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    for (const pipe of this.#child.stdio) pipe?.destroy()
    await this.#exited
  }
}

/** Runs ffmpeg to its end, without input or output. */
export async function runFfmpeg(args: readonly string[], options: Omit<FfmpegOptions, 'input' | 'output'> = {}): Promise<FfmpegEnd> {
  const child = await FfmpegProcess.start(args, options)
  const end = await child.end()
  options.signal?.throwIfAborted()
  return end
}

/** As {@link runFfmpeg}, where it may be the first run of ffmpeg: its log has the banner, and tells whether the program runs at all. */
export function firstRun(args: readonly string[], options: Omit<FfmpegOptions, 'input' | 'output'> = {}): Promise<FfmpegEnd> {
  return byFfmpeg(async (path) => {
    await ownTurn()
    options.signal?.throwIfAborted()
    const end = await new FfmpegProcess(path, args, options).end().catch((error: unknown) => {
      throw new NotRunning(whyNotRunning((error as Error).cause), { cause: error })
    })
    options.signal?.throwIfAborted()
    if (!/^ffmpeg version /m.test(end.log) && end.code !== 0) throw new NotRunning(lastWords({ ...end, log: '' }))
    return end
  })
}

/**
 * What ffmpeg writes to its standard output, chunk by chunk, and at last how it ended. Leaving the loop early kills it;
 * aborting rejects with the signal's reason.
 */
export async function* readFfmpeg(
  args: readonly string[],
  signal?: AbortSignal,
  options: Pick<FfmpegOptions, 'stallLimit'> = {},
): AsyncGenerator<Buffer, FfmpegEnd, undefined> {
  const child = await FfmpegProcess.start(args, { ...options, signal, output: true })
  try {
    for await (const chunk of child.chunks()) {
      signal?.throwIfAborted()
      yield chunk
    }
    const end = await child.end()
    signal?.throwIfAborted()
    return end
  } finally {
    await child.kill()
  }
}

/** What ffmpeg said last, without its `[component @ address]` prefixes, or else how it ended. */
export function lastWords({ code, killedBy, stalled, log }: FfmpegEnd): string {
  if (stalled !== undefined) return `nothing for ${stalled} s, and was ended`
  const lines = log
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '' && !/^Conversion failed|^\s*Last message repeated|Error marking filters as finished/.test(line))
  const line =
    lines
      .at(-1)
      ?.replace(/^\s*(\[[^\]]*\]\s*)+/, '')
      .trim() ?? ''
  if (killedBy !== null) return `it was ended by ${killedBy}`
  return line === '' ? `it ended with code ${code}` : line
}
