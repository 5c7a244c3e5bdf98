import { SingleBar } from 'cli-progress'
import { printable } from '../errors.ts'

/** How far setup has come, in bytes. `total` is absent while it is not known. */
export interface Progress {
  readonly phase: 'download' | 'unpack'
  readonly done: number
  readonly total?: number
}

/** Receives progress. Called often: at every piece of a file. */
export type OnProgress = (progress: Progress) => void

/** A progress display and how to end it. */
export interface ProgressDisplay {
  readonly onProgress: OnProgress
  /** Prints a line above the bar. */
  readonly log: (line: string) => void
  /** Clears the bar. Call it before printing anything else. */
  stop(): void
}

const words = { download: 'Fetching libtorch', unpack: 'Unpacking libtorch' } as const

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0)

/** A bar on a terminal; elsewhere a line every ten per cent, so that a log shows that work goes on. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr): ProgressDisplay {
  return stream.isTTY ? bar(stream) : lines(stream)
}

function bar(stream: NodeJS.WriteStream): ProgressDisplay {
  let current: { phase: Progress['phase']; bar: SingleBar } | undefined
  const stop = (): void => {
    current?.bar.stop()
    current = undefined
  }
  const onProgress = ({ phase, done, total }: Progress): void => {
    if (current?.phase !== phase) {
      stop()
      const format = `${words[phase]} [{bar}] {done}${total === undefined ? '' : '/{all}'} MB`
      // It leaves the cursor and the signals alone, so that an interrupted process has nothing to restore.
      const fresh = new SingleBar({ stream, format, clearOnComplete: true, barsize: 30, linewrap: true, gracefulExit: false })
      fresh.start(total ?? 1, 0, { done: '0', all: megabytes(total ?? 0) })
      current = { phase, bar: fresh }
    }
    current.bar.update(total === undefined ? 0 : done, { done: megabytes(done) })
  }
  const log = (line: string): void => {
    stop()
    stream.write(`${printable(line)}\n`)
  }
  return { onProgress, log, stop }
}

function lines(stream: NodeJS.WritableStream): ProgressDisplay {
  let phase: Progress['phase'] | undefined
  let printed = 0
  const onProgress = (progress: Progress): void => {
    if (progress.phase !== phase) {
      phase = progress.phase
      printed = 0
    }
    if (progress.total === undefined || progress.total === 0) return
    const tenth = Math.floor((progress.done / progress.total) * 10)
    if (tenth <= printed) return
    printed = tenth
    stream.write(`${words[progress.phase]}: ${tenth * 10} % of ${megabytes(progress.total)} MB\n`)
  }
  return { onProgress, log: (line) => void stream.write(`${printable(line)}\n`), stop: () => undefined }
}
